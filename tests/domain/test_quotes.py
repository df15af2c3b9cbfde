"""A quote is kept to the minor unit: what it says is what the same units settle for.

Random orders with every contradiction, random policies' terms, random partitions into returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns_api.domain.allocation import Certificate, certify, to_json
from returns_api.domain.errors import Invalid, NothingLeftToReturn
from returns_api.domain.order_facts import AskedLine, policy_facts
from returns_api.domain.order_record import (
    BuyerHistory,
    LineRecord,
    OrderRecord,
    ParcelRecord,
    PaymentRecord,
)
from returns_api.domain.orders import LineKind, OrderFacts
from returns_api.domain.policy import Policy, compile_policy, load_policy
from returns_api.domain.policy.explain import Explainer
from returns_api.domain.quotes import Quote, claim, plan_quote, settlement_terms
from returns_api.domain.refunds import tenders
from returns_api.domain.settlement import PartKind, Settlement, plan_settlement
from returns_api.domain.terms import NOTHING_CAME
from returns_api.domain.units_left import PRESUMED_DELIVERED_AFTER, arrived, units_left
from tests.domain.test_allocation_orders import line, order, orders, shipping

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
GRADES = ("sealed", "used_worn", "damaged_buyer", "incomplete", "wrong_item", "empty_box")


@cache
def policy(freight: str, original: str, restocking: str, currency: str) -> Policy:
    return compile_policy(
        load_policy(
            f"""
policy: returns-policy/v1
name: A shop
timezone: UTC
currency: {currency}
goods: {{light: {{tags: [light]}}}}
rules:
  - id: light
    when: {{goods: light}}
    restocking_fee: {restocking}
    grades: {{used_worn: 50%, damaged_buyer: full, incomplete: 25%}}
  - id: house
    resolutions: {{refund: unlimited}}
    starts: delivered
    return_shipping: {freight}
    original_shipping: {original}
    restocking_fee: 0%
    grades: {{used_worn: 33.3%, incomplete: 10%, damaged_buyer: 60%}}
    evidence: none
    methods: [post]
    approval: auto
"""
        )
    )


def record(facts: OrderFacts, certificate: Certificate, *, light: int = 2) -> OrderRecord:
    """The order as it would be stored, everything sent and delivered; each ``light``-th line is of
    the goods with a restocking fee."""
    ids = {each.external_id: UUID(int=n) for n, each in enumerate(facts.lines, start=1)}
    lines = tuple(
        LineRecord(
            id=ids[each.external_id],
            external_id=each.external_id,
            position=n,
            kind=each.kind,
            title=each.title,
            sku=each.sku,
            product_id=None,
            variant_id=None,
            vendor=None,
            category=None,
            tags=("light",) if n % light == 0 else (),
            weight_grams=None,
            shippable=True,
            unit_price_minor=each.unit_price_minor,
            discounted=False,
            ordered=each.quantity,
            removed=each.removed,
            shipped=each.quantity,
            delivered=each.quantity,
            outside_returned=0,
            claimed=0,
            claimed_units=(),
            first_fulfilled_at=NOW - timedelta(days=5),
            last_fulfilled_at=NOW - timedelta(days=5),
            last_delivered_at=NOW - timedelta(days=3),
            all_delivered=True,
        )
        for n, each in enumerate(facts.lines)
    )
    payments = tuple(
        PaymentRecord(
            id=UUID(int=900 + n),
            external_id=each.external_id,
            position=n,
            gateway="card",
            provider="stripe",
            account="card",
            provider_payment_id=f"pi_{n}",
            currency=each.currency,
            captured=each.captured_minor,
            reserved=0,
            refunded=0,
            external=0,
            disputed=0,
        )
        for n, each in enumerate(facts.payments)
    )
    parcel = ParcelRecord(
        id=UUID(int=800),
        external_id="f1",
        carrier=None,
        tracking_codes=(),
        shipped_at=NOW - timedelta(days=5),
        delivered_at=NOW - timedelta(days=3),
        cancelled=False,
        quantities={ids[each.external_id]: each.quantity for each in facts.lines},
    )
    return OrderRecord(
        id=UUID(int=700),
        source="shop",
        external_id=facts.external_id,
        number=facts.number,
        customer_key=None,
        placed_at=facts.placed_at,
        platform_updated_at=facts.updated_at,
        currency=facts.currency,
        taxes_included=facts.taxes_included,
        total_minor=facts.total_minor,
        tags=(),
        flags=(),
        channel=None,
        country=None,
        region=None,
        locale=None,
        financial_status=None,
        cancelled_at=None,
        returns_opened=0,
        version=1,
        created_at=facts.placed_at,
        updated_at=facts.placed_at,
        lines=lines,
        parcels=(parcel,),
        payments=payments,
        certificate_version=3,
        certificate_digest="",
        certificate=to_json(certificate),
    )


def quoted(
    stored: OrderRecord,
    certificate: Certificate,
    rules: Policy,
    asked: Mapping[UUID, int],
    shipped_back: Mapping[str, int],
) -> Quote:
    return plan_quote(
        stored,
        certificate,
        BuyerHistory(),
        rules,
        lambda: Explainer(rules),
        [AskedLine(key, count, "changed_mind") for key, count in asked.items()],
        resolution="refund",
        method=None,
        shipping_refunded=shipped_back,
        now=NOW,
    )


def settled(
    stored: OrderRecord,
    certificate: Certificate,
    quote: Quote,
    shipped_back: Mapping[str, int],
    grade: Callable[[], str | None] = lambda: None,
    units: Sequence[tuple[str, int, UUID]] | None = None,
) -> Settlement:
    """What the accepted quote pays for ``units``, all of them as claimed unless told otherwise."""
    found = units if units is not None else claimed(quote)
    return plan_settlement(
        certificate,
        [claim(name, unit, quote.terms.of_line(key), grade()) for name, unit, key in found],
        settlement_terms(quote.terms, shipped_back, quoting=False),
        tenders(stored.payments),
    )


def claimed(quote: Quote) -> list[tuple[str, int, UUID]]:
    return [
        (item.line.external_id, unit, item.line.id) for item in quote.lines for unit in item.units
    ]


def moving(settlement: Settlement) -> list[tuple[PartKind, str | None, int | None, int]]:
    """The parts that are worth something; a fee that was cut to nothing may be left out later."""
    parts = [(p.kind, p.line, p.unit, p.amount_minor) for p in settlement.parts]
    return [part for part in parts if part[-1]]


def shipping_of(settlement: Settlement) -> dict[str, int]:
    return {
        part.line: part.amount_minor
        for part in settlement.parts
        if part.kind is PartKind.SHIPPING and part.line is not None
    }


@st.composite
def cases(draw: st.DrawFn) -> tuple[OrderRecord, Certificate, Policy]:
    facts = draw(orders())
    own = line("own", draw(st.integers(0, 50_000)), draw(st.integers(1, 12)))
    facts = replace(facts, lines=(*facts.lines, own))
    certificate = certify(facts)
    rules = policy(
        draw(st.sampled_from(["free", "4.90" if facts.currency != "JPY" else "490", "own_cost"])),
        draw(st.sampled_from(["refund", "keep"])),
        draw(st.sampled_from(["0%", "10%", "33.3%", "100%"])),
        facts.currency,
    )
    return record(facts, certificate, light=draw(st.integers(1, 3))), certificate, rules


def returnable(stored: OrderRecord, certificate: Certificate) -> dict[UUID, int]:
    return {
        each.id: certificate.line(each.external_id).live
        for each in stored.lines
        if each.kind is LineKind.GOODS and 0 < certificate.line(each.external_id).live <= 60
    }


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
        for name, amount in shipping_of(final).items():
            shipped_back[name] = shipped_back.get(name, 0) + amount
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


def taken(stored: OrderRecord, quote: Quote) -> OrderRecord:
    """The order after the quote was accepted."""
    units = {item.line.id: item.units for item in quote.lines}
    lines = tuple(
        replace(
            each,
            claimed=each.claimed + len(units.get(each.id, ())),
            claimed_units=tuple(sorted((*each.claimed_units, *units.get(each.id, ())))),
        )
        for each in stored.lines
    )
    return replace(stored, lines=lines)


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
        assert settled(stored, certificate, quote, {}, lambda g=grade: g).total_minor == 0


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
    assert len(left) == max(0, here - outside - len(held)) or set(left) == (
        set(range(1, here + 1)) - set(held)
    )
    assert len(left) + len(held) + outside <= max(here, len(held) + outside)
    assert not set(left) & set(held)
    assert all(1 <= unit <= here for unit in left)


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
