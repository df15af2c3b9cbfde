"""Return parcels: the label we bought, what was printed of it, and every scan of it."""

from sqlalchemy import UniqueConstraint

from returns_api.db.tables._base import (
    belongs_to,
    bytes_,
    due_index,
    integer,
    moment,
    money,
    one_of,
    tenant_table,
    text_,
    texts,
    uuid_,
)
from returns_api.domain.lifecycle.shipments import SHIPMENT

shipments = tenant_table(
    "shipments",
    uuid_("return_id"),
    text_("state"),
    text_("source"),
    text_("carrier_shipment_id", null=True),
    text_("tracking_code", null=True),
    text_("carrier", null=True),
    text_("service", null=True),
    text_("label_url", null=True),
    text_("qr_url", null=True),
    texts("label_forms"),
    money("cost_minor", null=True),
    text_("cost_currency", null=True),
    integer("attempt", default=0),
    integer("tries", default=0),
    moment("due_at", null=True),
    moment("leased_until", null=True),
    text_("last_error", null=True),
    moment("last_scan_at", null=True),
    moment("track_at", null=True),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("state", SHIPMENT.states),
    belongs_to("returns", "return_id"),
    UniqueConstraint("shop_id", "return_id"),
    UniqueConstraint("shop_id", "source", "carrier_shipment_id"),
    due_index("shipments", "due_at", "due_at IS NOT NULL"),
    due_index("shipments", "track_at", "track_at IS NOT NULL"),
)

scans = tenant_table(
    "scans",
    uuid_("shipment_id"),
    text_("status"),
    moment("at"),
    text_("description", null=True),
    moment("recorded_at", now=True),
    belongs_to("shipments", "shipment_id"),
    key=("shipment_id", "at", "status"),
)

label_documents = tenant_table(
    "label_documents",
    uuid_("shipment_id"),
    text_("form"),
    text_("media_type"),
    bytes_("content"),
    moment("created_at"),
    one_of("form", ("label", "qr")),
    belongs_to("shipments", "shipment_id"),
    key=("shipment_id", "form"),
)
