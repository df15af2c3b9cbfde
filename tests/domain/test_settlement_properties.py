"""Every settlement is bounded, in order and within its quote, whatever comes back."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.allocation import Certificate, certify
from returns_api.domain.errors import Invalid
from returns_api.domain.orders import LineKind
from returns_api.domain.settlement import (
    MAX_CLAIMS,
    Claim,
    Terms,
    plan_settlement,
)
from returns_api.domain.tenders import Tender
from tests.domain.test_allocation_orders import line, order, orders
from tests.support.settlements import all_terms, rates, settle


@given(orders().map(certify), all_terms, st.data())
def test_every_settlement_is_bounded_ordered_and_within_its_quote(
    certificate: Certificate, terms: Terms, data: st.DataObject
) -> None:
    known = [
        Claim(each, number)
        for each, number, _ in certificate.units()
        if certificate.line(each).kind is not LineKind.SHIPPING
    ][:200]
    claims = [replace(claim, deduction_ppm=data.draw(rates)) for claim in known[:5]] + known[5:]
    settlement = plan_settlement(certificate, claims, terms, [Tender("p", 1_000)])
    assert 0 <= settlement.total_minor <= certificate.paid_minor
    assert settlement.total_minor == sum(part.amount_minor for part in settlement.parts)
    moved = sum(each.amount_minor for each in settlement.transfers)
    assert moved + settlement.uncovered_minor == settlement.total_minor
    Random(7).shuffle(claims)
    assert plan_settlement(certificate, claims, terms, [Tender("p", 1_000)]) == settlement
    if terms.quoted is not None:
        assert settlement.fees.return_freight_minor <= terms.quoted.return_freight_minor
        assert settlement.fees.restocking_minor <= terms.quoted.restocking_minor


@given(orders().map(certify), all_terms, st.integers(0, 200))
def test_accepting_a_quote_and_returning_less_never_deducts_more(
    certificate: Certificate, terms: Terms, fewer: int
) -> None:
    units: list[Any] = [
        Claim(each, number)
        for each, number, _ in certificate.units()
        if certificate.line(each).kind is LineKind.GOODS
    ][:200]
    quote = plan_settlement(certificate, units, replace(terms, quoted=None), [])
    final = plan_settlement(certificate, units[fewer:], replace(terms, quoted=quote.fees), [])
    assert final.fees.return_freight_minor <= quote.fees.return_freight_minor
    assert final.fees.restocking_minor <= quote.fees.restocking_minor
    if fewer == 0:
        assert final == replace(quote, parts=final.parts)


def test_as_many_units_as_one_settlement_takes() -> None:
    many = certify(order([line("a", 1, MAX_CLAIMS + 1)], paid=[MAX_CLAIMS + 1]))
    claims = [Claim("a", number) for number in range(1, MAX_CLAIMS + 2)]
    assert settle(claims[:-1], Terms(), many).total_minor == MAX_CLAIMS
    with pytest.raises(Invalid, match="too many units"):
        settle(claims, Terms(), many)
