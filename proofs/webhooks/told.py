"""What two shop platforms tell of many orders: five messages an order, in their order.

Each order is paid, leaves in one parcel and is refunded in part in the platform's own dashboard.
Ids are the order's own, times are fixed, so that two shops that are told the same end the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.support import shopify, woocommerce

Headers = dict[str, str]
Signed = Callable[[bytes, str, str, str], Headers]
"""The headers of one delivery: body, topic, event id, secret."""


@dataclass(frozen=True, slots=True)
class Told:
    """One message, before anybody signed it."""

    event_id: str
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Platform:
    """``told`` gives the messages of one order; ``signature`` is the header that signs."""

    told: Callable[[int], Sequence[Told]]
    signed: Signed
    signature: str


def _shopify_order(number: int) -> list[Told]:
    base = 5_000_000_000_000 + number * 10_000
    lines = [
        shopify.line_item(base + 1, "Field jacket, M", "99.00", 2),
        shopify.line_item(base + 2, "T-shirt, white", "19.90", 3),
    ]
    paid = shopify.transaction(base + 4, "262.60")
    freight = [shopify.shipping_line(base + 3, "4.90")]
    order = shopify.order(base, lines, shipping=freight, transactions=[paid])
    later = {**order, "tags": "newsletter, vip, packed", "updated_at": shopify.SHIPPED}
    parcel, scan = base + 5, "fulfillment_events/create"
    refund = shopify.refund(order, base + 7, {base + 2: 1}, "19.90")
    told = [
        ("orders/create", order),
        ("orders/updated", later),
        ("fulfillments/create", shopify.fulfillment(order, parcel)),
        (scan, shopify.delivery_scan(order, parcel)),
        ("refunds/create", refund),
    ]
    return [
        Told(f"s{base}-{n}", topic, shopify.encode(body)) for n, (topic, body) in enumerate(told)
    ]


def _woocommerce_order(number: int) -> list[Told]:
    order_id, refund_id = 1_000_000 + number * 10, 1_000_005 + number * 10
    own = {"id": order_id, "number": str(order_id), "transaction_id": f"pi_woo_{order_id}"}
    refunds = [{"id": refund_id, "reason": "", "total": "-3.97"}]
    left = {**own, "refunds": []}
    told = [
        ("order.created", woocommerce.order(**own, date_paid_gmt=None, status="pending")),
        ("order.updated", woocommerce.order(**own)),
        ("order.updated", woocommerce.completed(**left, date_modified_gmt="2026-11-07T09:00:00")),
        ("refund.created", woocommerce.refund(id=refund_id, parent_id=order_id)),
        ("order.updated", woocommerce.completed(**own, refunds=refunds)),
    ]
    return [Told(f"w{order_id}-{n}", topic, body) for n, (topic, body) in enumerate(told)]


def _shopify_headers(body: bytes, topic: str, event_id: str, secret: str) -> Headers:
    return shopify.headers(topic, body, secret=secret, webhook_id=event_id)


def _woocommerce_headers(body: bytes, topic: str, event_id: str, secret: str) -> Headers:
    return woocommerce.signed(body, topic, secret=secret, webhook_id=event_id)


PLATFORMS: Final[Mapping[str, Platform]] = {
    "shopify": Platform(_shopify_order, _shopify_headers, "x-shopify-hmac-sha256"),
    "woocommerce": Platform(_woocommerce_order, _woocommerce_headers, "x-wc-webhook-signature"),
}
