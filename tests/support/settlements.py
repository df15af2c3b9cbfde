"""A jacket, what its return is settled by, and terms at random. Owns no assertion."""

from __future__ import annotations

from hypothesis import strategies as st

from returns_api.domain.allocation import Certificate, certify
from returns_api.domain.settlement import (
    PPM,
    Claim,
    FreightPayer,
    QuotedFees,
    Settlement,
    Terms,
    plan_settlement,
)
from returns_api.domain.tenders import Tender
from tests.domain.test_allocation_orders import line, order, shipping

BUYER_PAYS = Terms(freight_payer=FreightPayer.BUYER, return_freight_minor=490)


JACKET = certify(
    order(
        [line("a", 9900, 2, order_discount_minor=2000, taxes=[2842]), shipping(500, 100)],
        paid=[18200],
        taxes_included=True,
    )
)


def settle(claims: list[Claim], terms: Terms, certificate: Certificate = JACKET) -> Settlement:
    settlement = plan_settlement(certificate, claims, terms, [Tender("p1", 10**9)])
    assert settlement.total_minor == sum(part.amount_minor for part in settlement.parts)
    assert settlement.total_minor == sum(each.amount_minor for each in settlement.transfers)
    assert settlement.uncovered_minor == 0
    return settlement


def amounts(settlement: Settlement) -> dict[str, int]:
    """What each kind of part sums to."""
    sums: dict[str, int] = {}
    for part in settlement.parts:
        sums[part.kind.value] = sums.get(part.kind.value, 0) + part.amount_minor
    return sums


rates = st.integers(0, PPM)


fees = st.integers(0, 10**6)


all_terms = st.builds(
    Terms,
    freight_payer=st.sampled_from(FreightPayer),
    return_freight_minor=fees,
    restocking_ppm=rates,
    max_deduction_ppm=rates,
    refund_original_shipping=st.booleans(),
    quoted=st.none() | st.builds(QuotedFees, fees, fees, rates, rates),
)
