"""Disputes over what a merchant decided, and what each side put forward."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

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
from returns_api.domain.lifecycle.disputes import DISPUTE
from returns_api.domain.offers import BUYER, MERCHANT

PARTIES = (BUYER, MERCHANT)

disputes = tenant_table(
    "disputes",
    uuid_("return_id"),
    uuid_("order_id"),
    text_("state"),
    money("claimed_minor"),
    currency(),
    money("award_minor", null=True),
    text_("ruling", null=True),
    uuid_("ruled_by", null=True),
    text_("appealed_by", null=True),
    uuid_("refund_id", null=True),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("state", DISPUTE.states),
    one_of("appealed_by", PARTIES, name="appealed_by"),
    *at_least(1, "claimed_minor"),
    CheckConstraint("award_minor BETWEEN 0 AND claimed_minor", name="award"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    belongs_to("refunds", "refund_id", ("order_id", "order_id")),
    UniqueConstraint("shop_id", "return_id"),
    UniqueConstraint("shop_id", "refund_id"),
)

dispute_statements = tenant_table(
    "dispute_statements",
    uuid_("dispute_id"),
    text_("party"),
    uuid_("author", null=True),
    text_("text", null=True),
    moment("at"),
    one_of("party", PARTIES, name="party"),
    belongs_to("disputes", "dispute_id"),
    Index("ix_dispute_statements_dispute", "shop_id", "dispute_id", "id"),
)
"""Never changed; only the text goes when its person is erased."""
