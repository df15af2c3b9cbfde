"""Exact amounts and the two sharing rules."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.errors import Invalid
from returns_api.domain.money import (
    MAX_MINOR,
    Run,
    allocate,
    allocate_runs,
    cumulative_share,
    exponent,
    format_minor,
    to_minor,
    to_minor_rounded,
)

amounts = st.integers(-MAX_MINOR, MAX_MINOR)
currencies = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])
weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("IQD", 3)]
)
def test_exponents_are_those_of_iso_4217(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


@pytest.mark.parametrize("currency", ["", "eur", "XXX", "XAU", "XTS", "EURO", "€", "E\0R"])
def test_what_is_no_money_has_no_exponent(currency: str) -> None:
    with pytest.raises(Invalid):
        exponent(currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("0", "EUR", 0),
        ("-0.00", "EUR", 0),
        ("12", "EUR", 1200),
        ("12.5", "EUR", 1250),
        ("12.50", "EUR", 1250),
        ("12.5000", "EUR", 1250),
        ("-0.01", "EUR", -1),
        ("1000.00", "JPY", 1000),
        ("1000", "JPY", 1000),
        ("0.334", "KWD", 334),
        ("00012.30", "EUR", 1230),
        ("10000000000000.00", "EUR", MAX_MINOR),
    ],
)
def test_decimal_text_is_read_exactly(text: str, currency: str, minor: int) -> None:
    assert to_minor(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1\n",
        "+1",
        "--1",
        "1.",
        ".5",
        "1,00",
        "1_000",
        "1e3",
        "1E-2",
        "NaN",
        "-Infinity",
        "inf",
        "0x10",
        "١٢",
        "1.2.3",
        "10000000000000.01",
        "9" * 4_000,
        "0." + "0" * 4_000,
        "1\0",
    ],
)
def test_what_is_not_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        to_minor(text, "EUR")
    with pytest.raises(Invalid):
        to_minor_rounded(text, "EUR")


@pytest.mark.parametrize(
    ("text", "currency"), [("0.001", "EUR"), ("1000.5", "JPY"), ("13.9563", "EUR")]
)
def test_digits_below_the_minor_unit_are_refused_when_exactness_is_asked(
    text: str, currency: str
) -> None:
    with pytest.raises(Invalid):
        to_minor(text, currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor", "exact"),
    [
        ("13.9563", "EUR", 1396, False),
        ("13.9549", "EUR", 1395, False),
        ("0.005", "EUR", 1, False),
        ("-0.005", "EUR", -1, False),
        ("0.004999", "EUR", 0, False),
        ("1.999", "EUR", 200, False),
        ("1.990", "EUR", 199, True),
        ("0.5", "JPY", 1, False),
    ],
)
def test_rounding_is_half_away_from_zero_and_says_so(
    text: str, currency: str, minor: int, exact: bool
) -> None:
    rounded = to_minor_rounded(text, currency)
    assert (rounded.minor, rounded.exact) == (minor, exact)


@given(amounts, currencies)
def test_printing_and_reading_are_inverse(minor: int, currency: str) -> None:
    assert to_minor(format_minor(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(5, "EUR", "0.05"), (-5, "EUR", "-0.05"), (1000, "JPY", "1000"), (-1, "KWD", "-0.001")],
)
def test_amounts_print_with_all_their_digits(minor: int, currency: str, text: str) -> None:
    assert format_minor(minor, currency) == text


@pytest.mark.parametrize(
    ("total", "by", "parts"),
    [
        (1000, [1, 1, 1], (334, 333, 333)),
        (1001, [1, 1, 1], (334, 334, 333)),
        (-1000, [1, 1, 1], (-334, -333, -333)),
        (10, [0, 5, 0], (0, 10, 0)),
        (7, [0, 0, 0], (3, 2, 2)),
        (100, [1, 2, 3], (17, 33, 50)),
        (1, [1, 2], (0, 1)),
        (0, [3, 4], (0, 0)),
        (0, [], ()),
    ],
)
def test_a_whole_is_cut_by_largest_remainder(
    total: int, by: list[int], parts: tuple[int, ...]
) -> None:
    assert allocate(total, by) == parts


@given(amounts, weights)
def test_parts_sum_to_the_whole_and_stay_within_one_of_their_share(
    total: int, by: list[int]
) -> None:
    parts = allocate(total, by)
    effective = by if any(by) else [1] * len(by)
    assert sum(parts) == total
    for part, weight in zip(parts, effective, strict=True):
        share = Fraction(total * weight, sum(effective))
        assert abs(part - share) < 1
        assert weight or not part


@given(st.integers(-(10**6), 10**6), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_runs_are_cut_like_their_units(total: int, by: list[tuple[int, int]]) -> None:
    runs = [Run(count, each) for count, each in by]
    units = [run.each for run in runs for _ in range(run.count)]
    if not units and total:
        with pytest.raises(ValueError, match="nothing to allocate to"):
            allocate_runs(total, runs)
        return
    cut = [run.each for run in allocate_runs(total, runs) for _ in range(run.count)]
    assert tuple(cut) == allocate(total, units)
    assert all(run.count for run in allocate_runs(total, runs))


@pytest.mark.parametrize("runs", [[Run(1, -1), Run(1, 5)], [Run(-1, 1), Run(3, 1)]])
def test_negative_weights_are_a_mistake_of_the_caller(runs: list[Run]) -> None:
    with pytest.raises(ValueError, match="negative"):
        allocate_runs(10, runs)


@given(amounts, st.lists(st.integers(0, 1_000), min_size=1).filter(any))
def test_steps_of_a_cumulative_share_sum_to_the_whole(total: int, steps: list[int]) -> None:
    done, given_out, whole = 0, 0, sum(steps)
    for step in steps:
        done += step
        now = cumulative_share(total, done, whole)
        assert abs(given_out) <= abs(now) <= Fraction(abs(total) * done, whole)
        given_out = now
    assert given_out == total


@pytest.mark.parametrize(("done", "whole"), [(-1, 3), (4, 3), (0, 0)])
def test_a_cumulative_share_needs_a_fraction_of_a_whole(done: int, whole: int) -> None:
    with pytest.raises(
        ValueError, match=r"^the weight done must lie between zero and a positive whole$"
    ):
        cumulative_share(10, done, whole)
