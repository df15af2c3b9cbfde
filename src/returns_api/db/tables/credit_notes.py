"""Credit notes, and the counters of numbers that must have no gaps."""

from sqlalchemy import Index, UniqueConstraint

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    currency,
    json_,
    moment,
    money,
    one_of,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.domain.credit_notes import KINDS

number_series = tenant_table(
    "number_series",
    text_("name"),
    money("last_number"),
    *at_least(1, "last_number"),
    key=("name",),
)

credit_notes = tenant_table(
    "credit_notes",
    uuid_("refund_id"),
    uuid_("order_id"),
    money("number"),
    text_("kind"),
    money("amount_minor"),
    currency(),
    moment("issued_at"),
    json_("body"),
    one_of("kind", KINDS),
    *at_least(1, "number", "amount_minor"),
    UniqueConstraint("shop_id", "number"),
    belongs_to("refunds", "refund_id", ("order_id", "order_id")),
    Index("ix_credit_notes_refund", "shop_id", "refund_id"),
    Index("ix_credit_notes_order", "shop_id", "order_id"),
)
