"""The certificate, case by case: rules and contradictions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from returns_api.domain.allocation import (
    MAX_QUANTITY,
    Basis,
    Certificate,
    FlagCode,
    UnitParts,
    certify,
)
from returns_api.domain.errors import Invalid
from returns_api.domain.money import MAX_MINOR
from returns_api.domain.orders import LineKind, TaxFacts
from tests.domain.test_allocation_orders import line, order, payment, shipping


def paid_by_unit(certificate: Certificate, line_id: str) -> list[int]:
    return [parts.paid for _, parts in certificate.line(line_id).units()]


def flags(certificate: Certificate) -> dict[str, int]:
    return {flag.code.value: flag.amount_minor for flag in certificate.flags}


def test_each_unit_carries_its_share_of_everything() -> None:
    facts = order(
        [line("a", 1000, 3, line_discount_minor=100, order_discount_minor=200, taxes=[27, 14])],
        paid=[2741],
    )
    certificate = certify(facts)
    assert [parts for _, parts in certificate.line("a").units()] == [
        UnitParts(1000, -34, -66, 0, 14, 0, (9, 5)),
        UnitParts(1000, -33, -67, 0, 14, 0, (9, 5)),
        UnitParts(1000, -33, -67, 0, 13, 0, (9, 4)),
    ]
    assert sum(paid_by_unit(certificate, "a")) == certificate.paid_minor == 2741
    assert certificate.flags == ()
    assert certificate.basis is Basis.PAYMENTS


def test_included_taxes_are_told_and_not_added() -> None:
    certificate = certify(
        order([line("a", 1190, 2, taxes=[380])], paid=[2380], taxes_included=True)
    )
    assert certificate.unit("a", 1) == UnitParts(1190, 0, 0, 190, 0, 0, (190,))
    assert certificate.unit_paid("a", 2) == 1190


def test_discounts_never_take_one_unit_below_zero() -> None:
    certificate = certify(
        order([line("a", 1, 3, line_discount_minor=1, order_discount_minor=2)], paid=[0])
    )
    assert paid_by_unit(certificate, "a") == [0, 0, 0]


def test_shipping_duties_tips_and_fees_are_lines_of_their_own() -> None:
    lines = [
        line("a", 1000),
        shipping(500, 200),
        *(line(kind, 70, kind=kind) for kind in (LineKind.DUTY, LineKind.TIP, LineKind.FEE)),
    ]
    certificate = certify(order(lines, paid=[1510]))
    assert [each.paid_minor for each in certificate.lines] == [1000, 300, 70, 70, 70]


def test_without_payments_the_total_stands_for_what_was_paid() -> None:
    certificate = certify(order([line("a", 500, 2)]))
    assert certificate.basis is Basis.TOTAL
    assert flags(certificate) == {"no_payment_facts": 1000}
    assert certificate.paid_minor == 1000


def test_several_tenders_are_summed() -> None:
    assert certify(order([line("a", 4000, 2)], paid=[5000, 3000])).captured_minor == 8000


def test_cash_rounding_is_spread_over_the_goods_only() -> None:
    certificate = certify(order([line("a", 333, 3), shipping(500)], total=1499, paid=[1500]))
    assert [parts.adjustment for _, _, parts in certificate.units()] == [1, 0, 0, 0]
    assert flags(certificate) == {"residue": 1, "paid_differs_from_total": 1}


@pytest.mark.parametrize(
    ("captured", "goods", "freight"),
    [(1600, [734, 366], 500), (1400, [600, 300], 500), (300, [0, 0], 300), (0, [0, 0], 0)],
)
def test_the_residue_never_takes_a_unit_below_zero(
    captured: int, goods: list[int], freight: int
) -> None:
    facts = order([line("a", 667), line("b", 333), shipping(500)], paid=[captured])
    certificate = certify(facts)
    assert [certificate.unit_paid("a", 1), certificate.unit_paid("b", 1)] == goods
    assert certificate.unit_paid("shipping", 1) == freight
    assert certificate.residue_minor == captured - 1500


def test_an_order_of_services_alone_spreads_its_residue_over_them() -> None:
    certificate = certify(order([line("tip", 500, kind=LineKind.TIP)], paid=[510]))
    assert certificate.unit_paid("tip", 1) == 510


def test_free_goods_share_an_unexplained_payment_equally() -> None:
    assert paid_by_unit(certify(order([line("a", 0, 3)], paid=[10])), "a") == [4, 3, 3]


def test_money_without_units_is_told_and_not_lost() -> None:
    certificate = certify(order([line("a", 500, 0)], total=700, paid=[700]))
    assert certificate.unallocated_minor == 700
    assert flags(certificate)["nothing_to_refund_against"] == 700


def test_units_removed_before_payment_share_nothing() -> None:
    certificate = certify(order([line("a", 500, 3, removed=1)], total=1000, paid=[1000]))
    assert paid_by_unit(certificate, "a") == [500, 500]
    assert certificate.unit_paid("a", 3) == 0
    assert certificate.line_units("a") == 2
    assert certificate.flags == ()


def test_units_removed_after_payment_release_their_cost() -> None:
    certificate = certify(order([line("a", 500, 3, removed=1)], total=1500, paid=[1500]))
    assert paid_by_unit(certificate, "a") == [500, 500]
    assert (certificate.captured_minor, certificate.released_minor) == (1500, 500)
    assert flags(certificate) == {"removed_units_were_paid": 500}


def test_only_what_exceeds_the_rest_is_released() -> None:
    """A payment that was captured in part before the edit, and rounding on top."""
    facts = order([line("a", 500, 3, removed=1)], paid=[1200])
    assert certify(facts).released_minor == 200
    above = certify(replace(facts, payments=(payment(1503),)))
    assert (above.released_minor, above.residue_minor) == (500, 3)


def test_a_payment_in_another_currency_is_left_out() -> None:
    facts = order([line("a", 500)], paid=[payment(500), payment(900, "p2", "USD")])
    certificate = certify(facts)
    assert certificate.captured_minor == 500
    assert flags(certificate) == {"payment_in_other_currency": 900}


@pytest.mark.parametrize(
    ("changes", "code", "amount"),
    [
        ({"line_discount_minor": 1100}, FlagCode.DISCOUNT_ABOVE_PRICE, 100),
        ({"line_discount_minor": 600, "order_discount_minor": 600}, "discount_above_price", 200),
        ({"line_discount_minor": -5}, FlagCode.NEGATIVE_AMOUNT, -5),
        ({"unit_price_minor": -1000}, FlagCode.NEGATIVE_AMOUNT, -1000),
        ({"taxes": (TaxFacts("VAT", -7),)}, FlagCode.NEGATIVE_AMOUNT, -7),
        ({"taxes": (TaxFacts("VAT", 1007),)}, FlagCode.TAX_ABOVE_PRICE, 7),
    ],
)
def test_impossible_amounts_are_flagged_with_their_line(
    changes: dict[str, Any], code: str, amount: int
) -> None:
    facts = order([replace(line("a", 1000), **changes)], total=0, paid=[0], taxes_included=True)
    certificate = certify(facts)
    assert (code, amount, "a") in [(f.code, f.amount_minor, f.line) for f in certificate.flags]
    assert certificate.unit_paid("a", 1) == 0


def test_a_negative_payment_counts_as_nothing() -> None:
    certificate = certify(order([line("a", 500)], paid=[-20]))
    assert certificate.paid_minor == 0
    assert flags(certificate)["negative_amount"] == -20


@pytest.mark.parametrize(
    "facts",
    [
        order([line("a", 1), line("a", 2)]),
        order([line("a", 1, -1)]),
        order([line("a", 1, MAX_QUANTITY + 1)]),
        order([line("a", MAX_MINOR + 1)]),
        order([line("a", 1, taxes=[MAX_MINOR + 1])]),
        order([line("a", 1)], total=MAX_MINOR + 1),
        order([line("a", 1)], paid=[MAX_MINOR + 1]),
        order([line(str(number), 1) for number in range(5_001)]),
        order([line("a", 1)], currency="XXX"),
    ],
)
def test_what_no_arithmetic_can_repair_is_refused(facts: Any) -> None:
    with pytest.raises(Invalid) as caught:
        certify(facts)
    assert caught.value.context["errors"]


def test_unknown_lines_and_units_are_named() -> None:
    certificate = certify(order([line("a", 1, 2)]))
    assert certificate.has_line("a")
    assert not certificate.has_line("b")
    for line_id, unit_no in (("b", 1), ("a", 0), ("a", 3), ("a", -1)):
        with pytest.raises(Invalid, match=line_id):
            certificate.unit(line_id, unit_no)
