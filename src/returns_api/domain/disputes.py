"""Disputes as pure plans: evidence, ruling, appeal, and when money moves.

Owns what may be awarded and what follows from each act. Refuses to own whether a return may be
disputed (its table: ``lifecycle.returns``), the money (``refunds``) and the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain.lifecycle.deadlines import Deadline, begin, follow, next_due, passed
from returns_api.domain.lifecycle.disputes import DISPUTE
from returns_api.domain.lifecycle.machine import Actor

EVIDENCE_WITHIN: Final = timedelta(days=7)
RULING_WITHIN: Final = timedelta(days=14)
APPEAL_WITHIN: Final = timedelta(days=7)
APPEAL_RULING_WITHIN: Final = timedelta(days=30)
STATEMENTS_MAX: Final = 50
"""Statements that one side may put forward in one dispute."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one side put forward; never changed afterwards."""

    id: UUID
    party: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DisputeRecord:
    """A dispute as the database has it. ``award_minor`` is the last ruling's, in minor units."""

    id: UUID
    return_id: UUID
    order_id: UUID
    state: str
    claimed_minor: int
    currency: str
    award_minor: int | None
    ruling: str | None
    ruled_by: UUID | None
    appealed_by: str | None
    refund_id: UUID | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    statements: Sequence[Statement]
    deadlines: tuple[Deadline, ...]

    def holds(self, person: UUID | None) -> frozenset[str]:
        """The conditions of ``lifecycle.disputes`` that are met for ``person``."""
        found = set()
        if len({each.party for each in self.statements}) > 1:
            found.add("both_heard")
        if person != self.ruled_by:
            found.add("ruled_by_another")
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class DisputeChange:
    """One transition, saved where the dispute still has ``before``'s sequence.

    ``pays`` is what goes out with it (minor units); None while nothing is final.
    """

    before: DisputeRecord
    state: str
    event: str
    deadlines: tuple[Deadline, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    pays: int | None = None


def opening(now: datetime) -> tuple[str, tuple[Deadline, ...]]:
    """State and first deadline of a new dispute."""
    return "evidence", (begin(DISPUTE, "evidence", now + EVIDENCE_WITHIN),)


def plan_evidence(before: DisputeRecord, actor: Actor) -> DisputeChange:
    """One more statement. Raises ``ActionNotAllowed``."""
    return _change(before, "add_evidence", actor, None, "dispute.evidence_added")


def plan_begin_review(before: DisputeRecord, actor: Actor, now: datetime) -> DisputeChange:
    """The platform heard enough. Raises ``ActionNotAllowed`` unless both sides were heard."""
    ruling = begin(DISPUTE, "ruling", now + RULING_WITHIN)
    return _change(before, "begin_review", actor, None, "dispute.review_begun", ruling)


def plan_withdraw(before: DisputeRecord, actor: Actor) -> DisputeChange:
    """The buyer gives it up. Raises ``ActionNotAllowed``."""
    return _change(before, "withdraw", actor, None, "dispute.withdrawn")


def plan_rule(
    before: DisputeRecord,
    actor: Actor,
    person: UUID | None,
    now: datetime,
    award_minor: int,
    reason: str,
) -> DisputeChange:
    """Award an amount, 0 for the merchant: appealable the first time, final the second.

    Raises:
        ActionNotAllowed: not the time for it, or an appeal against the caller's own ruling.
    """
    first = before.state == "review"
    begun = (begin(DISPUTE, "appeal", now + APPEAL_WITHIN),) if first else ()
    event = "dispute.ruled" if first else "dispute.final"
    change = _change(before, "rule", actor, person, event, *begun)
    values = {"award_minor": award_minor, "ruling": reason, "ruled_by": person}
    pays = None if first else award_minor
    return DisputeChange(before, change.state, event, change.deadlines, values, pays)


def plan_appeal(before: DisputeRecord, actor: Actor, party: str, now: datetime) -> DisputeChange:
    """One side wants a second ruling. Raises ``ActionNotAllowed``: once, and in time."""
    ruling = begin(DISPUTE, "appeal_ruling", now + APPEAL_RULING_WITHIN)
    change = _change(before, "appeal", actor, None, "dispute.appealed", ruling)
    return DisputeChange(
        before, change.state, change.event, change.deadlines, {"appealed_by": party}
    )


def plan_dispute_silence(before: DisputeRecord, now: datetime) -> DisputeChange | None:
    """What a passed deadline does by itself; None when none has passed."""
    late = next_due(before.deadlines, now)
    if late is None:
        return None
    event = {
        "close_evidence": "dispute.review_begun",
        "overdue": "dispute.overdue",
        "finalize": "dispute.final",
    }[late.on_silence]
    begun: tuple[Deadline, ...] = ()
    if late.on_silence == "close_evidence":
        begun = (begin(DISPUTE, "ruling", now + RULING_WITHIN),)
    change = _change(before, late.on_silence, Actor.SYSTEM, None, event, *begun)
    pays = before.award_minor if change.state == "final" else None
    return DisputeChange(before, change.state, event, passed(late, change.deadlines), {}, pays)


def _change(
    before: DisputeRecord,
    action: str,
    actor: Actor,
    person: UUID | None,
    event: str,
    *begun: Deadline,
) -> DisputeChange:
    state = DISPUTE.step(before.state, action, actor, holds=before.holds(person))
    deadlines = follow(DISPUTE, before.deadlines, action, state, *begun)
    return DisputeChange(before, state, event, deadlines)
