"""Shopify: whether a webhook is genuine, which delivery it is, and what facts it tells.

**What dedupes.** ``X-Shopify-Webhook-Id`` names one delivery and stays the same on its retries.
``X-Shopify-Event-Id`` names what the merchant did and comes under several topics with different
bodies, so keeping only the first of those would lose facts. The former is our event id.

**What it does not protect.** The signature covers the body alone: no header is signed, the time is
not, and neither is the shop. So the shop comes from the address that was called and its secret, an
old body under a new delivery id is harmless because facts are order-tolerant, and ``now`` decides
nothing here.

Owns the topics and the envelope. Refuses to own storage and the platform's own refund call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from returns_api.adapters.http import HttpClient
from returns_api.adapters.shops.reading import Node, read_body
from returns_api.adapters.shops.shopify_money import exact_id
from returns_api.adapters.shops.shopify_orders import parse_order
from returns_api.adapters.shops.shopify_parcels import parse_fulfillment, parse_fulfillment_event
from returns_api.adapters.shops.shopify_payments import read_payment
from returns_api.adapters.shops.shopify_records import (
    parse_data_request,
    parse_dispute,
    parse_redaction,
    parse_return,
    parse_reverse_delivery,
)
from returns_api.adapters.shops.shopify_refunds import read_refund
from returns_api.adapters.shops.signing import signed_by
from returns_api.domain.orders import AppRemoved, Observation, PaymentSeen, ShopErased
from returns_api.ports.shops import Delivery

SIGNATURE: Final = "x-shopify-hmac-sha256"
_VISIBLE: Final = re.compile(r"[!-~]{1,255}")
_TOPIC: Final = re.compile(r"[a-z0-9_]{1,60}/[a-z0-9_]{1,60}")


class ShopifyShop:
    """``ports.shops.ShopPlatform`` for Shopify's webhooks of API version 2026-07 and before."""

    name = "shopify"

    def __init__(self, _http: HttpClient | None = None) -> None:
        """Every adapter is handed the shared client; webhooks in need no call out."""

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """Whether one of ``secrets`` signed ``body``; malformed headers are just not genuine.

        Every secret is tried in full, so the time taken does not tell which one matched. An empty
        secret signs nothing. Source: base64 of HMAC-SHA256 over the raw body.
        """
        return signed_by(secrets, headers.get(SIGNATURE, ""), body)

    def envelope(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Raises ``ValueError`` when the headers name no delivery or no topic."""
        event_id, topic = (
            headers.get("x-shopify-webhook-id", ""),
            headers.get("x-shopify-topic", ""),
        )
        if not _VISIBLE.fullmatch(event_id):
            raise ValueError("x-shopify-webhook-id does not name a delivery")
        if not _TOPIC.fullmatch(topic):
            raise ValueError("x-shopify-topic does not name a topic")
        domain = headers.get("x-shopify-shop-domain", "")
        return Delivery(
            event_id=event_id,
            topic=topic,
            shop_domain=domain.lower() if _VISIBLE.fullmatch(domain) else None,
            triggered_at=_time(headers.get("x-shopify-triggered-at", "")),
        )

    def parse(self, topic: str, body: bytes) -> tuple[Observation, ...]:
        """The facts of one webhook; empty for an unknown topic and for one that tells no fact.

        Raises ``ValueError`` starting with the JSON path when a known topic cannot be read.
        """
        read = _TOPICS.get(topic)
        return () if read is None else read(read_body(body))


def _time(header: str) -> datetime | None:
    """The header is unsigned and informative only: what cannot be read is left out."""
    try:
        found = datetime.fromisoformat(header)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _parse_refund(refund: Node) -> tuple[Observation, ...]:
    found = read_refund(refund, refund["order_id"].identifier(), None)
    return () if found is None else (found,)


def _parse_transaction(transaction: Node) -> tuple[Observation, ...]:
    """Captured money: the order's own messages leave transactions out.

    Refund transactions are left to ``refunds/create``, which tells them whole.
    """
    payment = read_payment(transaction, transaction["currency"].currency())
    order_id = transaction["order_id"].identifier()
    return () if payment is None else (PaymentSeen(order_id, payment),)


def _parse_edit(message: Node) -> tuple[Observation, ...]:
    """An edit tells differences, and differences are not order-tolerant: the snapshot that the
    platform sends beside it (``orders/updated``) tells the facts."""
    message["order_edit"]["order_id"].identifier()
    return ()


def _parse_named(message: Node) -> tuple[Observation, ...]:
    """Something was changed or deleted that the books do not follow."""
    exact_id(message)
    return ()


_TOPICS: Final[Mapping[str, Callable[[Node], tuple[Observation, ...]]]] = {
    "orders/create": parse_order,
    "orders/paid": parse_order,
    "orders/updated": parse_order,
    "orders/fulfilled": parse_order,
    "orders/partially_fulfilled": parse_order,
    "orders/cancelled": parse_order,
    "orders/edited": _parse_edit,
    "orders/delete": _parse_named,
    "order_transactions/create": _parse_transaction,
    "fulfillments/create": parse_fulfillment,
    "fulfillments/update": parse_fulfillment,
    "fulfillment_events/create": parse_fulfillment_event,
    "refunds/create": _parse_refund,
    "disputes/create": parse_dispute,
    "disputes/update": parse_dispute,
    "returns/request": parse_return,
    "returns/approve": parse_return,
    "returns/decline": parse_return,
    "returns/update": parse_return,
    "returns/process": parse_return,
    "returns/cancel": parse_return,
    "returns/close": parse_return,
    "returns/reopen": parse_return,
    "reverse_deliveries/attach_deliverable": parse_reverse_delivery,
    "reverse_fulfillment_orders/dispose": _parse_named,
    "customers/update": _parse_named,
    "customers/data_request": parse_data_request,
    "customers/redact": parse_redaction,
    "shop/update": _parse_named,
    "shop/redact": lambda _: (ShopErased(),),
    "app/uninstalled": lambda _: (AppRemoved(),),
}
