"""What the shop wants of carriers and insurers."""

from sqlalchemy import CheckConstraint, UniqueConstraint

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    currency,
    integer,
    moment,
    money,
    one_of,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.domain.lifecycle.transport_claims import TRANSPORT_CLAIM
from returns_api.domain.transport_claims import AGAINST, CAUSES

transport_claims = tenant_table(
    "transport_claims",
    uuid_("return_id"),
    uuid_("order_id"),
    text_("against"),
    text_("cause"),
    text_("state"),
    money("claimed_minor"),
    money("accepted_minor", null=True),
    currency(),
    text_("reference", null=True),
    text_("payment_reference", null=True),
    text_("note", null=True),
    uuid_("refund_id", null=True),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("state", TRANSPORT_CLAIM.states),
    one_of("against", AGAINST, name="against"),
    one_of("cause", CAUSES, name="cause"),
    *at_least(1, "claimed_minor"),
    CheckConstraint("accepted_minor BETWEEN 1 AND claimed_minor", name="accepted"),
    CheckConstraint(
        "(accepted_minor IS NOT NULL) = (state IN ('accepted', 'paid'))", name="an_amount_is_owed"
    ),
    CheckConstraint(
        "(payment_reference IS NOT NULL) = (state = 'paid')", name="paid_with_evidence"
    ),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    belongs_to("refunds", "refund_id", ("order_id", "order_id")),
    UniqueConstraint("shop_id", "return_id", "against"),
    UniqueConstraint("shop_id", "refund_id"),
)
