"""Goods for what comes back, and what they drew on: payments of the order, never twice.

What an exchange draws stands in its own append-only rows and, summed, in ``payments.exchanged``,
beside which nothing of the same money can be refunded.
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    currency,
    flag,
    integer,
    json_,
    moment,
    money,
    one_of,
    paid_by,
    tenant_table,
    text_,
    uuid_,
)
from returns_api.domain.exchanges import EXCHANGE_KIND, FAILED_SINCE, IN_MONEY, REPLACEMENT
from returns_api.domain.lifecycle.exchanges import EXCHANGE, RELEASED

_GIVEN = "state IN (" + ", ".join(f"'{state}'" for state in sorted(RELEASED)) + ")"

exchanges = tenant_table(
    "exchanges",
    uuid_("return_id"),
    uuid_("order_id"),
    uuid_("return_line_id"),
    text_("kind"),
    text_("state"),
    text_("fallback"),
    integer("quantity"),
    currency(),
    money("expected_minor"),
    text_("variant", null=True),
    text_("sku", null=True),
    text_("title", null=True),
    money("unit_price_minor", null=True),
    json_("alternatives"),
    text_("payment_url", null=True),
    Column("units", ARRAY(Integer), nullable=True),
    money("credit_minor", null=True),
    money("due_minor", null=True),
    money("drawn_minor", default=0),
    money("paid_minor", default=0),
    text_("payment_reference", null=True),
    uuid_("refund_id", null=True),
    flag("in_advance"),
    money("gift_drawn_minor", default=0),
    money("gift_minor", null=True),
    text_("outcome", null=True),
    text_("failed_since", null=True),
    text_("carrier", null=True),
    text_("tracking", null=True),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("state", EXCHANGE.states),
    one_of("kind", (EXCHANGE_KIND, REPLACEMENT), name="kind"),
    one_of("fallback", IN_MONEY, name="fallback"),
    one_of("outcome", IN_MONEY, name="outcome"),
    one_of("failed_since", FAILED_SINCE, name="failed_since"),
    *at_least(1, "quantity"),
    *at_least(
        0,
        "expected_minor",
        "unit_price_minor",
        "credit_minor",
        "due_minor",
        "drawn_minor",
        "paid_minor",
        "gift_drawn_minor",
    ),
    CheckConstraint(
        "kind = 'replacement' OR variant IS NOT NULL OR sku IS NOT NULL", name="names_goods"
    ),
    CheckConstraint(
        "(state IN ('converted', 'failed')) = (outcome IS NOT NULL)", name="money_instead"
    ),
    CheckConstraint("(state = 'failed') = (failed_since IS NOT NULL)", name="fails_for_a_reason"),
    CheckConstraint("cardinality(units) BETWEEN 1 AND quantity", name="units"),
    CheckConstraint(f"NOT ({_GIVEN}) OR units IS NOT NULL", name="given_for_units"),
    CheckConstraint(
        f"CASE WHEN {_GIVEN} AND kind = 'exchange'"
        " THEN drawn_minor + paid_minor = unit_price_minor * cardinality(units)"
        " ELSE drawn_minor + paid_minor = 0 END IS TRUE",
        name="paid_for",
    ),
    CheckConstraint("(paid_minor > 0) = (payment_reference IS NOT NULL)", name="paid_by_evidence"),
    CheckConstraint(
        "in_advance OR drawn_minor <= coalesce(credit_minor, 0)", name="drawn_within_credit"
    ),
    CheckConstraint(
        f"NOT in_advance OR ({_GIVEN} AND kind = 'exchange' AND paid_minor = 0"
        " AND drawn_minor BETWEEN 1 AND expected_minor AND credit_minor IS NULL)",
        name="first_within_what_comes_back",
    ),
    CheckConstraint(
        "gift_minor IS NULL OR (state = 'converted' AND outcome = 'refund'"
        " AND gift_minor BETWEEN 1 AND gift_drawn_minor)",
        name="gift_with_a_refund",
    ),
    CheckConstraint(f"refund_id IS NULL OR {_GIVEN}", name="rest_of_given_goods"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    belongs_to("return_lines", "return_line_id"),
    belongs_to("refunds", "refund_id", ("order_id", "order_id")),
    UniqueConstraint("shop_id", "return_id", "return_line_id"),
    paid_by("payment_reference"),
    UniqueConstraint("shop_id", "id", "order_id"),
    Index("ix_exchanges_order", "shop_id", "order_id"),
    Index("ix_exchanges_state", "shop_id", "state", "id"),
)

exchange_draws = tenant_table(
    "exchange_draws",
    uuid_("exchange_id"),
    uuid_("payment_id"),
    uuid_("order_id"),
    money("amount_minor"),
    *at_least(1, "amount_minor"),
    belongs_to("exchanges", "exchange_id", ("order_id", "order_id")),
    belongs_to("payments", "payment_id", ("order_id", "order_id")),
    Index("ix_exchange_draws_payment", "shop_id", "payment_id"),
    key=("exchange_id", "payment_id", "order_id"),
)
"""Never changed."""

exchange_gifts = tenant_table(
    "exchange_gifts",
    uuid_("exchange_id"),
    uuid_("order_id"),
    uuid_("refund_id"),
    money("amount_minor"),
    *at_least(1, "amount_minor"),
    belongs_to("exchanges", "exchange_id", ("order_id", "order_id")),
    belongs_to("refunds", "refund_id", ("order_id", "order_id")),
    key=("exchange_id",),
)
"""Which goodwill gave the gift of an exchange: once, never changed."""
