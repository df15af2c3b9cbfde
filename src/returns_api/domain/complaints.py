"""Complaints as pure plans: what was promised until when, and what each act makes of it.

Owns the promised time, the acts and what is told of them. Refuses to own what is said
(``messages``), the calendar's rows and the table of states (``lifecycle.complaints``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.domain.calendars import Unit, WorkingDays, add, day_end, local_date
from returns_api.domain.lifecycle.complaints import COMPLAINT
from returns_api.domain.lifecycle.deadlines import Deadline, begin, follow, next_due, passed
from returns_api.domain.lifecycle.machine import Actor

CATEGORIES: Final = ("refund", "decision", "exchange", "delivery", "goods", "service", "other")
"""What a complaint is about."""
ANSWER_DAYS: Final = 3
"""Business days of a promise, where the shop says nothing else."""
ANSWER_DAYS_MAX: Final = 60
ESCALATION_DAYS: Final = 2
ANSWER_WITHIN: Final = timedelta(days=14)
FOLLOW_UP_WITHIN: Final = timedelta(days=7)
RATING_WITHIN: Final = timedelta(days=30)
OPEN_PER_ORDER: Final = 5
"""Complaints of one order that may be under way at once."""
UNDER_WAY: Final = ("open", "in_progress", "waiting", "escalated", "resolved")
"""States in which a case is open: nobody is to be asked for a review meanwhile."""
SCORES: Final = (1, 5)
SATISFIED: Final = 4
"""From this score on, a buyer counts as satisfied."""
PROMISE: Final = "complaint_promise"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The business calendar of a place: its zone and which of its days are worked."""

    zone: ZoneInfo
    working: WorkingDays

    def after(self, now: datetime, business_days: int) -> datetime:
        """The end (UTC) of the local day that is so many business days after that of ``now``.

        Whoever complains on a closed day is promised as if on the last day before it.

        Raises:
            OverflowError: beyond the end of the calendar.
        """
        day = add(local_date(now, self.zone), business_days, Unit.BUSINESS_DAYS, self.working)
        end = None if day is None else day_end(day, self.zone)
        if end is None:
            raise OverflowError("no such business day")
        return end.over


@dataclass(frozen=True, slots=True)
class Clock:
    """Now, and what is promised from now on."""

    now: datetime
    calendar: Calendar
    answer_days: int = ANSWER_DAYS

    def promise(self) -> Deadline:
        """By when the shop answers."""
        return begin(COMPLAINT, PROMISE, self.calendar.after(self.now, self.answer_days))

    def escalation(self) -> Deadline:
        """By when an escalated complaint is looked at."""
        until = self.calendar.after(self.now, ESCALATION_DAYS)
        return begin(COMPLAINT, "complaint_escalation", until)


@dataclass(frozen=True, slots=True)
class ComplaintRecord:
    """A complaint as the database has it.

    The words are those of messages about it, None after their person was erased; ``reopened``
    counts how often the buyer came back to it.
    """

    id: UUID
    order_id: UUID
    return_id: UUID | None
    category: str
    state: str
    statement_id: UUID
    resolution_id: UUID | None
    comment_id: UUID | None
    score: int | None
    reopened: int
    escalated_at: datetime | None
    resolved_at: datetime | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    statement: str | None
    resolution: str | None
    comment: str | None
    deadlines: tuple[Deadline, ...]

    @property
    def promised_by(self) -> datetime | None:
        """The end of the promise that stands, or that stood last."""
        return next((each.due_at for each in self.deadlines if each.kind == PROMISE), None)


@dataclass(frozen=True, slots=True)
class ComplaintChange:
    """One transition, saved where the complaint still has ``before``'s sequence."""

    before: ComplaintRecord
    state: str
    event: str
    deadlines: tuple[Deadline, ...]
    values: Mapping[str, Any] = field(default_factory=dict)


_TOLD: Final[Mapping[str, str]] = {
    "progress": "progress",
    "ask": "info_requested",
    "answer": "info_provided",
    "resolve": "resolved",
    "reopen": "reopened",
    "withdraw": "withdrawn",
    "rate": "rated",
    "escalate": "escalated",
    "overdue": "overdue",
    "lapse": "closed",
    "close": "closed",
    "let_be": "unrated",
}
"""What each act is called once it happened."""


def opening(clock: Clock) -> tuple[str, tuple[Deadline, ...]]:
    """State and promise of a new complaint."""
    return COMPLAINT.initial[0], (clock.promise(),)


def plan(
    before: ComplaintRecord, action: str, actor: Actor, clock: Clock, **values: Any
) -> ComplaintChange:
    """One act of a person or of the system; ``values`` are further columns.

    Raises:
        ActionNotAllowed: not in this state, or not for this actor.
    """
    state = COMPLAINT.step(before.state, action, actor)
    begun = _begun(action, state, clock)
    deadlines = follow(COMPLAINT, before.deadlines, action, state, *begun, now=clock.now)
    moved = {**_moved(before, action, clock.now), **values}
    return ComplaintChange(before, state, f"complaint.{_TOLD[action]}", deadlines, moved)


def plan_complaint_silence(before: ComplaintRecord, clock: Clock) -> ComplaintChange | None:
    """What a passed deadline does by itself; None when none has passed."""
    late = next_due(before.deadlines, clock.now)
    if late is None:
        return None
    change = plan(before, late.on_silence, Actor.SYSTEM, clock)
    return replace(change, deadlines=passed(late, change.deadlines))


def _begun(action: str, state: str, clock: Clock) -> list[Deadline]:
    if action == "reopen":
        return [clock.promise()]
    if action == "escalate":
        return [clock.escalation()]
    within = {
        "waiting": ("complaint_answer", ANSWER_WITHIN),
        "resolved": ("complaint_follow_up", FOLLOW_UP_WITHIN),
        "closed": ("complaint_rating", RATING_WITHIN),
    }.get(state)
    return [] if within is None else [begin(COMPLAINT, within[0], clock.now + within[1])]


def _moved(before: ComplaintRecord, action: str, now: datetime) -> dict[str, Any]:
    values: dict[str, dict[str, Any]] = {
        "escalate": {"escalated_at": before.escalated_at or now},
        "resolve": {"resolved_at": now},
        "reopen": {"reopened": before.reopened + 1},
    }
    return values.get(action, {})
