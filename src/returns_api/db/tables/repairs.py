"""Goods that are mended and given back: what was quoted, agreed, paid and sent."""

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
from returns_api.domain.exchanges import IN_MONEY
from returns_api.domain.lifecycle.repairs import GOING_BACK, REPAIR
from returns_api.domain.repairs import CAUSES, RESULTS

_BACK = "state IN (" + ", ".join(f"'{state}'" for state in sorted(GOING_BACK)) + ")"

repairs = tenant_table(
    "repairs",
    uuid_("return_id"),
    uuid_("order_id"),
    uuid_("return_line_id"),
    text_("state"),
    flag("free"),
    text_("fallback", null=True),
    flag("replaceable"),
    integer("quantity"),
    currency(),
    money("freight_minor"),
    money("decline_most_minor"),
    json_("positions"),
    text_("note", null=True),
    money("total_minor", null=True),
    money("decline_minor", null=True),
    Column("units", ARRAY(Integer), nullable=True),
    text_("result", null=True),
    text_("cause", null=True),
    money("due_minor", null=True),
    money("paid_minor", default=0),
    money("waived_minor", default=0),
    text_("payment_reference", null=True),
    text_("payment_url", null=True),
    text_("outcome", null=True),
    text_("carrier", null=True),
    text_("tracking", null=True),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    one_of("state", REPAIR.states),
    one_of("fallback", IN_MONEY, name="fallback"),
    one_of("result", RESULTS, name="result"),
    one_of("cause", CAUSES, name="cause"),
    *at_least(1, "quantity"),
    *at_least(
        0,
        "freight_minor",
        "decline_most_minor",
        "total_minor",
        "decline_minor",
        "due_minor",
        "paid_minor",
        "waived_minor",
    ),
    CheckConstraint("cardinality(units) BETWEEN 1 AND quantity", name="units"),
    CheckConstraint("(state = 'converted') = (outcome IS NOT NULL)", name="money_instead"),
    CheckConstraint(
        "outcome IS NULL OR CASE outcome WHEN 'replacement' THEN replaceable"
        " ELSE outcome IS NOT DISTINCT FROM fallback END",
        name="as_offered",
    ),
    CheckConstraint(
        "NOT free OR freight_minor + decline_most_minor + coalesce(total_minor, 0) = 0",
        name="free_of_charge",
    ),
    CheckConstraint("decline_minor <= decline_most_minor", name="declined_as_quoted"),
    CheckConstraint(
        "(due_minor IS NULL) = (result IS NULL) AND CASE result"
        " WHEN 'repaired' THEN due_minor IS NOT DISTINCT FROM total_minor"
        " WHEN 'declined' THEN due_minor = coalesce(decline_minor, 0)"
        " WHEN 'unrepairable' THEN due_minor = 0 ELSE true END",
        name="due_as_quoted",
    ),
    CheckConstraint(
        f"({_BACK} OR state = 'awaiting_payment') = (result IS NOT NULL)", name="goes_back_as"
    ),
    CheckConstraint("result IS NULL OR units IS NOT NULL", name="units_go_back"),
    CheckConstraint(
        f"paid_minor + waived_minor = CASE WHEN {_BACK} THEN coalesce(due_minor, 0) ELSE 0 END",
        name="paid_or_waived",
    ),
    CheckConstraint("(paid_minor > 0) = (payment_reference IS NOT NULL)", name="paid_by_evidence"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    belongs_to("return_lines", "return_line_id"),
    UniqueConstraint("shop_id", "return_id"),
    paid_by("payment_reference"),
    Index("ix_repairs_order", "shop_id", "order_id"),
    Index("ix_repairs_state", "shop_id", "state", "id"),
)
