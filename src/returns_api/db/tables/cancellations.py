"""Units of orders that end without a return, and what is asked about them."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    flag,
    integer,
    moment,
    one_of,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.db.tables.deadlines import OWNERS
from returns_api.domain.cancellations import CAUSES, REASONS
from returns_api.domain.lifecycle.cancellations import CANCELLATION

cancellations = tenant_table(
    "cancellations",
    uuid_("order_id"),
    uuid_("parcel_id", null=True),
    text_("cause"),
    text_("state"),
    text_("asked_by"),
    text_("reason", null=True),
    uuid_("refund_id", null=True),
    integer("certificate_version"),
    integer("overrun", default=0),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("state", CANCELLATION.states),
    one_of("cause", CAUSES, name="cause"),
    one_of("asked_by", OWNERS, name="asked_by"),
    one_of("reason", REASONS, name="reason"),
    *at_least(0, "overrun"),
    CheckConstraint("(parcel_id IS NULL) = (cause = 'before_dispatch')", name="sent_in_a_parcel"),
    CheckConstraint("(reason IS NOT NULL) = (state = 'declined')", name="declined_for_a_reason"),
    CheckConstraint("refund_id IS NULL OR state = 'confirmed'", name="paid_once_confirmed"),
    CheckConstraint("overrun = 0 OR state = 'confirmed'", name="overrun_once_confirmed"),
    belongs_to("orders", "order_id"),
    belongs_to("parcels", "parcel_id", ("order_id", "order_id")),
    belongs_to("refunds", "refund_id", ("order_id", "order_id")),
    UniqueConstraint("shop_id", "id", "order_id"),
    UniqueConstraint("shop_id", "refund_id"),
    Index("ix_cancellations_order", "shop_id", "order_id", "id"),
)

cancellation_lines = tenant_table(
    "cancellation_lines",
    uuid_("cancellation_id"),
    uuid_("order_id"),
    uuid_("order_line_id"),
    flag("dispatched"),
    integer("quantity"),
    Column("units", ARRAY(Integer), nullable=False),
    *at_least(1, "quantity"),
    CheckConstraint("cardinality(units) <= quantity", name="at_most_what_was_asked"),
    UniqueConstraint("shop_id", "cancellation_id", "order_line_id"),
    UniqueConstraint("shop_id", "id", "order_line_id"),
    belongs_to("cancellations", "cancellation_id", ("order_id", "order_id")),
    belongs_to("order_lines", "order_line_id", ("order_id", "order_id")),
)
"""``units`` are the numbers that it holds, each a row of ``unit_claims``. What was ``dispatched``
counts as claimed on the order line, what was not as cancelled."""
