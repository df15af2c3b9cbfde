"""Local days: where a day of a time zone ends, and what N days, months or business days later is.

Owns every computation that mixes instants with calendar days. A window of N days is inclusive: an
event on local day D leaves the buyer until the last instant of local day D+N, whatever the clocks
do in between. Refuses to own clocks (instants come in) and the choice of zone.

Instants are aware datetimes and come out in UTC. The zone data are always those of the ``tzdata``
package, never the machine's, so that two machines with the same lock file agree. Year 9999 is the
end of time: what would lie beyond has no end.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

LAST_DAY: Final = date(9999, 12, 30)
"""The last day whose end can be written as an instant in every zone."""

MAX_BUSINESS_DAYS: Final = 5_000
"""Bound of the only loop here; some twenty years of working days."""

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)


class Unit(StrEnum):
    """What a period is counted in. Hours are elapsed time, all others are local calendar days."""

    HOURS = "hours"
    DAYS = "days"
    BUSINESS_DAYS = "business days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """Which days are business days: not in ``weekend`` (0 = Monday) and not a holiday."""

    weekend: frozenset[int] = frozenset({5, 6})
    holidays: frozenset[date] = frozenset()

    def is_open(self, day: date) -> bool:
        """Whether ``day`` counts."""
        return day.weekday() not in self.weekend and day not in self.holidays


@dataclass(frozen=True, slots=True)
class DayEnd:
    """The end of one local day: ``over`` is the first instant after it, ``last`` its last second.

    ``label`` is what a person reads: ``2026-12-06, end of day, Europe/Berlin``.
    """

    over: datetime
    last: datetime
    label: str


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name, or None where there is no such zone."""
    if name not in zone_names():
        return None
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """All IANA names, links included."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day in ``zone`` at ``instant``."""
    try:
        return instant.astimezone(zone).date()
    except OverflowError:  # within a day of the ends of time
        return instant.date()


def add(start: date, amount: int, unit: Unit, working: WorkingDays) -> date | None:
    """The day that lies ``amount`` units after ``start``; None beyond the end of the calendar.

    The day of ``start`` itself is not counted. A month or year later that does not exist falls on
    the last day of that month (31 January + 1 month is 28 or 29 February), as in Regulation
    (EEC, Euratom) 1182/71, article 3(2)(c). Raises ``ValueError`` for hours and negative amounts.
    """
    if amount < 0 or unit is Unit.HOURS:
        raise ValueError("calendar periods are not negative and not in hours")
    try:
        if unit is Unit.DAYS:
            result = start + timedelta(days=amount)
        elif unit is Unit.WEEKS:
            result = start + timedelta(weeks=amount)
        elif unit is Unit.BUSINESS_DAYS:
            result = _add_business_days(start, amount, working)
        else:
            result = _add_months(start, amount * (12 if unit is Unit.YEARS else 1))
    except (OverflowError, ValueError):
        return None
    return result if result <= LAST_DAY else None


def _add_months(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def _add_business_days(start: date, amount: int, working: WorkingDays) -> date:
    """Zero business days after a closed day is still that day; the count begins the day after."""
    day = start
    if amount > MAX_BUSINESS_DAYS or len(working.weekend) >= 7:
        raise OverflowError("no such business day")
    for _ in range(amount):
        day += _DAY
        while not working.is_open(day):
            day += _DAY
    return day


@lru_cache(maxsize=16_384)
def day_end(day: date, zone: ZoneInfo) -> DayEnd | None:
    """Where the local ``day`` ends in ``zone``; None beyond the end of the calendar.

    ``over`` is the smallest instant from which on no instant has a local date of ``day`` or
    earlier. Midnight may be skipped or happen twice: a skipped one ends the day at the change of
    the clocks, and of two midnights the one ends it that no instant of ``day`` follows.
    """
    if day > LAST_DAY:
        return None
    try:
        over = _first_instant_after(day, zone)
    except OverflowError:
        return None
    return DayEnd(over, over - _SECOND, f"{day.isoformat()}, end of day, {zone.key}")


def _first_instant_after(day: date, zone: ZoneInfo) -> datetime:
    midnight = datetime.combine(day + _DAY, time(), zone)
    first = midnight.astimezone(UTC)
    second = midnight.replace(fold=1).astimezone(UTC)
    if second == first:
        return first
    if second > first:  # midnight happens twice: does the day go on between the two?
        return second if local_date(second - _SECOND, zone) <= day else first
    # Midnight is skipped: the clocks change after ``second`` and not later than ``first``.
    low, high = second, first
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if local_date(middle, zone) > day:
            high = middle
        else:
            low = middle
    return high
