"""Offers for keeping the goods, and their counter-offers."""

from sqlalchemy import Index, UniqueConstraint, text

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
from returns_api.domain.lifecycle.offers import OFFER, OPEN_OFFER
from returns_api.domain.offers import BUYER, MERCHANT

_STANDING = ", ".join(f"'{state}'" for state in OPEN_OFFER)

offers = tenant_table(
    "offers",
    uuid_("return_id"),
    uuid_("order_id"),
    text_("party"),
    text_("state"),
    money("amount_minor"),
    currency(),
    text_("note", null=True),
    uuid_("answers", null=True),
    uuid_("made_by", null=True),
    money("drawn_minor"),
    integer("valid_seconds"),
    moment("shown_at", null=True),
    uuid_("refund_id", null=True),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("state", OFFER.states),
    one_of("party", (BUYER, MERCHANT), name="party"),
    *at_least(1, "amount_minor", "valid_seconds"),
    *at_least(0, "drawn_minor"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    belongs_to("refunds", "refund_id", ("order_id", "order_id")),
    UniqueConstraint("shop_id", "refund_id"),
    Index("ix_offers_return", "shop_id", "return_id", "id"),
    Index(
        "uq_offers_standing",
        "shop_id",
        "return_id",
        unique=True,
        postgresql_where=text(f"state IN ({_STANDING})"),
    ),
)
