"""When a window ends for one case.

Owns the step from "30 days from delivery" to an instant, with the event it was counted from.
Refuses to own calendars (``domain.calendars``) and whether an end matters (``evaluate``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from returns_api.domain.calendars import WorkingDays, add, day_end, local_date
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.term_values import Starts, Window
from returns_api.domain.policy.vocabulary import StartEvent

FACT_OF: Final = {
    StartEvent.DELIVERED: "delivered_at",
    StartEvent.FULFILLED: "fulfilled_at",
    StartEvent.PLACED: "placed_at",
}

NOT_BEGUN: Final = "not begun"
NO_END: Final = "no end"


@dataclass(frozen=True, slots=True)
class Begin:
    """The local day a window is counted from, and the event behind it; None = nothing known yet."""

    day: date | None
    event: StartEvent | None


@dataclass(frozen=True, slots=True)
class End:
    """The end of a window. ``over`` is the first instant too late; None = there is no end (yet)."""

    over: datetime | None
    last: datetime | None
    label: str


_NOT_BEGUN: Final = End(None, None, NOT_BEGUN)
_NO_END: Final = End(None, None, NO_END)


def begin(starts: Starts, facts: Facts, zone: ZoneInfo, working: WorkingDays) -> Begin:
    """The first event of ``starts`` that is known, as a local day."""
    for item in starts.items:
        instant: datetime | None = getattr(facts, FACT_OF[item.event])
        if instant is None:
            continue
        day: date | None = local_date(instant, zone)
        if item.plus is not None and day is not None:
            day = add(day, item.plus.amount, item.plus.unit, working)
        return Begin(day, item.event)
    return Begin(None, None)


def end_of(
    window: Window, started: Begin, extend_to: date | None, zone: ZoneInfo, working: WorkingDays
) -> End:
    """Where ``window`` ends, not before the end of ``extend_to``."""
    day = window.until
    if window.period is not None:
        if started.event is None:
            return _NOT_BEGUN
        day = started.day and add(started.day, window.period.amount, window.period.unit, working)
    if day is None:
        return _NO_END
    if extend_to is not None and extend_to > day:
        day = extend_to
    end = day_end(day, zone)
    return End(end.over, end.last, end.label) if end else _NO_END


def later(one: End, other: End) -> bool:
    """Whether ``one`` ends after ``other``; no end is later than any."""
    if one.over is None or other.over is None:
        return one.over is None and other.over is not None
    return one.over > other.over
