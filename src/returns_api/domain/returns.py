"""What a return is, what one transition of it changes, and the times that it may begin.

Owns the record, how a return opens, and its clocks: for sending, for contesting, and the law's.
Refuses to own what follows from each action (``return_plans``, ``receiving``), money
(``settlement``, ``refunds``), what the policy allows (``policy``) and every row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain import ids
from returns_api.domain.errors import DoesNotFit
from returns_api.domain.lifecycle.deadlines import Deadline, begin, next_due
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.offers import TIMER_OF
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.refund_clocks import due_by_law
from returns_api.domain.terms import ReturnTerms

DEFAULT_SHIP_WITHIN: Final = timedelta(days=30)
"""A return that the policy gives no deadline for sending still ends some day."""
DISPUTE_WITHIN: Final = timedelta(days=14)
"""How long a buyer may contest a rejection or a settlement."""

_CLOSED_LINES: Final = frozenset({"rejected", "canceled", "expired", "settled", "kept"})


@dataclass(frozen=True, slots=True)
class ReturnLineRecord:
    """One line of a return; ``units`` are unit numbers of the order line."""

    id: UUID
    order_line_id: UUID
    external_id: str
    title: str
    sku: str | None
    position: int
    quantity: int
    units: tuple[int, ...]
    reason: str
    fault: str
    condition: str | None
    note: str | None
    evidence: tuple[Mapping[str, Any], ...]
    state: str
    received: int
    inspected: int
    decision_code: str | None
    decision_note: str | None


@dataclass(frozen=True, slots=True)
class Hanging:
    """A deadline of something that hangs on a return: ``of`` is its kind."""

    of: str
    object_id: UUID
    deadline: Deadline


def awaits_approval(thing: Hanging) -> bool:
    """Whether it is the time to approve an offer: no buyer hears of that."""
    return thing.of == "offer" and thing.deadline.kind == TIMER_OF["awaiting_approval"]


@dataclass(frozen=True, slots=True)
class ReturnRecord:
    """A return as the database has it. Amounts in minor units, times in UTC."""

    id: UUID
    number: str
    order_id: UUID
    quote_id: UUID
    decision_id: UUID
    policy_version_id: UUID
    state: str
    resolution: str
    method: str
    gift_receipt_id: UUID | None
    """By which a gift's recipient opened it; None for the buyer's own."""
    currency: str
    expected_minor: int
    refunded_minor: int
    terms: ReturnTerms
    refund_at: str
    opened_by: str
    decided_by: str | None
    refund_law_by: datetime | None
    """The day that a law wants the refund paid by, as far as it is known."""
    refund_law: str | None
    info_request: str | None
    info_answer: str | None
    settled_at: datetime | None
    closed_at: datetime | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    lines: tuple[ReturnLineRecord, ...]
    deadlines: tuple[Deadline, ...]
    hanging: tuple[Hanging, ...] = ()

    def deadline(self, kind: str) -> Deadline | None:
        """The deadline of this kind, also one that is over."""
        return next((each for each in self.deadlines if each.kind == kind), None)

    def due_by(self, kind: str) -> datetime | None:
        """When what ``kind`` stands for was or is due; None where it never was."""
        found = self.deadline(kind)
        return None if found is None else found.due_at

    @property
    def refund_by(self) -> tuple[datetime | None, str | None]:
        """Until when the refund is due, as far as it is known, and the law that says so."""
        if self.closed_at is not None and self.settled_at is None:
            return None, None
        due = self.due_by("refund") or self.refund_law_by
        return due, self.refund_law if due == self.refund_law_by else None

    @property
    def next_deadline(self) -> Deadline | None:
        """The nearest one that stands and runs."""
        return next_due(self.deadlines)

    @property
    def offer_stands(self) -> bool:
        """Whether an offer waits for an answer: every one that does has a deadline."""
        return any(each.of == "offer" and each.deadline.stands for each in self.hanging)

    @property
    def offer_shown(self) -> bool:
        """Whether it waits for the other side, and not for somebody to approve it first."""
        return any(
            each.of == "offer" and each.deadline.stands and not awaits_approval(each)
            for each in self.hanging
        )

    def holds(self) -> frozenset[str]:
        """The conditions of ``lifecycle.returns`` that are met now."""
        ungraded = any(line.inspected < line.received for line in self.lines)
        found = {"units_ungraded"} if ungraded else set()
        if self.gift_receipt_id is None:  # an offer is money for the buyer, who knows of no return
            if self.offer_shown:
                found.add("offer_open")
            elif not self.offer_stands:
                found.add("no_offer_open")
        window = self.deadline("dispute_window")
        if window is not None and window.stands:
            found.add("dispute_window")
        return frozenset(found)

    def require(self, action: str, actor: Actor) -> None:
        """Raises ``ActionNotAllowed`` where the table does not let ``actor`` do it now."""
        RETURN.require(self.state, action, actor, self.holds())

    def step(self, action: str, actor: Actor, to: str | None = None) -> str:
        """The state that follows; raises ``ActionNotAllowed`` like ``require``."""
        return RETURN.step(self.state, action, actor, to, self.holds())

    def open_lines(self) -> tuple[ReturnLineRecord, ...]:
        return tuple(line for line in self.lines if line.state not in _CLOSED_LINES)


@dataclass(frozen=True, slots=True)
class LineChange:
    """What becomes of one line; the units in ``release`` can be returned again."""

    line: ReturnLineRecord
    state: str
    received: int | None = None
    inspected: int | None = None
    decision_code: str | None = None
    decision_note: str | None = None
    release: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One transition: what to save where the return still has ``before``'s sequence."""

    before: ReturnRecord
    state: str
    event: str
    lines: tuple[LineChange, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    """Further columns of the return to set."""
    reason: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the event says besides ids and states."""
    deadlines: tuple[Deadline, ...] = ()
    """Those that begin, pause, run on or end with it."""


def opening(terms: ReturnTerms, now: datetime) -> tuple[Mapping[str, Any], tuple[Deadline, ...]]:
    """State and decider of a return that is being opened, and its first deadline."""
    if terms.approval_auto:
        return {"state": "approved", "decided_by": "system"}, (ship_by(terms, now),)
    waiting = {"state": "requested", "decided_by": None}
    if terms.respond_within_seconds is None:
        return waiting, ()
    respond_by = now + timedelta(seconds=terms.respond_within_seconds)
    return waiting, (begin(RETURN, "respond", respond_by, terms.on_silence),)


def ship_by(terms: ReturnTerms, now: datetime) -> Deadline:
    """The time to send what was approved ``now``."""
    within = terms.ship_within_seconds
    wait = DEFAULT_SHIP_WITHIN if within is None else timedelta(seconds=within)
    return begin(RETURN, "ship", now + wait)


def dispute_window(now: datetime) -> Deadline:
    """The time to contest what was decided ``now``."""
    return begin(RETURN, "dispute_window", now + DISPUTE_WITHIN)


def by_law(before: ReturnRecord, stage: str, now: datetime) -> Mapping[str, Any]:
    """The columns of the law's day, where reaching ``stage`` makes an earlier one known."""
    found = due_by_law(before.terms.law_clocks, stage, before.created_at, now)
    known = before.refund_law_by
    if found is None or (known is not None and known <= found[0]):
        return {}
    return {"refund_law_by": found[0], "refund_law": found[1]}


def wrong_line(detail: str, line_id: UUID) -> DoesNotFit:
    """The refusal of one return line of a request."""
    line = ids.encode("rl", line_id)
    return DoesNotFit(detail, errors=[{"field": "lines", "line": line, "problem": detail}])
