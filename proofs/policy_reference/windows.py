"""Until when a window is open: where it begins, how long it is, which zone its days are of."""

from __future__ import annotations

from datetime import date
from typing import Any

from proofs.policy_reference.plain import Plain, instant, many

from returns_api.domain.calendars import Unit, WorkingDays, add, day_end, find_zone, local_date

STARTS = ["delivered", "fulfilled + 7 days"]
EVENTS = {"delivered": "delivered_at", "fulfilled": "fulfilled_at", "placed": "placed_at"}


def end_of(document: Plain, window: str, starts: Any, extend: str | None, facts: Plain) -> Any:
    """The first instant too late, or None for no end."""
    zone = zone_of(document, facts)
    if window == "unlimited":
        return None
    if window.startswith("until "):
        day: date | None = date.fromisoformat(window[6:])
    else:
        begun = _begin(document, starts, facts)
        if begun is None:
            return None
        day = _later(begun, window)
    if day is None:
        return None
    if extend is not None:
        day = max(day, date.fromisoformat(extend))
    end = day_end(day, zone)
    return end.over if end else None


def zone_of(document: Plain, facts: Plain) -> Any:
    own = find_zone(document["timezone"])
    if document.get("day_ends") == "buyer" and facts["buyer_timezone"]:
        return find_zone(facts["buyer_timezone"]) or own
    return own


def _begin(document: Plain, starts: Any, facts: Plain) -> date | None:
    for item in many(starts):
        event, _, plus = item.partition(" + ")
        happened = instant(facts[EVENTS[event]])
        if happened is not None:
            day = local_date(happened, zone_of(document, facts))
            return _later(day, plus) if plus else day
    return None


def _later(day: date, period: str) -> date | None:
    number, _, unit = period.partition(" ")
    word = unit if unit.endswith("s") else f"{unit}s"
    return add(day, int(number), Unit(word), WorkingDays())


def latest(ends: list[Any]) -> Any:
    """No end is later than every end."""
    return None if any(end is None for end in ends) else max(ends)
