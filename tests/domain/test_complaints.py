"""The promised time of a complaint, by cases counted on a calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from returns_api.domain.calendars import WorkingDays
from returns_api.domain.complaints import Calendar

USUAL = WorkingDays()
FRIDAYS_OFF = WorkingDays(frozenset({4, 5}))
CLOSED = WorkingDays(holidays=frozenset({date(2026, 12, 25), date(2026, 12, 28)}))


@pytest.mark.parametrize(
    ("now", "days", "zone", "working", "until"),
    [
        ("2026-11-18T09:00", 1, "Europe/Berlin", USUAL, "2026-11-19T23:00"),
        ("2026-11-20T09:00", 3, "Europe/Berlin", USUAL, "2026-11-25T23:00"),
        ("2026-11-21T09:00", 3, "Europe/Berlin", USUAL, "2026-11-25T23:00"),
        ("2026-11-22T22:59", 1, "Europe/Berlin", USUAL, "2026-11-23T23:00"),
        ("2026-11-22T23:01", 1, "Europe/Berlin", USUAL, "2026-11-24T23:00"),
        ("2026-11-18T09:00", 2, "Asia/Riyadh", FRIDAYS_OFF, "2026-11-22T21:00"),
        ("2026-12-24T09:00", 2, "Europe/Berlin", CLOSED, "2026-12-30T23:00"),
        ("2026-10-23T09:00", 1, "Europe/Berlin", USUAL, "2026-10-26T23:00"),
        ("2026-03-27T09:00", 1, "America/New_York", USUAL, "2026-03-31T04:00"),
        ("2026-11-18T13:00", 1, "Asia/Kathmandu", USUAL, "2026-11-19T18:15"),
    ],
)
def test_a_promise_ends_with_a_business_day_of_the_place(
    now: str, days: int, zone: str, working: WorkingDays, until: str
) -> None:
    calendar = Calendar(ZoneInfo(zone), working)
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert calendar.after(moment, days) == datetime.fromisoformat(until).replace(tzinfo=UTC)
