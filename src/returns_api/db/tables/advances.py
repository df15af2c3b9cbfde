"""Money, or new goods, before the old ones are seen: advances, their caps, and what has to come
back.

The caps are counters of their own, taken by one conditional update under the row's lock, with a
CHECK behind it. The parts of a recovery are counted in its row and told one by one in an
append-only table.
"""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from returns_api.db.tables._base import (
    at_least,
    belongs_to,
    currency,
    due_index,
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
from returns_api.domain.advances import DECLINED
from returns_api.domain.lifecycle.advances import ADVANCE, OPEN, RECOVERY
from returns_api.domain.recoveries import CAUSES, GIVEN_UP, STEPS

_OPEN = ", ".join(f"'{state}'" for state in sorted(OPEN))
_DONE = "paid_minor + written_off_minor + waived_minor + cleared_minor"

fast_refund_caps = tenant_table(
    "fast_refund_caps",
    text_("kind"),
    uuid_("subject_id"),
    text_("day"),
    currency(),
    money("used_minor"),
    money("cap_minor"),
    one_of("kind", ("buyer", "shop_day")),
    CheckConstraint("used_minor <= cap_minor", name="within"),
    *at_least(0, "used_minor"),
    key=("kind", "subject_id", "day", "currency"),
)

advances = tenant_table(
    "advances",
    uuid_("order_id"),
    uuid_("return_id"),
    uuid_("refund_id", null=True),
    uuid_("exchange_id", null=True),
    text_("state"),
    text_("reason", null=True),
    uuid_("buyer", null=True),
    text_("day", null=True),
    money("amount_minor"),
    money("never_paid_minor", default=0),
    money("applied_minor", default=0),
    currency(),
    json_("parts", null=True),
    moment("due_at", null=True),
    moment("created_at"),
    moment("settled_at", null=True),
    integer("sequence", default=1),
    one_of("state", ADVANCE.states),
    one_of("reason", DECLINED),
    CheckConstraint(
        "num_nonnulls(refund_id, exchange_id) = CASE state WHEN 'declined' THEN 0 ELSE 1 END",
        name="granted_in_money_or_goods",
    ),
    CheckConstraint("(state = 'declined') = (reason IS NOT NULL)", name="declined_for_a_reason"),
    CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="settled_once"),
    CheckConstraint("(state = 'outstanding') = (due_at IS NOT NULL)", name="looked_at_until_over"),
    CheckConstraint("never_paid_minor + applied_minor <= amount_minor", name="parts"),
    *at_least(1, "amount_minor"),
    *at_least(0, "never_paid_minor", "applied_minor"),
    UniqueConstraint("shop_id", "return_id"),
    UniqueConstraint("shop_id", "refund_id"),
    UniqueConstraint("shop_id", "exchange_id"),
    belongs_to("orders", "order_id"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    belongs_to("refunds", "refund_id", ("order_id", "order_id")),
    belongs_to("exchanges", "exchange_id", ("order_id", "order_id")),
    Index("ix_advances_order", "shop_id", "order_id"),
    due_index("advances", "due_at", "due_at IS NOT NULL"),
)

recoveries = tenant_table(
    "recoveries",
    uuid_("order_id"),
    uuid_("return_id"),
    uuid_("advance_id"),
    uuid_("refund_id", null=True),
    uuid_("exchange_id", null=True),
    text_("state"),
    text_("cause"),
    money("amount_minor"),
    money("paid_minor", default=0),
    money("written_off_minor", default=0),
    money("waived_minor", default=0),
    money("cleared_minor", default=0),
    currency(),
    moment("pay_by", null=True),
    moment("due_at", null=True),
    text_("asked_action", null=True),
    money("asked_minor", null=True),
    uuid_("asked_by", null=True),
    text_("asked_note", null=True),
    integer("sequence", default=1),
    moment("created_at"),
    moment("updated_at"),
    moment("closed_at", null=True),
    one_of("state", RECOVERY.states),
    one_of("cause", CAUSES),
    one_of("asked_action", GIVEN_UP),
    CheckConstraint("num_nonnulls(refund_id, exchange_id) = 1", name="of_money_or_goods"),
    CheckConstraint(f"{_DONE} <= amount_minor", name="parts"),
    CheckConstraint(
        f"(state IN ({_OPEN})) = ({_DONE} < amount_minor)", name="open_while_something_is"
    ),
    CheckConstraint(f"(state IN ({_OPEN})) = (closed_at IS NULL)", name="closed_once"),
    CheckConstraint(
        "(state = 'to_approve') = (asked_action IS NOT NULL)"
        " AND (asked_action IS NULL) = (asked_minor IS NULL)",
        name="asked_while_it_waits",
    ),
    CheckConstraint("(state = 'requested') = (due_at IS NOT NULL)", name="requested_until"),
    *at_least(1, "amount_minor", "asked_minor"),
    *at_least(0, "paid_minor", "written_off_minor", "waived_minor", "cleared_minor"),
    UniqueConstraint("shop_id", "advance_id"),
    UniqueConstraint("shop_id", "id", "currency"),
    belongs_to("orders", "order_id"),
    belongs_to("returns", "return_id", ("order_id", "order_id")),
    belongs_to("advances", "advance_id"),
    belongs_to("refunds", "refund_id", ("order_id", "order_id")),
    belongs_to("exchanges", "exchange_id", ("order_id", "order_id")),
    Index("ix_recoveries_order", "shop_id", "order_id"),
    due_index("recoveries", "due_at", "due_at IS NOT NULL"),
)

recovery_steps = tenant_table(
    "recovery_steps",
    uuid_("recovery_id"),
    text_("kind"),
    money("amount_minor"),
    currency(),
    text_("reference", null=True),
    text_("note", null=True),
    uuid_("movement_id", null=True),
    text_("actor"),
    uuid_("actor_id", null=True),
    uuid_("approver_id", null=True),
    moment("at"),
    one_of("kind", STEPS),
    CheckConstraint("(kind = 'paid') = (reference IS NOT NULL)", name="paid_with_evidence"),
    CheckConstraint("(kind = 'debited') = (movement_id IS NOT NULL)", name="debited_by_a_movement"),
    CheckConstraint("approver_id IS NULL OR approver_id <> actor_id", name="two_persons"),
    *at_least(1, "amount_minor"),
    belongs_to("recoveries", "recovery_id", ("currency", "currency")),
    belongs_to("store_credit_movements", "movement_id"),
    paid_by("reference"),
    UniqueConstraint("shop_id", "movement_id"),
    Index("ix_recovery_steps_recovery", "shop_id", "recovery_id"),
)
