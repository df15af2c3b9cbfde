"""WooCommerce's documented payloads as facts; what is not genuine or not readable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from returns_api.adapters.shops.woocommerce import WooCommerceShop
from returns_api.domain.allocation import certify
from returns_api.domain.orders import (
    LineKind,
    OrderFacts,
    OrderSeen,
    OutsideRefundLine,
    OutsideRefundSeen,
    OutsideShipping,
    ParcelSeen,
)
from tests.support import woocommerce

SHOP = WooCommerceShop()
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def facts(body: bytes) -> OrderFacts:
    seen = SHOP.parse("order.updated", body)[0]
    assert isinstance(seen, OrderSeen)
    return seen.order


def test_an_order_costs_to_the_cent_what_was_paid() -> None:
    order = facts(woocommerce.order())
    certificate = certify(order)
    assert (order.total_minor, certificate.captured_minor) == (3227, 3227)
    assert (certificate.residue_minor, certificate.flags) == (0, ())
    three, one, shipping = certificate.lines
    assert [line.paid_minor for line in (three, one, shipping)] == [1190, 1547, 490]
    assert sum(run.count for run in three.runs) == 3
    kinds = [line.kind for line in order.lines]
    assert kinds == [LineKind.GOODS, LineKind.GOODS, LineKind.SHIPPING]
    assert order.lines[0].taxes[0].title == "VAT"
    assert order.payments[0].provider_payment_id == "pi_woo_727"
    assert (order.buyer.email, order.buyer.customer_id) == ("Anna@Example.com", None)
    assert order.updated_at == datetime(2026, 11, 1, 9, 0, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"date_paid_gmt": None}, {"payments": ()}),
        ({"number": 4711}, {"number": "#4711"}),
        ({"status": "cancelled"}, {"cancelled_at": datetime(2026, 11, 1, 9, 0, 8, tzinfo=UTC)}),
        (
            {"date_modified_gmt": "2026-11-02T09:00:00Z"},
            {"updated_at": datetime(2026, 11, 2, 9, tzinfo=UTC)},
        ),
        ({"currency": "CLP", "total": "3227"}, {"total_minor": 3227}),
    ],
)
def test_what_an_order_tells(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    found = facts(woocommerce.order(**changes))
    assert {name: getattr(found, name) for name in expected} == expected


def test_a_completed_order_has_left_and_tells_its_refunds() -> None:
    _, parcel, refund = SHOP.parse("order.updated", woocommerce.completed())
    assert isinstance(parcel, ParcelSeen)
    assert isinstance(refund, OutsideRefundSeen)
    assert [(line.line_external_id, line.quantity) for line in parcel.lines] == [
        ("315", 3),
        ("316", 1),
    ]
    assert parcel.shipped_at == datetime(2026, 11, 3, 8, tzinfo=UTC)
    assert (refund.money[0].amount_minor, refund.lines) == (397, ())
    (whole,) = SHOP.parse("refund.created", woocommerce.refund())
    assert isinstance(whole, OutsideRefundSeen)
    assert whole.lines == (OutsideRefundLine("315", 1),)
    assert (whole.external_id, whole.money) == (refund.external_id, refund.money)
    assert whole.at > refund.at


def test_a_refund_tells_what_it_gives_back_of_shipping() -> None:
    named = [{"key": "_refunded_item_id", "value": "317"}]
    lines = [{"total": "-4.12", "total_tax": "-0.78", "meta_data": named}, {"total": "-1.00"}]
    (seen,) = SHOP.parse("refund.created", woocommerce.refund(shipping_lines=lines))
    assert isinstance(seen, OutsideRefundSeen)
    assert seen.shipping == (OutsideShipping("shipping:317", 412, 78),)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("order.deleted", b'{"id": 727}'),
        ("product.updated", b"{}"),
        ("order.created", woocommerce.order(status="checkout-draft")),
    ],
)
def test_what_tells_no_fact(topic: str, body: bytes) -> None:
    assert SHOP.parse(topic, body) == ()


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (woocommerce.order(currency="XYZ"), "$.currency"),
        (woocommerce.order(date_created_gmt=None), "$.date_created_gmt"),
        (woocommerce.order(date_modified_gmt="yesterday"), "$.date_modified_gmt"),
        (woocommerce.order(line_items=[{"id": 1, "quantity": -1}]), "$.line_items[0].quantity"),
        (woocommerce.order(total="1e5"), "$.total"),
        (b"[]", "$"),
    ],
)
def test_what_cannot_be_read_is_named(body: bytes, place: str) -> None:
    with pytest.raises(ValueError) as found:  # noqa: PT011 - the port's own promise
        SHOP.parse("order.created", body)
    assert str(found.value).split(" ")[0] == place


def test_only_the_bytes_that_were_signed_are_genuine() -> None:
    body = woocommerce.order()
    headers = woocommerce.signed(body, "order.created")
    assert SHOP.verify(headers, body, ["old", "s3cret"], NOW)
    assert not SHOP.verify(headers, body + b" ", ["s3cret"], NOW)
    assert not SHOP.verify(headers, body, ["other", ""], NOW)
    assert not SHOP.verify({**headers, "x-wc-webhook-signature": "é" * 44}, body, ["s3cret"], NOW)
    assert not SHOP.verify({}, b"webhook_id=142", ["s3cret"], NOW), "the trial of a new webhook"


def test_the_envelope_is_the_delivery_s() -> None:
    headers = woocommerce.signed(b"{}", "order.updated", webhook_id="36e520ebabc2")
    found = SHOP.envelope(headers, b"{}")
    assert (found.event_id.partition(".")[0], found.topic) == ("36e520ebabc2", "order.updated")
    longest = SHOP.envelope({**headers, "x-wc-webhook-delivery-id": "d" * 190}, b"{}")
    assert len(longest.event_id) <= 255
    for name in ("x-wc-webhook-delivery-id", "x-wc-webhook-topic"):
        with pytest.raises(ValueError, match=name):
            SHOP.envelope({**headers, name: "ä"}, b"{}")
