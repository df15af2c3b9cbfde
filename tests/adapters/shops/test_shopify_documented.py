"""The platform's own documented payloads, byte for byte; skipped where they are not present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from returns_api.adapters.shops.shopify import ShopifyShop
from returns_api.domain.allocation import certify
from returns_api.domain.orders import (
    DisputeSeen,
    OrderSeen,
    OutsideRefundSeen,
    ParcelSeen,
    PersonErased,
)

_DEFAULT = Path(__file__).parents[4] / "shared" / "payloads"
FOLDER = Path(os.environ.get("RETURNS_API_TEST_PAYLOADS", _DEFAULT)) / "shopify"
PAYLOADS = sorted(FOLDER.glob("*.json"))

pytestmark = pytest.mark.skipif(
    not PAYLOADS,
    reason="the documented payloads (shared/payloads/shopify) are not in this checkout",
)

FACTS = {
    "app/uninstalled": ["AppRemoved"],
    "customers/data_request": ["PersonDataRequested"],
    "customers/redact": ["PersonErased"],
    "disputes/create": ["DisputeSeen"],
    "disputes/update": ["DisputeSeen"],
    "fulfillments/create": ["ParcelSeen"],
    "fulfillments/update": ["ParcelSeen"],
    "orders/cancelled": ["OrderSeen"],
    "orders/create": ["OrderSeen"],
    "orders/fulfilled": ["OrderSeen"],
    "orders/paid": ["OrderSeen"],
    "orders/partially_fulfilled": ["OrderSeen"],
    "orders/updated": ["OrderSeen"],
    "refunds/create": ["OutsideRefundSeen"],
    "returns/approve": ["PlatformReturnSeen"],
    "returns/cancel": ["PlatformReturnSeen"],
    "returns/close": ["PlatformReturnSeen"],
    "returns/decline": ["PlatformReturnSeen"],
    "returns/reopen": ["PlatformReturnSeen"],
    "returns/request": ["PlatformReturnSeen"],
    "returns/update": ["PlatformReturnSeen"],
    "reverse_deliveries/attach_deliverable": ["PlatformReturnSeen"],
    "shop/redact": ["ShopErased"],
}


def topic_of(path: Path) -> str:
    return path.stem.replace("__", "/")


def parse(topic: str) -> tuple[object, ...]:
    body = (FOLDER / f"{topic.replace('/', '__')}.json").read_bytes()
    return ShopifyShop().parse(topic, body)


@pytest.mark.parametrize("path", PAYLOADS, ids=topic_of)
def test_every_documented_payload_is_read(path: Path) -> None:
    topic = topic_of(path)
    observations = ShopifyShop().parse(topic, path.read_bytes())
    assert [type(each).__name__ for each in observations] == FACTS.get(topic, [])


def test_ids_beyond_two_to_the_53_are_exact() -> None:
    (seen,) = parse("orders/create")
    assert isinstance(seen, OrderSeen)
    assert seen.order.external_id == "820982911946154508"
    assert seen.order.lines[0].external_id == "487817672276298554"
    assert seen.order.buyer.customer_id == "115310627314723954"
    (refund,) = parse("refunds/create")
    assert isinstance(refund, OutsideRefundSeen)
    assert refund.lines[0].line_external_id == "487817672276298554"
    (parcel,) = parse("fulfillments/create")
    assert isinstance(parcel, ParcelSeen)
    assert parcel.lines[0].line_external_id == "487817672276298554"


def test_an_order_that_does_not_add_up_is_reconciled_and_flagged() -> None:
    (seen,) = parse("orders/create")
    assert isinstance(seen, OrderSeen)
    certificate = certify(seen.order)
    assert certificate.paid_minor == 404_95
    assert certificate.residue_minor == -10_00
    assert {flag.code.value for flag in certificate.flags} == {
        "no_payment_facts",
        "total_differs_from_parts",
        "residue",
    }
    assert certificate.lines[-1].paid_minor == 0


def test_refund_money_without_a_currency_takes_the_refunds_own() -> None:
    (refund,) = parse("refunds/create")
    assert isinstance(refund, OutsideRefundSeen)
    assert [(each.amount_minor, each.currency) for each in refund.money] == [
        (75_00, "USD"),
        (10_00, "USD"),
    ]


def test_disputes_and_people_are_read() -> None:
    (dispute,) = parse("disputes/create")
    assert isinstance(dispute, DisputeSeen)
    assert (dispute.amount_minor, dispute.currency, dispute.open) == (11_50, "CAD", True)
    (erased,) = parse("customers/redact")
    assert erased == PersonErased("191167", "john@example.com", ("299938", "280263", "220458"))
