"""Repairs as facts: which goods, who pays, what was quoted, what became of it.

Owns the facts of a repair, its deadlines, and the money that is due for each way it can end.
Refuses to own what follows from an action (``repair_plans``), prices (``repair_prices``), whether a
policy offers and covers a repair (``policy``, ``quotes``), the books and the rows. States move only
through ``lifecycle.repairs``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain.exchanges import REPLACEMENT
from returns_api.domain.lifecycle.deadlines import Clockwork, Deadline
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.repairs import OPEN_REPAIR, REPAIR

REPAIRED: Final = "repaired"
DECLINED: Final = "declined"
UNREPAIRABLE: Final = "unrepairable"
RESULTS: Final = (REPAIRED, DECLINED, UNREPAIRABLE)
"""As what goods go back to the buyer."""
GOODS: Final = "goods"
CAUSES: Final = ("beyond_repair", "no_parts", "not_worth_it", "no_fault_found", "no_answer")
"""Why goods were not repaired; ``no_answer`` is the repair point's silence."""
TOLD_CAUSES: Final = CAUSES[:-1]

_CLOCK: Final = Clockwork(
    REPAIR,
    {
        "diagnosis": timedelta(days=7),
        "escalation": timedelta(days=7),
        "repair_answer": timedelta(days=7),
        "workmanship": timedelta(days=21),
        "instead": timedelta(days=7),
        "repair_payment": timedelta(days=14),
        "giving_back": timedelta(days=7),
        "arrival": timedelta(days=14),
    },
    runs_on=frozenset({"link", "overdue"}),
)


@dataclass(frozen=True, slots=True)
class RepairRecord:
    """A repair as the database has it; amounts in minor units of ``currency``.

    ``free``: the policy or a law covers it, nothing is charged. ``freight_minor`` is the way to the
    repair point as the accepted quote says, ``decline_most_minor`` the most that declining costs by
    it. ``fallback`` is the money that the policy offered besides, None where it offered none;
    ``replaceable``, that it offered the same goods again.
    """

    id: UUID
    return_id: UUID
    order_id: UUID
    return_line_id: UUID
    state: str
    free: bool
    fallback: str | None
    replaceable: bool
    quantity: int
    currency: str
    freight_minor: int
    decline_most_minor: int
    positions: Sequence[Mapping[str, Any]]
    note: str | None
    total_minor: int | None
    decline_minor: int | None
    units: Sequence[int] | None
    result: str | None
    cause: str | None
    due_minor: int | None
    paid_minor: int
    waived_minor: int
    payment_reference: str | None
    payment_url: str | None
    outcome: str | None
    carrier: str | None
    tracking: str | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    order_external: str
    order_number: str
    line_external: str
    sku: str | None
    title: str
    deadlines: tuple[Deadline, ...]

    @property
    def is_open(self) -> bool:
        """Whether goods or a decision are still here: the return is not settled."""
        return self.state in OPEN_REPAIR

    def instead(self) -> tuple[str, ...]:
        """What a buyer can have who does not have the goods repaired, and does who says nothing
        about goods that cannot be: the last."""
        money = () if self.fallback is None else (self.fallback,)
        return (GOODS, *([REPLACEMENT] if self.replaceable else []), *money)


@dataclass(frozen=True, slots=True)
class RepairChange:
    """One transition, saved where the repair still has ``before``'s sequence."""

    before: RepairRecord
    state: str
    event: str
    deadlines: tuple[Deadline, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the event says besides."""


def moved(
    before: RepairRecord,
    action: str,
    actor: Actor,
    event: str,
    now: datetime,
    to: str | None = None,
    values: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> RepairChange:
    """One transition and the deadline that it begins. Raises ``ActionNotAllowed``."""
    state, deadlines = _CLOCK.step(before.state, before.deadlines, action, actor, now, to)
    return RepairChange(before, state, f"repair.{event}", deadlines, values or {}, data or {})
