"""Orders with every contradiction, random policies' terms, and what a quote of them says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

from hypothesis import strategies as st

from returns_api.domain.allocation import Certificate, certify, to_json
from returns_api.domain.order_facts import AskedLine
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
from returns_api.domain.quotes import Quote, plan_quote
from returns_api.domain.refunds import tenders
from returns_api.domain.settlement import PartKind, Settlement, plan_settlement
from returns_api.domain.settlement_terms import claim, settlement_terms
from tests.domain.test_allocation_orders import line, orders

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
        tenders(stored.payments, certificate.currency),
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
    fees = ("490", "40000") if facts.currency == "JPY" else ("4.90", "400.00")
    rules = policy(
        draw(st.sampled_from(["free", *fees, "own_cost"])),
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
