"""A quote is kept to the minor unit: what it says is what the same units settle for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns_api.domain.allocation import Certificate, certify
from returns_api.domain.errors import Invalid, NothingLeftToReturn
from returns_api.domain.order_facts import AskedLine, policy_facts
from returns_api.domain.order_record import (
    BuyerHistory,
    OrderRecord,
)
from returns_api.domain.orders import LineKind
from returns_api.domain.policy import Policy
from returns_api.domain.policy.explain import Explainer
from returns_api.domain.quotes import plan_quote
from returns_api.domain.settlement import PartKind, Settlement
from returns_api.domain.terms import NOTHING_CAME
from returns_api.domain.units_left import PRESUMED_DELIVERED_AFTER, arrived, units_left
from tests.domain.test_allocation_orders import line, order, shipping
from tests.support.quoting import (
    GRADES,
    NOW,
    cases,
    claimed,
    moving,
    policy,
    quoted,
    record,
    returnable,
    settled,
    shipping_of,
    taken,
)


@settings(max_examples=150, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_what_was_quoted_is_what_is_paid(
    case: tuple[OrderRecord, Certificate, Policy], random: Random
) -> None:
    stored, certificate, rules = case
    asked = {
        key: random.randint(1, count) for key, count in returnable(stored, certificate).items()
    }
    quote = quoted(stored, certificate, rules, asked, {})
    final = settled(stored, certificate, quote, {})
    assert final.total_minor == quote.settlement.total_minor >= 0
    assert moving(final) == moving(quote.settlement)
    assert quote.terms.certificate_version == 3


@settings(max_examples=150, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_no_partition_refunds_more_than_was_paid(
    case: tuple[OrderRecord, Certificate, Policy], random: Random
) -> None:
    """Return after return until nothing is left: fees only ever lower the sum, and without any fee
    the goods and the freight come back to the minor unit."""
    stored, certificate, rules = case
    left = returnable(stored, certificate)
    shipped_back: dict[str, int] = {}
    sums: dict[PartKind, int] = {}
    while any(left.values()):
        asked = {key: random.randint(1, count) for key, count in left.items() if count}
        asked = dict(random.sample(sorted(asked.items()), random.randint(1, len(asked))))
        quote = quoted(stored, certificate, rules, asked, shipped_back)
        final = settled(stored, certificate, quote, shipped_back)
        for part in final.parts:
            sums[part.kind] = sums.get(part.kind, 0) + part.amount_minor
        for name, amount in shipping_of(final).items() if final.total_minor else ():
            shipped_back[name] = shipped_back.get(name, 0) + amount  # its refund is what tells
        stored = taken(stored, quote)
        left = {key: count - asked.get(key, 0) for key, count in left.items()}
    assert sum(sums.values()) <= certificate.paid_minor
    whole = sum(
        certificate.line(each.external_id).paid_minor
        for each in stored.lines
        if each.id in returnable(stored, certificate)
    )
    assert sums[PartKind.GOODS] == whole
    freight = [each for each in certificate.lines if each.kind is LineKind.SHIPPING]
    back = sum(shipped_back.values())
    assert back in {0, sum(each.paid_minor for each in freight)}
    assert sums.get(PartKind.SHIPPING, 0) == back


@settings(max_examples=150, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_no_fee_is_charged_that_was_not_announced(
    case: tuple[OrderRecord, Certificate, Policy], random: Random
) -> None:
    """Some of the units come, in any condition: freight and restocking stay within the quote, a
    grade takes what it was announced to take, nothing falls below zero."""
    stored, certificate, rules = case
    quote = quoted(stored, certificate, rules, returnable(stored, certificate), {})
    every = claimed(quote)
    units = random.sample(every, random.randint(0, len(every)))
    final = settled(stored, certificate, quote, {}, lambda: random.choice(GRADES), units)

    def of(kind: PartKind, where: Settlement) -> int:
        return -sum(part.amount_minor for part in where.parts if part.kind is kind)

    for kind in (PartKind.RETURN_FREIGHT, PartKind.RESTOCKING_FEE):
        assert 0 <= of(kind, final) <= of(kind, quote.settlement)
    by_line = {item.line.external_id: quote.terms.of_line(item.line.id) for item in quote.lines}
    for part in final.parts:
        if part.kind is PartKind.GRADE_DEDUCTION:
            assert part.line is not None
            assert part.unit is not None
            paid = certificate.unit_paid(part.line, part.unit)
            share = by_line[part.line].grades[str(part.because["grade"])]
            assert -part.amount_minor == paid * share // 1_000_000
    assert final.total_minor >= 0
    if not units:
        assert final.total_minor == 0


@settings(max_examples=60, deadline=None)
@given(cases())
def test_boxes_without_goods_pay_nothing(case: tuple[OrderRecord, Certificate, Policy]) -> None:
    stored, certificate, rules = case
    quote = quoted(stored, certificate, rules, returnable(stored, certificate), {})
    for grade in sorted(NOTHING_CAME):
        assert settled(stored, certificate, quote, {}, partial(str, grade)).total_minor == 0


@given(
    ordered=st.integers(1, 12),
    arrived_units=st.integers(0, 12),
    outside=st.integers(0, 12),
    claims=st.sets(st.integers(1, 12)),
)
def test_units_left_and_claimed_and_given_back_never_exceed_what_arrived(
    ordered: int, arrived_units: int, outside: int, claims: set[int]
) -> None:
    facts = order([line("a", 100, ordered)], paid=[100 * ordered])
    stored = record(facts, certify(facts))
    held = tuple(sorted(unit for unit in claims if unit <= ordered))
    parcel = replace(stored.parcels[0], quantities={stored.lines[0].id: arrived_units})
    sold = replace(stored.lines[0], outside_returned=outside, claimed=len(held), claimed_units=held)
    stored = replace(stored, parcels=(parcel,), lines=(sold,))
    left = units_left(stored, sold, NOW)
    here = min(ordered, arrived_units)
    assert arrived(stored, sold, NOW) == here
    assert len(left) == max(0, here - outside - len(held))
    free = [unit for unit in range(1, ordered + 1) if unit not in held]
    assert list(left) == free[: len(left)], "whatever numbers a cancellation holds"


def test_a_parcel_without_a_scan_counts_as_arrived_after_a_while() -> None:
    facts = order([line("a", 100, 2)], paid=[200])
    stored = record(facts, certify(facts))
    sent = replace(stored.parcels[0], delivered_at=None)
    for parcel, later, count in (
        (sent, PRESUMED_DELIVERED_AFTER - timedelta(days=5, seconds=1), 0),
        (sent, PRESUMED_DELIVERED_AFTER - timedelta(days=5), 2),
        (replace(sent, cancelled=True), timedelta(days=99), 0),
        (replace(sent, shipped_at=None), timedelta(days=99), 0),
    ):
        order_now = replace(stored, parcels=(parcel,))
        assert arrived(order_now, stored.lines[0], NOW + later) == count


def test_the_facts_of_a_line_are_the_orders() -> None:
    facts = order([line("a", 100, 3, line_discount_minor=30), shipping(50)], paid=[320])
    certificate = certify(facts)
    stored = record(facts, certificate)
    history = BuyerHistory(
        orders=4, orders_kept=3, returns=1, units_bought=8, units_returned=2, chargebacks=1,
        first_order_at=NOW - timedelta(days=400, hours=5),
    )  # fmt: skip
    asked = AskedLine(stored.lines[0].id, 1, "defective", "sealed")
    found = policy_facts(stored, stored.lines[0], certificate, history, asked, NOW)
    assert (found.unit_paid_minor, found.order_paid_minor) == (90, 320)
    assert (found.buyer.return_rate_ppm, found.buyer.account_days) == (250_000, 400)
    assert (found.delivered_at, found.asked_at) == (NOW - timedelta(days=3), NOW)
    part = replace(stored.lines[0], all_delivered=False)
    assert policy_facts(stored, part, certificate, history, asked, NOW).delivered_at is None
    nobody = policy_facts(stored, part, certificate, BuyerHistory(), asked, NOW).buyer
    assert (nobody.return_rate_ppm, nobody.account_days) == (0, 0)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ([], Invalid),
        ([(1, 1), (1, 1)], Invalid),
        ([(2, 1)], Invalid),
        ([(9, 1)], Invalid),
        ([(1, 0)], Invalid),
        ([(1, 4)], NothingLeftToReturn),
    ],
)
def test_only_units_of_goods_of_the_order_can_be_asked_for(
    asked: list[tuple[int, int]], error: type[Exception]
) -> None:
    facts = order([line("a", 100, 3), shipping(50)], paid=[350])
    certificate = certify(facts)
    stored = record(facts, certificate)
    rules = policy("free", "keep", "0%", "EUR")
    with pytest.raises(error):
        plan_quote(
            stored,
            certificate,
            BuyerHistory(),
            rules,
            lambda: Explainer(rules),
            [AskedLine(UUID(int=number), count, "changed_mind") for number, count in asked],
            resolution="refund",
            method=None,
            shipping_refunded={},
            now=NOW,
        )
