"""The days of a shop's zone that a question about reports is over.

Owns how a day is written, which days a question takes, and when a day begins. Refuses to own what
is counted on them (``report_sources``) and how their rows are kept (``db.report_days``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from returns_api.domain.errors import DoesNotFit, Invalid

DAYS_MAX: Final = 3_660
"""The longest time that one question may be about: ten years."""
DAYS_USUAL: Final = 30
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2099


@dataclass(frozen=True, slots=True)
class Days:
    """From ``first`` up to and without ``until``, in ``whole`` months and single days beside them.

    ``whole`` is (first of the first whole month, first of the month after the last one); both are
    ``until`` where there is none.
    """

    first: date
    until: date
    whole: tuple[date, date]

    @property
    def last(self) -> date:
        return self.until - timedelta(days=1)


def read_date(text: str, field: str) -> date:
    """``2026-11-22``.

    Raises:
        Invalid: it is no day.
        DoesNotFit: one that is too far away.
    """
    problem, refused = "a day as YYYY-MM-DD", Invalid
    try:
        if _DATE.fullmatch(text):
            found = date.fromisoformat(text)
            if _FIRST_YEAR <= found.year <= _LAST_YEAR:
                return found
            problem, refused = f"from {_FIRST_YEAR} to {_LAST_YEAR}", DoesNotFit
    except ValueError:
        pass
    raise refused(
        f"'{field}' should be {problem}.",
        errors=[{"field": field, "in": "query", "problem": problem}],
    )


def asked_days(first: date | None, last: date | None, today: date) -> Days:
    """The days of a question: up to today and thirty of them, if not said otherwise.

    Raises:
        DoesNotFit: it ends before it begins, or is longer than ``DAYS_MAX``.
    """
    last = last or max(today, first or today)
    first = first or last - timedelta(days=DAYS_USUAL - 1)
    until = last + timedelta(days=1)
    if not 0 < (until - first).days <= DAYS_MAX:
        problem = f"from 'from' to 'to' at least one day and at most {DAYS_MAX}"
        raise DoesNotFit(
            f"There should be {problem}.",
            errors=[{"field": "to", "in": "query", "problem": problem}],
        )
    begins = first if first.day == 1 else next_month(first)
    ends = until.replace(day=1)
    return Days(first, until, (begins, ends) if begins < ends else (until, until))


def next_month(day: date) -> date:
    """The first of the month after that of ``day``."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def day_of(moment: datetime, zone: str) -> date:
    """The day of a moment in a zone."""
    return moment.astimezone(ZoneInfo(zone)).date()


def bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The moments (UTC) at which a day begins and ends in a zone; 23 to 25 hours where clocks
    change."""
    begins = (datetime.combine(each, time(), ZoneInfo(zone)) for each in (day, _after(day)))
    since, until = (each.astimezone(UTC) for each in begins)
    return since, until


def _after(day: date) -> date:
    return day + timedelta(days=1)
