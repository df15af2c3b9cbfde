"""Which times a courier is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.pickups import windows

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(
    ("now", "zone", "first", "last"),
    [
        ("2026-03-02T12:00Z", BERLIN, "2026-03-03T08:00Z", "2026-03-04T16:00Z"),
        ("2026-03-05T12:00Z", BERLIN, "2026-03-06T08:00Z", "2026-03-09T16:00Z"),
        ("2026-03-27T12:00Z", BERLIN, "2026-03-30T07:00Z", "2026-03-31T15:00Z"),
        ("2026-03-02T23:30Z", KOLKATA, "2026-03-04T03:30Z", "2026-03-05T11:30Z"),
    ],
    ids=["the next two days", "over a weekend", "over the clock change", "half-hour zone"],
)
def test_both_parts_of_the_next_working_days(
    now: str, zone: ZoneInfo, first: str, last: str
) -> None:
    found = windows(datetime.fromisoformat(now), zone)
    assert (found[0][0], found[-1][1]) == tuple(map(datetime.fromisoformat, (first, last)))
    assert len(found) == 4


@given(
    st.integers(0, 20 * 366 * 86_400),
    st.sampled_from([BERLIN, KOLKATA, ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia")]),
)
def test_times_are_ahead_apart_and_on_working_days(seconds: int, zone: ZoneInfo) -> None:
    now = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    found = windows(now, zone)
    for starts, ends in found:
        assert now < starts < ends
        assert ends - starts == timedelta(hours=4)
        assert starts.astimezone(zone).weekday() < 5
    assert sorted(found) == list(found)
