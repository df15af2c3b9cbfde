"""Bugs that other systems had, as tables (money-cases of the design notes; the number is theirs).

Only those that pure rules decide stand here; ``tests/usecases/test_money_cases.py`` tells the rest
and names the tests of every case. Every case asserts the sum.
"""

from __future__ import annotations

import pytest

from returns_api.domain.allocation import Certificate, certify
from returns_api.domain.errors import Invalid, NothingLeftToRefund
from returns_api.domain.orders import OrderFacts
from returns_api.domain.refundable import refundable, require_refundable
from returns_api.domain.settlement import (
    Claim,
    FreightPayer,
    Settlement,
    Terms,
    plan_settlement,
)
from returns_api.domain.tenders import Tender
from tests.domain.test_allocation_orders import line, order, shipping


def claims(certificate: Certificate, line_id: str, *units: int) -> list[Claim]:
    chosen = units or range(1, certificate.line_units(line_id) + 1)
    return [Claim(line_id, unit) for unit in chosen]


def settle(
    certificate: Certificate,
    units: list[Claim],
    terms: Terms | None = None,
    tenders: tuple[Tender, ...] = (),
) -> Settlement:
    """A settlement whose parts and transfers are seen to sum up."""
    terms = Terms() if terms is None else terms
    settlement = plan_settlement(certificate, units, terms, tenders)
    sent = sum(transfer.amount_minor for transfer in settlement.transfers)
    assert sum(part.amount_minor for part in settlement.parts) == settlement.total_minor
    assert sent + settlement.uncovered_minor == settlement.total_minor
    return settlement


@pytest.mark.parametrize(
    ("captured", "reserved", "refunded", "asked", "left"),
    [
        pytest.param(100_00, 0, 99_00, 50_00, 1_00, id="1: 99 refunded of 100, then 50"),
        pytest.param(100_00, 60_00, 0, 60_00, 40_00, id="3: 60 pending of 100, another 60"),
        pytest.param(100_00, 0, 0, 101_00, 100_00, id="3: raised from 60 to 101"),
        pytest.param(4216_04, 3175_00, 1000_00, 41_05, 41_04, id="4: 3175 pending, 1000 refunded"),
    ],
)
def test_a_refund_above_what_is_left_is_refused_and_told(
    captured: int, reserved: int, refunded: int, asked: int, left: int
) -> None:
    remaining = refundable(captured, reserved, refunded, external=0, disputed=0)
    assert remaining == left
    assert reserved + refunded + remaining == captured
    with pytest.raises(NothingLeftToRefund) as caught:
        require_refundable(asked, remaining)
    assert caught.value.context["remaining"] == left
    require_refundable(left, remaining)


PRICES = {
    "6: 2 x 100, discount 20, 10 % on top": (
        order([line("a", 100_00, 2, order_discount_minor=20_00, taxes=[18_00])], paid=[198_00]),
        [99_00, 99_00],
    ),
    "7: 10 x 23.90 with 20 % inside, 25 % off": (
        order(
            [line("a", 23_90, 10, order_discount_minor=59_75, taxes=[29_88])],
            paid=[179_25],
            taxes_included=True,
        ),
        [17_92] * 5 + [17_93] * 5,
    ),
    "8: 9 x 13.9563 net, paid 125.61": (
        order([line("a", 13_96, 9)], total=125_61, paid=[125_61]),
        [13_95] * 3 + [13_96] * 6,
    ),
    "11: 3 x 89.99": (order([line("a", 89_99, 3)], paid=[269_97]), [89_99] * 3),
    "16: JPY 1000 over 3": (
        order([line("a", 334, 3, line_discount_minor=2)], paid=[1000], currency="JPY"),
        [333, 333, 334],
    ),
    "16: JPY 1000 for a set of 3, priced as one": (
        order([line("a", 0, 3)], total=1000, paid=[1000], currency="JPY"),
        [334, 333, 333],
    ),
    "16: KWD 1.000 over 3": (
        order([line("a", 334, 3)], total=1000, paid=[1000], currency="KWD"),
        [333, 333, 334],
    ),
}


@pytest.mark.parametrize(("facts", "units"), PRICES.values(), ids=PRICES)
def test_units_refund_singly_and_together_exactly_what_was_paid(
    facts: OrderFacts, units: list[int]
) -> None:
    certificate = certify(facts)
    singly = [
        settle(certificate, claims(certificate, "a", number)).total_minor
        for number in range(1, len(units) + 1)
    ]
    whole = settle(certificate, claims(certificate, "a")).total_minor
    assert singly == units
    assert sum(singly) == whole == certificate.paid_minor == facts.payments[0].captured_minor


def test_9_two_tenders_get_back_what_they_gave_for_two_units() -> None:
    certificate = certify(order([line("a", 40_00, 2)], paid=[50_00, 30_00]))
    tenders = (Tender("p1", 50_00), Tender("p2", 30_00))
    settlement = settle(certificate, claims(certificate, "a"), tenders=tenders)
    assert [each.amount_minor for each in settlement.transfers] == [50_00, 30_00]
    assert len(settlement.parts) == 2
    assert settlement.total_minor == 80_00


def test_10_five_units_in_two_returns_and_no_sixth() -> None:
    certificate = certify(order([line("a", 20_00, 5)], paid=[100_00]))
    first = settle(certificate, claims(certificate, "a", 1, 2)).total_minor
    later = settle(certificate, claims(certificate, "a", 3, 4, 5)).total_minor
    assert first + later == 100_00
    with pytest.raises(Invalid):
        settle(certificate, claims(certificate, "a", 6))


def test_11_two_of_three_received_refund_two() -> None:
    certificate = certify(order([line("a", 89_99, 3)], paid=[269_97]))
    assert settle(certificate, claims(certificate, "a", 1, 2)).total_minor == 179_98


def test_12_a_label_at_the_buyers_cost() -> None:
    certificate = certify(order([line("a", 100_00)], paid=[100_00]))
    terms = Terms(freight_payer=FreightPayer.BUYER, return_freight_minor=8_00)
    assert settle(certificate, claims(certificate, "a"), terms).total_minor == 92_00


def test_14_shipping_that_was_discounted_away_refunds_nothing() -> None:
    certificate = certify(order([line("a", 50_00), shipping(10_00, 10_00)], paid=[50_00]))
    terms = Terms(refund_original_shipping=True)
    settlement = settle(certificate, claims(certificate, "a"), terms)
    assert certificate.unit_paid("shipping", 1) == 0
    assert settlement.total_minor == 50_00


def test_15_each_line_carries_its_own_tax() -> None:
    facts = order([line("a", 100_00, taxes=[10_00]), line("b", 110_00, taxes=[11_00])])
    certificate = certify(facts)
    settlement = settle(certificate, claims(certificate, "b"))
    assert certificate.unit("b", 1).tax_added == 11_00
    assert settlement.total_minor == 121_00
    assert settlement.total_minor + certificate.unit_paid("a", 1) == facts.total_minor


def test_18_tenders_that_cover_a_part_leave_the_rest_due() -> None:
    certificate = certify(order([line("a", 100_00)], paid=[100_00]))
    settlement = settle(certificate, claims(certificate, "a"), tenders=(Tender("card", 60_00),))
    assert [each.amount_minor for each in settlement.transfers] == [60_00]
    assert settlement.uncovered_minor == 40_00


def test_23_a_return_settled_by_an_exchange_elsewhere_is_due_nothing() -> None:
    certificate = certify(order([line("a", 75_00), shipping(5_00)], paid=[80_00]))
    terms = Terms(refund_original_shipping=True)
    settlement = settle(certificate, [Claim("a", 1, settled_by="exchange")], terms)
    assert settlement.total_minor == 0
