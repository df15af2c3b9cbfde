"""What holds for every order: the units sum to what was paid, however they come back."""

from __future__ import annotations

import json
from fractions import Fraction
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.allocation import Basis, Certificate, certify, from_json, to_json
from returns_api.domain.orders import LineKind, OrderFacts
from returns_api.domain.settlement import Claim, Terms, plan_settlement
from tests.domain.test_allocation_orders import orders

certificates = orders().map(certify)


@given(orders())
def test_the_units_sum_to_what_was_paid(facts: OrderFacts) -> None:
    certificate = certify(facts)
    units = [parts.paid for _, _, parts in certificate.units()]
    ours = [each.captured_minor for each in facts.payments]
    assert certificate.basis is (Basis.PAYMENTS if ours else Basis.TOTAL)
    assert certificate.captured_minor == (sum(ours) if ours else facts.total_minor)
    assert sum(units) + certificate.unallocated_minor + certificate.released_minor == (
        certificate.captured_minor
    )
    assert all(amount >= 0 for amount in units)
    assert not certificate.unallocated_minor or not units


@given(certificates)
def test_parts_add_up_and_have_their_signs(certificate: Certificate) -> None:
    for _, _, parts in certificate.units():
        shown = parts.as_dict()
        assert sum(shown.values()) - shown["tax_included"] == parts.paid
        assert parts.price >= 0 >= parts.line_discount
        assert parts.order_discount <= 0 <= parts.net
        assert sum(parts.taxes) == parts.tax_included + parts.tax_added
        assert not (parts.tax_included and parts.tax_added)


@given(orders())
def test_each_part_is_within_one_of_its_exact_share(facts: OrderFacts) -> None:
    certificate = certify(facts)
    for each in facts.lines:
        share = Fraction(each.line_discount_minor, each.quantity)
        for _, parts in certificate.line(each.external_id).units():
            assert abs(-parts.line_discount - share) < 1


@given(certificates)
def test_only_goods_are_adjusted_while_goods_cost_anything(certificate: Certificate) -> None:
    goods = [line for line in certificate.lines if line.kind is LineKind.GOODS and line.live]
    touched = [
        line.kind
        for line in certificate.lines
        for run in line.runs
        if run.parts.adjustment and line.kind is not LineKind.GOODS
    ]
    if goods and certificate.residue_minor > 0:
        assert not touched
    if touched and goods:
        assert sum(line.paid_minor for line in goods) == 0


@given(certificates)
def test_runs_are_few_and_never_equal_neighbours(certificate: Certificate) -> None:
    for line in certificate.lines:
        assert len(line.runs) <= 2 * (4 + len(line.taxes))
        pairs = zip(line.runs, line.runs[1:], strict=False)
        assert all(one.parts != two.parts for one, two in pairs)


@given(certificates)
def test_the_stored_form_reads_back_equal(certificate: Certificate) -> None:
    assert from_json(json.loads(json.dumps(to_json(certificate)))) == certificate


@given(orders(), st.randoms(use_true_random=False))
def test_any_partition_in_any_order_refunds_exactly_what_was_paid(
    facts: OrderFacts, random: Random
) -> None:
    certificate = certify(facts)
    units = [
        Claim(line, number)
        for line, number, _ in certificate.units()
        if certificate.line(line).kind is not LineKind.SHIPPING
    ][:2_000]
    whole = plan_settlement(certificate, units, Terms(), []).total_minor
    random.shuffle(units)
    size = 1 + len(units) // 5
    parcels = [units[start : start + size] for start in range(0, len(units), size)]
    refunds = [plan_settlement(certificate, parcel, Terms(), []).total_minor for parcel in parcels]
    assert sum(refunds) == whole
    assert all(0 <= refund <= certificate.paid_minor for refund in refunds)
