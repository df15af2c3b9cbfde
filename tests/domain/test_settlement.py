"""What a return pays: refunds, deductions as quoted, shipping once."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from returns_api.domain.allocation import certify
from returns_api.domain.errors import Invalid
from returns_api.domain.orders import LineKind
from returns_api.domain.settlement import (
    PPM,
    Claim,
    FreightPayer,
    PartKind,
    QuotedFees,
    Terms,
    plan_settlement,
)
from tests.domain.test_allocation_orders import line, order, shipping
from tests.support.settlements import BUYER_PAYS, JACKET, amounts, settle


def test_a_quote_reads_like_the_example() -> None:
    terms = replace(BUYER_PAYS, rules={PartKind.RETURN_FREIGHT: "house"})
    assert settle([Claim("a", 1)], terms).as_dict() == {
        "total": 8410,
        "parts": [
            {
                "kind": "goods",
                "line": "a",
                "unit": 1,
                "amount": 8900,
                "of": {
                    "price": 9900,
                    "line_discount": 0,
                    "order_discount": -1000,
                    "tax_added": 0,
                    "adjustment": 0,
                    "tax_included": 1421,
                },
            },
            {
                "kind": "return_freight",
                "amount": -490,
                "because": {"rule": "house", "payer": "buyer"},
            },
        ],
    }


def test_freight_on_the_merchant_costs_the_buyer_nothing() -> None:
    terms = replace(BUYER_PAYS, freight_payer=FreightPayer.MERCHANT)
    assert amounts(settle([Claim("a", 1)], terms)) == {"goods": 8900}


def test_grade_and_restocking_come_off_their_unit() -> None:
    claims = [Claim("a", 1, deduction_ppm=200_000, because="used_worn"), Claim("a", 2)]
    settlement = settle(claims, replace(BUYER_PAYS, restocking_ppm=100_000))
    assert amounts(settlement) == {
        "goods": 17800,
        "grade_deduction": -1780,
        "restocking_fee": -1780,
        "return_freight": -490,
    }
    grade = next(part for part in settlement.parts if part.kind is PartKind.GRADE_DEDUCTION)
    assert (grade.line, grade.unit, grade.because) == ("a", 1, {"grade": "used_worn"})


@pytest.mark.parametrize(
    ("grade", "restocking", "freight", "expected"),
    [
        (PPM, 100_000, 490, {"grade_deduction": -8900, "restocking_fee": 0, "return_freight": 0}),
        (900_000, 200_000, 490, {"grade_deduction": -8010, "restocking_fee": -890}),
        (500_000, 0, 9_000, {"grade_deduction": -4450, "return_freight": -4450}),
        (0, 0, 8_901, {"return_freight": -8900}),
    ],
)
def test_deductions_are_cut_from_the_last_one_and_never_below_zero(
    grade: int, restocking: int, freight: int, expected: dict[str, int]
) -> None:
    terms = Terms(FreightPayer.BUYER, freight, restocking_ppm=restocking)
    settlement = settle([Claim("a", 1, deduction_ppm=grade)], terms)
    assert settlement.total_minor == 0
    shown = amounts(settlement)
    assert {name: shown[name] for name in expected} == expected
    cut = [part for part in settlement.parts if "cut_to" in part.because]
    assert all(part.because["cut_to"] == -part.amount_minor for part in cut)
    assert cut


def test_each_unit_has_its_own_restocking_fee() -> None:
    claims = [Claim("a", 1, restocking_ppm=200_000), Claim("a", 2)]
    assert amounts(settle(claims, Terms(restocking_ppm=100_000)))["restocking_fee"] == -2670
    claims = [Claim("a", 1, restocking_ppm=0), Claim("a", 2, restocking_ppm=50_000)]
    quote = settle(claims, Terms())
    assert amounts(quote)["restocking_fee"] == -445
    assert (quote.fees.restocking_ppm, quote.fees.restocking_minor) == (50_000, 445)
    dearer = [Claim("a", 1, restocking_ppm=0), Claim("a", 2, restocking_ppm=60_000)]
    final = settle(dearer, Terms(quoted=quote.fees))
    assert amounts(final)["restocking_fee"] == -445
    with pytest.raises(Invalid):
        settle([Claim("a", 1, restocking_ppm=PPM + 1)], Terms())


def test_what_did_not_come_earns_no_shipping() -> None:
    terms = Terms(refund_original_shipping=True)
    box = Claim("a", 1, deduction_ppm=PPM, because="empty_box", came=False)
    assert settle([box], terms).total_minor == 0
    assert amounts(settle([box, Claim("a", 2)], terms))["shipping"] == 400


def test_one_units_deductions_never_eat_another_units_refund() -> None:
    claims = [Claim("a", 1, deduction_ppm=PPM), Claim("a", 2)]
    assert settle(claims, Terms(restocking_ppm=500_000)).total_minor == 4450


def test_rates_round_in_the_buyers_favour() -> None:
    certificate = certify(order([line("a", 999)], paid=[999]))
    settlement = settle([Claim("a", 1, deduction_ppm=1_500)], Terms(), certificate)
    assert settlement.total_minor == 998


def test_original_shipping_is_refunded_net_of_its_discount() -> None:
    terms = Terms(refund_original_shipping=True)
    assert amounts(settle([Claim("a", 1)], terms)) == {"goods": 8900, "shipping": 400}


@pytest.mark.parametrize(("before", "now"), [(0, 400), (150, 250), (400, 0), (999, 0)])
def test_original_shipping_is_refunded_once(before: int, now: int) -> None:
    terms = Terms(refund_original_shipping=True, shipping_refunded={"shipping": before})
    assert amounts(settle([Claim("a", 1)], terms))["shipping"] == now


@pytest.mark.parametrize(
    ("before", "now"), [(0, [300, 300, 300]), (400, [0, 200, 300]), (650, [0, 0, 250])]
)
def test_shipping_of_several_parcels_is_refunded_from_the_last_one(
    before: int, now: list[int]
) -> None:
    parcels = line("parcels", 300, 3, kind=LineKind.SHIPPING)
    certificate = certify(order([line("a", 100), parcels, shipping(50)], paid=[1050]))
    terms = Terms(refund_original_shipping=True, shipping_refunded={"parcels": before})
    parts = [
        part
        for part in settle([Claim("a", 1)], terms, certificate).parts
        if part.kind is PartKind.SHIPPING
    ]
    assert [part.amount_minor for part in parts] == [*now, 50]
    assert [(part.line, part.unit) for part in parts] == [
        *(("parcels", number) for number in (1, 2, 3)),
        ("shipping", 1),
    ]


def test_a_fraction_of_a_minor_unit_is_not_kept_and_not_called_a_cut() -> None:
    claim = Claim("a", 1, deduction_ppm=33_333, because="used")
    parts = settle([claim], Terms(restocking_ppm=77_777)).parts
    assert [(part.kind.value, part.amount_minor, dict(part.because)) for part in parts] == [
        ("goods", 8900, {}),
        ("grade_deduction", -296, {"grade": "used"}),
        ("restocking_fee", -692, {}),
    ]
    assert all(type(part.amount_minor) is int for part in parts)
    claim = Claim("a", 1, deduction_ppm=77_777)
    quoted = QuotedFees(deduction_ppm=33_333, restocking_ppm=33_333, restocking_minor=10_000)
    parts = settle([claim], Terms(restocking_ppm=77_777, quoted=quoted)).parts
    assert [part.because for part in parts[1:]] == [{"asked": 692, "cut_to": 296}] * 2
    assert all(type(part.because["asked"]) is int for part in parts[1:])


@pytest.mark.parametrize(
    ("freight", "expected"),
    [
        (9_299, {"goods": 8900, "shipping": 400, "return_freight": -9299}),
        (9_300, {"goods": 8900, "return_freight": -8900}),
        (99_999, {"goods": 8900, "return_freight": -8900}),
    ],
)
def test_shipping_that_the_freight_would_eat_stays_due_to_a_later_return(
    freight: int, expected: dict[str, int]
) -> None:
    """What pays nothing leaves no refund, so that nobody would know that it was paid."""
    terms = replace(BUYER_PAYS, return_freight_minor=freight, refund_original_shipping=True)
    settlement = settle([Claim("a", 1)], terms)
    assert amounts(settlement) == expected
    assert settlement.fees.return_freight_minor == -expected["return_freight"]


def test_without_a_unit_due_there_is_no_shipping_and_no_freight() -> None:
    terms = replace(BUYER_PAYS, refund_original_shipping=True)
    assert settle([], terms).parts == ()
    settled = settle([Claim("a", 1, settled_by="exchange")], terms)
    assert settled.total_minor == 0
    assert [part.because for part in settled.parts] == [{"settled_by": "exchange"}]
    assert [part.of for part in settled.parts] == [JACKET.unit("a", 1)]


def test_duties_tips_and_fees_are_refunded_whole() -> None:
    certificate = certify(order([line("d", 300, kind=LineKind.DUTY), line("a", 100)], paid=[400]))
    settlement = settle([Claim("d", 1, deduction_ppm=PPM)], Terms(restocking_ppm=PPM), certificate)
    assert amounts(settlement) == {"duty": 300}


@pytest.mark.parametrize(
    ("terms", "claim", "expected"),
    [
        (BUYER_PAYS, Claim("a", 1), {"return_freight": 0}),
        (Terms(restocking_ppm=100_000), Claim("a", 1), {"restocking_fee": 0}),
        (Terms(), Claim("a", 1, deduction_ppm=300_000), {"grade_deduction": 0}),
    ],
)
def test_a_fee_that_was_not_quoted_is_never_charged(
    terms: Terms, claim: Claim, expected: dict[str, int]
) -> None:
    settlement = settle([claim], replace(terms, quoted=QuotedFees()))
    assert settlement.total_minor == 8900
    assert {name: amounts(settlement).get(name, 0) for name in expected} == expected


def test_a_fee_is_never_more_than_quoted() -> None:
    quoted = QuotedFees(300, restocking_minor=100, restocking_ppm=50_000, deduction_ppm=100_000)
    terms = replace(BUYER_PAYS, restocking_ppm=80_000, quoted=quoted)
    settlement = settle([Claim("a", 1, deduction_ppm=400_000)], terms)
    assert amounts(settlement) == {
        "goods": 8900,
        "grade_deduction": -890,
        "restocking_fee": -100,
        "return_freight": -300,
    }


def test_the_quote_binds_the_final_settlement() -> None:
    terms = replace(BUYER_PAYS, restocking_ppm=100_000, max_deduction_ppm=250_000)
    quote = settle([Claim("a", 1), Claim("a", 2)], terms)
    assert quote.fees == QuotedFees(490, 1780, 100_000, 250_000)
    later = replace(terms, return_freight_minor=900, quoted=QuotedFees(**asdict(quote.fees)))
    final = settle([Claim("a", 1)], later)
    assert amounts(final) == {"goods": 8900, "restocking_fee": -890, "return_freight": -490}


def test_a_freight_that_was_cut_in_the_quote_stays_cut() -> None:
    cheap = certify(order([line("a", 300)], paid=[300]))
    quote = settle([Claim("a", 1)], BUYER_PAYS, cheap)
    assert quote.total_minor == 0
    assert quote.fees.return_freight_minor == 300


@pytest.mark.parametrize(
    "claims",
    [
        [Claim("a", 1), Claim("a", 1)],
        [Claim("a", 0)],
        [Claim("a", 3)],
        [Claim("b", 1)],
        [Claim("shipping", 1)],
        [Claim("a", 1, deduction_ppm=-1)],
        [Claim("a", 1, deduction_ppm=PPM + 1)],
    ],
)
def test_claims_that_cannot_be_are_refused(claims: list[Claim]) -> None:
    with pytest.raises(Invalid):
        plan_settlement(JACKET, claims, Terms(), [])


def test_removed_units_cannot_be_claimed() -> None:
    certificate = certify(order([line("a", 500, 2, removed=1)], paid=[500]))
    with pytest.raises(Invalid):
        plan_settlement(certificate, [Claim("a", 2)], Terms(), [])


@pytest.mark.parametrize(
    "terms",
    [Terms(restocking_ppm=PPM + 1), Terms(return_freight_minor=-1), Terms(max_deduction_ppm=-1)],
)
def test_terms_out_of_bounds_are_refused(terms: Terms) -> None:
    with pytest.raises(Invalid):
        plan_settlement(JACKET, [Claim("a", 1)], terms, [])
