"""What of an advance has to come back: asked for, paid, written off, waived, or covered by goods.

Owns the sums of a recovery and what each step leaves open. Refuses to own the books (``ledger``),
rows, and how a buyer pays: the shop asks and tells us with evidence.

All parts together are never more than the amount, and the recovery is over when they are all of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from returns_api.domain.errors import DoesNotFit
from returns_api.domain.lifecycle.advances import OPEN, RECOVERY
from returns_api.domain.lifecycle.machine import Actor

PAY_WITHIN: Final = timedelta(days=14)
"""How long a buyer has to pay what is asked back, unless the shop says otherwise."""
CAUSES: Final = ("not_returned", "worth_less", "lost")
"""The goods did not come in time; they are worth less than was paid; the carrier lost them."""

PARTS: Final = {
    "pay": "paid_minor",
    "debit": "paid_minor",
    "write_off": "written_off_minor",
    "waive": "waived_minor",
    "clear": "cleared_minor",
}
"""By action: the part of the amount that it fills. Store credit pays like any other money."""
STEPS: Final = (
    "paid",
    "debited",
    "written_off",
    "waived",
    "cleared",
    "write_off_undone",
    "waiver_undone",
)
"""Kinds of what is done about a recovery; the last two by goods that come after all."""
_ENDS: Final = {
    "pay": "paid",
    "debit": "paid",
    "write_off": "written_off",
    "waive": "waived",
    "clear": "cleared",
}
GIVEN_UP: Final = ("write_off", "waive")
"""Actions that give money away; above a limit a second person has to agree."""


@dataclass(frozen=True, slots=True)
class RecoveryRecord:
    """A recovery as the database has it; amounts in minor units."""

    id: UUID
    order_id: UUID
    return_id: UUID
    advance_id: UUID
    refund_id: UUID | None
    """The refund that paid the advance; None where it was given in goods."""
    exchange_id: UUID | None
    """The exchange whose new goods went first."""
    state: str
    cause: str
    amount_minor: int
    paid_minor: int
    written_off_minor: int
    waived_minor: int
    cleared_minor: int
    currency: str
    pay_by: datetime | None
    asked_action: str | None
    """``write_off`` or ``waive`` while it waits for a second person."""
    asked_minor: int | None
    asked_by: UUID | None
    asked_note: str | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None

    @property
    def done_minor(self) -> int:
        return self.paid_minor + self.written_off_minor + self.waived_minor + self.cleared_minor

    @property
    def open_minor(self) -> int:
        """What is still to come back."""
        return self.amount_minor - self.done_minor

    @property
    def binding(self) -> str | None:
        """What a second person agrees to: any other action or amount has another binding."""
        if self.asked_action is None:
            return None
        text = f"{self.id} {self.asked_action} {self.asked_minor} {self.currency}"
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a recovery: the state that follows and how its parts grow (minor units)."""

    state: str
    grown: dict[str, int]


def part_of(recovery: RecoveryRecord, amount_minor: int | None) -> int:
    """The amount that is meant: all that is open when none is named.

    Raises:
        DoesNotFit: nothing, or more than is open.
    """
    left = recovery.open_minor
    amount = left if amount_minor is None else amount_minor
    if not 0 < amount <= left:
        problem = f"{left} is open (minor units), not {amount}."
        raise DoesNotFit(problem, errors=[{"field": "amount", "problem": problem}])
    return amount


def goes_on(recovery: RecoveryRecord) -> str:
    """The state of a recovery of which something stays open."""
    return "requested" if recovery.pay_by is not None else "open"


def plan_part(recovery: RecoveryRecord, action: str, actor: Actor, amount_minor: int) -> Step:
    """Fill a part. The recovery ends with its last open minor unit; else it goes on as it was, and
    what waited for a second person does no longer, since it was about another sum.

    Raises:
        ActionNotAllowed.
    """
    to = _ENDS[action] if amount_minor == recovery.open_minor else goes_on(recovery)
    acting = "approve" if recovery.state == "to_approve" and action in GIVEN_UP else action
    state = RECOVERY.step(recovery.state, acting, actor, to=to)
    return Step(state, {PARTS[action]: amount_minor})


def plan_late_goods(
    recovery: RecoveryRecord, covered_minor: int, written_off_minor: int, waived_minor: int
) -> Step | None:
    """Goods came after all: they cover what was open, and take back what was given up."""
    total = covered_minor + written_off_minor + waived_minor
    if not total:
        return None
    grown = {
        "cleared_minor": total,
        "written_off_minor": -written_off_minor,
        "waived_minor": -waived_minor,
    }
    over = recovery.open_minor == covered_minor
    if not over:
        to = goes_on(recovery)
    elif recovery.state == "paid":
        to = "paid"
    elif recovery.state in OPEN:
        to = "cleared"
    else:
        kept = {"written_off": recovery.written_off_minor - written_off_minor,
                "waived": recovery.waived_minor - waived_minor}  # fmt: skip
        to = recovery.state if kept.get(recovery.state) else "cleared"
    return Step(RECOVERY.step(recovery.state, "clear", Actor.SYSTEM, to=to), grown)
