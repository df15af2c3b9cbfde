"""Where a certificate stops: what is refused and in which words, what is flagged and how much."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from returns_api.domain.allocation import Certificate, FlagCode, certify
from returns_api.domain.allocation.certify import MAX_LINES, MAX_QUANTITY
from returns_api.domain.errors import Invalid
from returns_api.domain.money import MAX_MINOR, allocate
from returns_api.domain.orders import OrderFacts, TaxFacts
from tests.domain.test_allocation_orders import line, order, payment, shipping


def flags(certificate: Certificate) -> list[tuple[str, int, str | None]]:
    return [(flag.code.value, flag.amount_minor, flag.line) for flag in certificate.flags]


AT_THE_BOUND: dict[str, OrderFacts] = {
    "as many lines": order([line(f"l{number}", 1) for number in range(MAX_LINES)]),
    "as many units": order([line("a", 1, MAX_QUANTITY)]),
    "as dear": order([line("a", MAX_MINOR)]),
    "as much off": order([line("a", MAX_MINOR, line_discount_minor=MAX_MINOR)]),
    "as much paid": order([line("a", 5)], 5, [payment(MAX_MINOR)]),
}


@pytest.mark.parametrize("facts", AT_THE_BOUND.values(), ids=AT_THE_BOUND)
def test_a_bound_itself_is_certified(facts: OrderFacts) -> None:
    assert certify(facts).paid_minor == (MAX_MINOR if facts.payments else facts.total_minor)


REFUSED: dict[str, tuple[OrderFacts, str]] = {
    "lines": (
        order([line(f"l{number}", 1) for number in range(MAX_LINES + 1)]),
        f"more than {MAX_LINES} lines",
    ),
    "ids": (order([line("a", 1), line("a", 1)]), "two lines with the same id"),
    "units": (order([line("a", 1, MAX_QUANTITY + 1)]), "line a: quantity out of bounds"),
    "price": (order([line("a", MAX_MINOR + 1)], 1), "line a: amount out of bounds"),
    "tax": (order([line("a", 1, taxes=[-MAX_MINOR - 1])], 1), "line a: amount out of bounds"),
    "total": (order([line("a", 1)], MAX_MINOR + 1), "total or payment out of bounds"),
    "payment": (
        order([line("a", 1)], 1, [payment(MAX_MINOR + 1)]),
        "total or payment out of bounds",
    ),
}


@pytest.mark.parametrize(("facts", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_lies_beyond_is_named(facts: OrderFacts, problem: str) -> None:
    with pytest.raises(Invalid) as refused:
        certify(facts)
    assert refused.value.detail == f"The order cannot be certified: {problem}."
    assert refused.value.context["errors"] == [{"field": "lines", "message": problem}]


def test_every_problem_of_an_order_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        certify(order([line("a", MAX_MINOR + 1, -1), line("a", 1)], MAX_MINOR + 1))
    named = (
        "two lines with the same id",
        "line a: quantity out of bounds",
        "line a: amount out of bounds",
        "total or payment out of bounds",
    )
    errors = [{"field": "lines", "message": message} for message in named]
    assert refused.value.context["errors"] == errors


FLAGGED: list[tuple[OrderFacts, list[tuple[str, int, str | None]]]] = [
    (order([line("a", 10)], paid=[10]), []),
    (order([line("a", 0)], paid=[0]), []),
    (order([line("a", 10, line_discount_minor=10)], 0, [0]), []),
    (
        order([line("a", 10, line_discount_minor=8, order_discount_minor=3)], 0, [0]),
        [("discount_above_price", 1, "a")],
    ),
    (
        order([line("a", 10, order_discount_minor=-4)], 10, [10]),
        [("negative_amount", -4, "a")],
    ),
    (order([line("a", -10)], 0, [0]), [("negative_amount", -10, "a")]),
    (order([line("a", 10, taxes=[10])], paid=[10], taxes_included=True), []),
    (
        order([line("a", 10, taxes=[11])], paid=[10], taxes_included=True),
        [("tax_above_price", 1, "a")],
    ),
    (order([line("a", 10, taxes=[11])], paid=[21]), []),
    (
        order([line("a", 10)], 12, [10]),
        [("total_differs_from_parts", 2, None), ("paid_differs_from_total", -2, None)],
    ),
    (
        order([line("a", 10)], 10, [11]),
        [("paid_differs_from_total", 1, None), ("residue", 1, None)],
    ),
    (order([line("a", 10)]), [("no_payment_facts", 10, None)]),
    (
        order([], 0, [payment(-1)]),
        [
            ("negative_amount", -1, None),
        ],
    ),
]


@pytest.mark.parametrize(("facts", "expected"), FLAGGED)
def test_a_contradiction_is_flagged_to_the_minor_unit(
    facts: OrderFacts, expected: list[tuple[str, int, str | None]]
) -> None:
    assert flags(certify(facts)) == expected


def test_what_was_negative_counts_as_nothing() -> None:
    certificate = certify(order([line("a", -10, 2), line("b", 7)], 7, [7]))
    assert [parts.paid for _, _, parts in certificate.units()] == [0, 0, 7]
    assert flags(certificate) == [("negative_amount", -10, "a")]


def test_a_tax_keeps_its_rate_and_a_removed_unit_has_none_of_it() -> None:
    taxes = (TaxFacts("VAT", 4, "0.19"), TaxFacts("City", 2, None))
    certificate = certify(order([line("a", 10, 2, taxes=taxes, removed=1)], 13, [13]))
    made = certificate.line("a")
    assert [(tax.title, tax.rate, tax.amount_minor) for tax in made.taxes] == [
        ("VAT", "0.19", 4),
        ("City", None, 2),
    ]
    assert made.unit(1).taxes == (2, 1)
    gone = made.unit(2)
    assert (gone.paid, gone.taxes) == (0, (0, 0))


def test_no_run_is_empty() -> None:
    """A run counts at least one unit, so that who walks over the runs meets every unit once."""
    whole = certify(order([line("a", 10, 3), line("b", 7, 0), shipping(5)], paid=[35]))
    edited = certify(order([line("a", 10, 3, removed=3), line("b", 7, 3, removed=1)], 14, [14]))
    for certificate in (whole, edited):
        assert all(run.count > 0 for each in certificate.lines for run in each.runs)
    assert [len(each.runs) for each in edited.lines] == [0, 1]


def test_a_line_or_unit_that_is_not_there_is_named() -> None:
    certificate = certify(order([line("a", 10)], paid=[10]))
    for asked, name, text in (
        (lambda: certificate.line("b"), "line", "The order has no line b."),
        (lambda: certificate.unit("a", 2), "unit", "Line a has no unit 2."),
        (lambda: certificate.unit("a", 0), "unit", "Line a has no unit 0."),
    ):
        with pytest.raises(Invalid) as refused:
            asked()
        assert refused.value.detail == text
        assert refused.value.context["errors"] == [{"field": name, "message": text}]


CHANGES: list[dict[str, Any]] = [
    {"captured_minor": 11},
    {"released_minor": 1},
    {"unallocated_minor": 1},
    {"lines": ()},
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_certificate_that_does_not_add_up_cannot_be_built(change: dict[str, Any]) -> None:
    certificate = certify(order([line("a", 10)], paid=[10]))
    with pytest.raises(ValueError, match=r"^the certificate does not add up$"):
        replace(certificate, **change)


def test_the_residue_goes_to_the_goods_first() -> None:
    certificate = certify(order([line("a", 10), shipping(5)], 12, [12]))
    assert [parts.adjustment for _, _, parts in certificate.units()] == [-3, 0]
    beyond = certify(order([line("a", 10), shipping(5)], 3, [3]))
    assert [parts.adjustment for _, _, parts in beyond.units()] == [-10, -2]
    assert FlagCode.RESIDUE.value in {code for code, _, _ in flags(beyond)}


def test_a_share_is_of_its_own_weight() -> None:
    assert allocate(0, [1, 2]) == (0, 0)
    assert allocate(1, [0, 5, 5]) == (0, 1, 0)
    assert allocate(-3, [1, 1]) == (-2, -1)
    with pytest.raises(ValueError, match=r"^nothing to allocate to$"):
        allocate(1, [])
    with pytest.raises(ValueError, match=r"^weights and counts must not be negative$"):
        allocate(1, [2, -1])
