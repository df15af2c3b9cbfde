"""Scalar values: read, written, read again."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.calendars import Unit
from returns_api.domain.policy.values import (
    Amount,
    BadValue,
    Duration,
    closest,
    read_amount,
    read_date,
    read_duration,
    read_elapsed,
    read_ppm,
    write_ppm,
)


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("30 days", 30, Unit.DAYS),
        ("1 day", 1, Unit.DAYS),
        ("48 hours", 48, Unit.HOURS),
        ("10 business days", 10, Unit.BUSINESS_DAYS),
        ("3 working days", 3, Unit.BUSINESS_DAYS),
        ("2 weeks", 2, Unit.WEEKS),
        ("6 Months", 6, Unit.MONTHS),
        ("2years", 2, Unit.YEARS),
    ],
)
def test_periods_are_read(text: str, amount: int, unit: Unit) -> None:
    assert read_duration(text) == Duration(amount, unit)


@given(st.integers(0, 5_000), st.sampled_from(Unit))
def test_a_period_that_is_written_reads_the_same(amount: int, unit: Unit) -> None:
    duration = Duration(amount, unit)
    assert read_duration(str(duration)) == duration


@pytest.mark.parametrize("raw", [30, "30", "days", "-3 days", "3.5 days", "99999 days", None, True,
                                 "5001 business days", "30 fortnights", ["30 days"]])  # fmt: skip
def test_other_periods_are_refused_with_a_suggestion(raw: object) -> None:
    with pytest.raises(BadValue) as caught:
        read_duration(raw)
    assert caught.value.suggestion


def test_elapsed_periods_have_a_fixed_length() -> None:
    assert read_elapsed("2 weeks").seconds == 1_209_600
    with pytest.raises(BadValue, match="no fixed length"):
        read_elapsed("1 month")


@given(st.integers(0, 1_000_000))
def test_shares_keep_every_part_per_million(ppm: int) -> None:
    assert read_ppm(write_ppm(ppm)) == ppm


@pytest.mark.parametrize("raw", ["130%", "100.0001%", "-5%", "30", 30, Decimal("0.3"), "x%", "1e2%",
                                 "٣%", None])  # fmt: skip
def test_nonsense_percentages_are_refused(raw: object) -> None:
    with pytest.raises(BadValue):
        read_ppm(raw)


def test_amounts_are_exact_and_count_in_the_home_currency() -> None:
    amount = read_amount(Decimal("4.90"))
    assert amount.minor("EUR", "EUR") == 490
    assert amount.minor("GBP", "EUR") is None
    assert read_amount(0).minor("GBP", "EUR") == 0
    several = read_amount({"EUR": Decimal("4.90"), "JPY": 800, "KWD": "1.234"})
    assert [several.minor(code, "EUR") for code in ("EUR", "JPY", "KWD", "GBP")] == [
        490, 800, 1234, None,
    ]  # fmt: skip
    assert several.problem("EUR") is None
    assert read_amount("4.905").problem("EUR") == "4.905 has more digits than EUR has (2)."


@pytest.mark.parametrize("raw", [-1, "-4.90", "4,90", "1e3", True, None, [], {}, {"EURO": 1},
                                 {"XAU": 1}, "9" * 13, 10**12])  # fmt: skip
def test_what_is_no_amount_is_refused(raw: object) -> None:
    with pytest.raises(BadValue):
        read_amount(raw)


@pytest.mark.parametrize("raw", ["2026-02-29", "2026-13-01", "26-01-01", 20260101, "2026-1-1"])
def test_days_that_do_not_exist_are_refused(raw: object) -> None:
    with pytest.raises(BadValue):
        read_date(raw)


def test_amounts_are_written_as_read() -> None:
    assert read_amount(read_amount("4.90").written()) == Amount(Decimal("4.90"))
    several = read_amount({"GBP": "4.50", "EUR": "4.90"})
    assert read_amount(several.written()) == several


def test_a_suggestion_is_close() -> None:
    assert closest("resolutons", ("resolutions", "refuse")) == "resolutions"
    assert closest("zzz", ("resolutions",)) is None


@pytest.mark.parametrize(
    ("raw", "meant"),
    [("2026-02-30", "2026-02-28"), ("2026-13-01", "2026-12-01"), ("2026-00-00", "2026-01-01"),
     ("2028-02-31", "2028-02-29"), ("0000-01-01", "0001-01-01")],
)  # fmt: skip
def test_a_day_that_does_not_exist_is_answered_with_one_that_does(raw: str, meant: str) -> None:
    with pytest.raises(BadValue) as caught:
        read_date(raw)
    assert caught.value.suggestion == f"Write {meant}."
