"""What an order of Shopify's says of money: movements, captures, where a payment's id stands."""

from __future__ import annotations

import json

import pytest

from returns_api.domain.allocation import certify
from returns_api.domain.orders import (
    OutsideRefundSeen,
    OutsideShipping,
    PaymentFacts,
    PaymentSeen,
)
from tests.support import shopify
from tests.support.shopify import Json
from tests.support.shopify_reading import jacket, order_of, parse, simple


def test_a_currency_without_minor_units() -> None:
    certificate = certify(order_of(shopify.fixture("order_jpy")))
    assert (certificate.currency, certificate.paid_minor, certificate.flags) == ("JPY", 6600, ())


def test_the_buyers_currency_is_read_not_the_shops() -> None:
    line = shopify.line_item(1, "Jacket", "100.00", currency="EUR")
    line |= shopify.money("price", "100.00", "EUR", ("108.50", "USD"))
    line |= shopify.money("total_discount", "0", "EUR", ("0", "USD"))
    body = simple(
        line,
        presentment_currency="USD",
        transactions=[shopify.transaction(9, "108.50", "USD")],
        **{
            name: value
            for total in ("total_price", "total_cash_rounding_payment_adjustment")
            for name, value in shopify.money(total, "100.00", "EUR", ("108.50", "USD")).items()
        },
    )
    body |= shopify.money("total_cash_rounding_payment_adjustment", "0", "EUR", ("0", "USD"))
    facts = order_of(body)
    assert (facts.currency, facts.total_minor) == ("USD", 108_50)
    assert facts.lines[0].unit_price_minor == 108_50
    assert certify(facts).flags == ()


def test_an_amount_that_is_not_told_in_the_buyers_currency_is_refused() -> None:
    told = {"total_cash_rounding_payment_adjustment_set": None}
    told |= {"total_cash_rounding_payment_adjustment": None}
    body = simple(presentment_currency="USD", **told)
    with pytest.raises(ValueError, match=r"^\$\.total_price_set is not told"):
        parse("orders/create", body)
    with pytest.raises(ValueError, match=r"^\$\.total_price is not told"):
        parse("orders/create", {**body, "total_price_set": None})


def test_money_as_numbers_and_without_sets_is_read() -> None:
    body = shopify.fixture("order_card").replace(b'"amount": "231.70"', b'"amount": 231.7')
    assert order_of(body).payments[0].captured_minor == 231_70
    plain = simple({**jacket(), "price_set": None, "price": 99})
    assert order_of(plain).lines[0].unit_price_minor == 99_00


def test_cash_rounding_belongs_to_what_is_owed_and_paid() -> None:
    body = simple(
        shopify.line_item(1, "Jacket", "99.02"),
        transactions=[shopify.transaction(9, "99.02", amount_rounding="-0.02")],
        **shopify.money("total_cash_rounding_payment_adjustment", "-0.02", "EUR"),
    )
    facts = order_of(body)
    assert facts.total_minor == facts.payments[0].captured_minor == 99_00


def test_money_alone_is_a_refund() -> None:
    (refund,) = parse("refunds/create", shopify.refund(simple(), 70, {}, "10.00"))
    assert isinstance(refund, OutsideRefundSeen)
    assert (refund.lines, refund.money[0].amount_minor) == ((), 10_00)


@pytest.mark.parametrize(
    ("status", "counts"),
    [("success", True), ("pending", True), ("failure", False), ("error", False)],
)
def test_money_on_its_way_out_counts(status: str, counts: bool) -> None:
    body = shopify.refund(simple(), 70, {}, "10.00")
    body["transactions"][0]["status"] = status
    (refund,) = parse("refunds/create", body)
    assert isinstance(refund, OutsideRefundSeen)
    assert refund.money[0].succeeded is counts


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"receipt": {"payment_intent_id": "pi_3NxtAAA"}, "authorization": "pi_3NxtBBB"}, "A"),
        ({"receipt": {"payment_intent": "pi_3NxtAAA", "id": "ch_3NxtBBB"}}, "A"),
        ({"receipt": {"payment_intent": {"id": "pi_3NxtAAA"}}}, "A"),
        ({"receipt": {"id": "pi_3NxtAAA"}, "authorization": "ch_3NxtBBB"}, "A"),
        ({"receipt": {"payment_id": "app-payment-AAA"}}, "A"),
        ({"receipt": {}, "authorization": "pi_3NxtAAA"}, "A"),
        ({"receipt": None, "authorization": "8XH12345AAA"}, "A"),
        ({"receipt": "text", "authorization": None, "payment_id": "pi_3NxtAAA"}, "A"),
        ({"receipt": {"id": "994", "payment_intent": 7}, "authorization": "100112"}, None),
        ({"receipt": {}, "authorization": None, "payment_id": "#9999.1"}, None),
    ],
)
def test_where_the_providers_payment_id_stands(changes: Json, found: str | None) -> None:
    body = simple(transactions=[shopify.transaction(9, "198.00", **changes)])
    provider_id = order_of(body).payments[0].provider_payment_id
    assert (provider_id or "")[-3:] == (found or "") * 3


@pytest.mark.parametrize(
    "changes",
    [{"kind": "authorization"}, {"kind": "void"}, {"status": "failure"}, {"status": "pending"}],
)
def test_what_captured_nothing_is_no_payment(changes: Json) -> None:
    body = simple(transactions=[shopify.transaction(9, "198.00") | changes])
    assert order_of(body).payments == ()


@pytest.mark.parametrize("kind", ["sale", "capture"])
def test_captured_money_is_told_apart_from_the_order(kind: str) -> None:
    body = shopify.transaction(9, "198.00", order_id=5, kind=kind)
    payment = PaymentFacts("9", "shopify_payments", 198_00, "EUR", "pi_3Nxt9")
    assert parse("order_transactions/create", body) == (PaymentSeen("5", payment),)
    assert order_of(simple(transactions=[body])).payments == (payment,)


@pytest.mark.parametrize("changes", [{"kind": "refund"}, {"status": "failure"}])
def test_a_transaction_that_captured_nothing_tells_nothing(changes: Json) -> None:
    body = shopify.transaction(9, "198.00", order_id=5) | changes
    assert parse("order_transactions/create", body) == ()


def test_a_transaction_must_name_its_order_and_amount() -> None:
    body = shopify.transaction(9, "198.00", order_id=5)
    for name, value in (("amount", "NaN"), ("order_id", None), ("currency", None)):
        with pytest.raises(ValueError, match=rf"^\$\.{name} "):
            parse("order_transactions/create", {**body, name: value})


def test_a_refund_tells_what_it_gives_back_of_shipping() -> None:
    def bag(amount: str, currency: str = "EUR") -> Json:
        return {"shop_money": {"amount": amount, "currency_code": currency}}

    told = [
        {"shipping_line_id": 71, "subtotal_amount_set": bag("4.12"), "tax_amount_set": bag("0.78")},
        {"shipping_line": {"id": 72}, "subtotal_amount_set": bag("1.00")},
        {"shipping_line_id": 73, "subtotal_amount_set": bag("9.00", "USD")},
        {"subtotal_amount_set": bag("9.00")},
    ]
    body = {**json.loads(shopify.fixture("refund_card")), "refund_shipping_lines": told}
    (seen,) = parse("refunds/create", shopify.encode(body))
    assert isinstance(seen, OutsideRefundSeen)
    assert seen.shipping == (
        OutsideShipping("shipping:71", 412, 78),
        OutsideShipping("shipping:72", 100, 0),
    )
