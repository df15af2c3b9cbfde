"""Local days, by hand-made cases; ``proofs/windows`` checks random ones against the zone files."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proofs import windows, windows_reference

from returns_api.domain.calendars import (
    Unit,
    WorkingDays,
    add,
    day_end,
    find_zone,
    local_date,
    zone_names,
)

ALWAYS = WorkingDays()


def zone(name: str) -> ZoneInfo:
    found = find_zone(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "day", "over"),
    [
        ("Europe/Berlin", date(2026, 12, 6), "2026-12-06T23:00:00+00:00"),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-29T22:00:00+00:00"),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-25T23:00:00+00:00"),
        ("Asia/Kolkata", date(2026, 5, 1), "2026-05-01T18:30:00+00:00"),
        ("Australia/Lord_Howe", date(2026, 4, 5), "2026-04-05T13:30:00+00:00"),
        # the clocks go forward at midnight: the day ends at the change
        ("America/Havana", date(2026, 3, 7), "2026-03-08T05:00:00+00:00"),
        # the clocks go back from 01:00 to 00:00: the first midnight ends the day
        ("America/Havana", date(2026, 10, 31), "2026-11-01T04:00:00+00:00"),
        # the clocks go back from 24:00 to 23:00: the hour before midnight happens twice
        ("America/Asuncion", date(2024, 3, 23), "2024-03-24T04:00:00+00:00"),
        # 30 December 2011 did not happen in Apia
        ("Pacific/Apia", date(2011, 12, 29), "2011-12-30T10:00:00+00:00"),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00:00+00:00"),
    ],
)
def test_where_a_local_day_ends(name: str, day: date, over: str) -> None:
    end = day_end(day, zone(name))
    assert end is not None
    assert end.over == datetime.fromisoformat(over)
    assert end.last == end.over - timedelta(seconds=1)
    assert end.label == f"{day.isoformat()}, end of day, {name}"


@pytest.mark.parametrize(
    ("start", "amount", "unit", "result"),
    [
        (date(2026, 1, 31), 1, Unit.MONTHS, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, Unit.MONTHS, date(2028, 2, 29)),
        (date(2024, 2, 29), 1, Unit.YEARS, date(2025, 2, 28)),
        (date(2024, 2, 29), 4, Unit.YEARS, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, Unit.MONTHS, date(2027, 2, 28)),
        (date(2026, 12, 15), 12, Unit.MONTHS, date(2027, 12, 15)),
        (date(2026, 2, 27), 2, Unit.DAYS, date(2026, 3, 1)),
        (date(2026, 1, 1), 2, Unit.WEEKS, date(2026, 1, 15)),
        (date(2026, 1, 2), 1, Unit.BUSINESS_DAYS, date(2026, 1, 5)),
        (date(2026, 1, 3), 1, Unit.BUSINESS_DAYS, date(2026, 1, 5)),
        (date(2026, 1, 2), 0, Unit.BUSINESS_DAYS, date(2026, 1, 2)),
        (date(2026, 1, 2), 10, Unit.BUSINESS_DAYS, date(2026, 1, 16)),
        (date(9999, 12, 1), 29, Unit.DAYS, date(9999, 12, 30)),
        (date(9999, 12, 1), 30, Unit.DAYS, None),
        (date(9999, 12, 1), 5_000, Unit.BUSINESS_DAYS, None),
        (date(9000, 1, 1), 2_000, Unit.YEARS, None),
    ],
)
def test_periods_on_the_calendar(start: date, amount: int, unit: Unit, result: date | None) -> None:
    assert add(start, amount, unit, ALWAYS) == result


def test_holidays_and_the_weekend_of_the_shop_are_skipped() -> None:
    gulf = WorkingDays(frozenset({4, 5}), frozenset({date(2026, 1, 4)}))
    assert add(date(2026, 1, 1), 1, Unit.BUSINESS_DAYS, gulf) == date(2026, 1, 5)


def test_hours_and_negative_periods_are_no_calendar_periods() -> None:
    for amount, unit in ((1, Unit.HOURS), (-1, Unit.DAYS)):
        with pytest.raises(ValueError, match="calendar periods"):
            add(date(2026, 1, 1), amount, unit, ALWAYS)


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "../etc/passwd", "Europe", "Europe/berlin", "\0"]
)
def test_what_is_no_zone_is_none(name: str) -> None:
    assert find_zone(name) is None


def test_the_ends_of_time_do_not_raise() -> None:
    for name in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        for instant in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
            day = local_date(instant, zone(name))
            assert day_end(day, zone(name)) is None or day.year == 1


@given(st.sampled_from(sorted(zone_names())), st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_the_end_is_the_last_instant_of_the_day(name: str, day: date) -> None:
    end = day_end(day, zone(name))
    assert end is not None
    assert local_date(end.over, zone(name)) > day
    assert local_date(end.over - timedelta(microseconds=1), zone(name)) <= day


def test_the_reference_reads_dates_like_the_calendar() -> None:
    for day in (date(1970, 1, 1), date(2000, 2, 29), date(2100, 3, 1), date(9999, 12, 31)):
        number = (day - date(1970, 1, 1)).days
        assert windows_reference.civil_from_days(number) == (day.year, day.month, day.day)
        assert windows_reference.days_from_civil(day.year, day.month, day.day) == number


def test_the_proof_runs_in_small(capsys: pytest.CaptureFixture[str]) -> None:
    assert windows.main(["--cases", "60", "--seed", "7", "--json"]) == 0
    assert '"mismatches": 0' in capsys.readouterr().out
