"""Couriers who come for a return parcel."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    currency,
    due_index,
    integer,
    moment,
    money,
    one_of,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.domain.lifecycle.pickups import PICKUP, STANDING

_STANDING = ", ".join(f"'{state}'" for state in STANDING)

pickups = tenant_table(
    "pickups",
    uuid_("return_id"),
    uuid_("order_id"),
    uuid_("shipment_id"),
    text_("source"),
    text_("state"),
    text_("carrier_pickup_id"),
    text_("carrier"),
    text_("service"),
    moment("starts_at"),
    moment("ends_at"),
    money("cost_minor"),
    currency(),
    text_("confirmation", null=True),
    integer("attempt", default=0),
    integer("tries", default=0),
    moment("due_at", null=True),
    moment("leased_until", null=True),
    text_("last_error", null=True),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("state", PICKUP.states),
    CheckConstraint("starts_at < ends_at", name="window"),
    CheckConstraint(
        "(confirmation IS NOT NULL) OR (state IN ('booking', 'failed', 'rebooked', 'lapsed'))",
        name="confirmed",
    ),
    *at_least(0, "cost_minor"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    belongs_to("shipments", "shipment_id"),
    UniqueConstraint("shop_id", "source", "carrier_pickup_id"),
    Index("ix_pickups_return", "shop_id", "return_id", "id"),
    Index(
        "uq_pickups_standing",
        "shop_id",
        "return_id",
        unique=True,
        postgresql_where=text(f"state IN ({_STANDING})"),
    ),
    due_index("pickups", "due_at", "due_at IS NOT NULL"),
)
