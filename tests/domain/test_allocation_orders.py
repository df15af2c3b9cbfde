"""Builders and strategies of orders for the tests of money; checked here to be what they say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.orders import LineFacts, LineKind, OrderFacts, PaymentFacts, TaxFacts

PLACED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def line(external_id: str, price: int, quantity: int = 1, **more: Any) -> LineFacts:
    """A line of goods, unless ``kind`` says otherwise; ``taxes`` may be plain amounts."""
    taxes = tuple(
        tax if isinstance(tax, TaxFacts) else TaxFacts("VAT", tax) for tax in more.pop("taxes", ())
    )
    kind = more.pop("kind", LineKind.GOODS)
    return LineFacts(external_id, kind, external_id, quantity, price, taxes=taxes, **more)


def shipping(price: int, discount: int = 0, **more: Any) -> LineFacts:
    return line("shipping", price, kind=LineKind.SHIPPING, line_discount_minor=discount, **more)


def payment(captured: int, external_id: str = "p1", currency: str = "EUR") -> PaymentFacts:
    return PaymentFacts(external_id, "card", captured, currency)


def order(
    lines: Sequence[LineFacts],
    total: int | None = None,
    paid: Sequence[PaymentFacts | int] = (),
    *,
    currency: str = "EUR",
    taxes_included: bool = False,
) -> OrderFacts:
    """An order; without ``total`` its total is the sum of its parts."""
    payments = tuple(
        payment(item, f"p{number}", currency) if isinstance(item, int) else item
        for number, item in enumerate(paid, start=1)
    )
    return OrderFacts(
        external_id="o1",
        number="#1001",
        placed_at=PLACED,
        updated_at=PLACED,
        currency=currency,
        taxes_included=taxes_included,
        total_minor=parts_sum(lines, taxes_included) if total is None else total,
        lines=tuple(lines),
        payments=payments,
    )


def parts_sum(lines: Sequence[LineFacts], taxes_included: bool) -> int:
    """What the lines of a consistent order cost, removed units included."""
    total = 0
    for each in lines:
        gross = each.unit_price_minor * each.quantity
        total += gross - each.line_discount_minor - each.order_discount_minor
        total += 0 if taxes_included else sum(tax.amount_minor for tax in each.taxes)
    return total


@st.composite
def consistent_lines(draw: st.DrawFn, external_id: str, kind: LineKind) -> LineFacts:
    quantity = draw(st.integers(1, 1_000 if kind is LineKind.GOODS else 1))
    price = draw(st.integers(0, 5_000_000))
    line_discount = draw(st.integers(0, price * quantity))
    order_discount = draw(st.integers(0, price * quantity - line_discount))
    net = price * quantity - line_discount - order_discount
    taxes = draw(st.lists(st.integers(0, net // 3), max_size=3))
    return line(
        external_id,
        price,
        quantity,
        kind=kind,
        line_discount_minor=line_discount,
        order_discount_minor=order_discount,
        taxes=taxes,
        removed=draw(st.integers(0, quantity)) if draw(st.booleans()) else 0,
    )


@st.composite
def orders(draw: st.DrawFn) -> OrderFacts:
    """Orders with any contradiction between parts, total and payments."""
    kinds = draw(st.lists(st.sampled_from([LineKind.GOODS, *LineKind]), max_size=6))
    lines = [draw(consistent_lines(f"l{number}", kind)) for number, kind in enumerate(kinds)]
    included = draw(st.booleans())
    total = parts_sum(lines, included) + draw(st.just(0) | st.integers(-300, 300))
    paid = draw(st.just([]) | st.just([max(total, 0)]) | st.lists(st.integers(0, 10**7)))
    currency = draw(st.sampled_from(["EUR", "JPY", "KWD"]))
    return order(lines, max(total, 0), paid, currency=currency, taxes_included=included)


@given(orders())
def test_orders_of_the_strategy_keep_the_rules_of_the_facts(facts: OrderFacts) -> None:
    assert len({each.external_id for each in facts.lines}) == len(facts.lines)
    assert all(0 <= each.removed <= each.quantity for each in facts.lines)
    assert facts.total_minor >= 0


def test_a_built_order_totals_its_parts() -> None:
    assert order([line("a", 100, 2, taxes=[20]), shipping(50, 10)]).total_minor == 260
