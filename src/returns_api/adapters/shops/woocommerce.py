"""WooCommerce: whether a webhook is genuine, which delivery it is, and what facts it tells.

**What dedupes.** ``X-WC-Webhook-Delivery-ID`` together with the body. The header is a hash of the
webhook's own id (``X-WC-Webhook-ID``, the same for ever) and the second, so that two orders which
change within one second come under one delivery id. Versions before 3 call it
``X-WC-Delivery-ID``. Source: ``WC_Webhook::get_new_delivery_id``.

**What it does not protect.** As with Shopify the signature covers the body alone, so the shop comes
from the address that was called, an old body under a new delivery id is harmless because facts are
order-tolerant, and ``now`` decides nothing. The message with which a new webhook is tried out is
not signed; it is refused like anything unsigned, and the webhook works all the same.

Owns the topics and the envelope. Source: the platform's REST API documentation, version 3,
"Webhooks" and "Orders".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from returns_api.adapters.http import HttpClient
from returns_api.adapters.shops.reading import Node, read_body
from returns_api.adapters.shops.signing import signed_by
from returns_api.adapters.shops.woocommerce_orders import parse_order
from returns_api.adapters.shops.woocommerce_refunds import parse_refund
from returns_api.domain.orders import Observation
from returns_api.ports.shops import Delivery

SIGNATURE: Final = "x-wc-webhook-signature"
_DELIVERY: Final = re.compile(r"[!-~]{1,190}")
"""With a digest behind it, it still fits what an event id may be."""
_TOPIC: Final = re.compile(r"[a-z0-9_]{1,60}\.[a-z0-9_]{1,60}")


class WooCommerceShop:
    """``ports.shops.ShopPlatform`` for WooCommerce's webhooks in the form of its REST API 3."""

    name = "woocommerce"

    def __init__(self, _http: HttpClient | None = None) -> None:
        """Every adapter is handed the shared client; webhooks in need no call out."""

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """Whether one of ``secrets`` signed ``body``: base64 of HMAC-SHA256 over the raw body."""
        return signed_by(secrets, headers.get(SIGNATURE, ""), body)

    def envelope(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Raises ``ValueError`` when the headers name no delivery or no topic."""
        event_id = headers.get("x-wc-webhook-delivery-id") or headers.get("x-wc-delivery-id", "")
        topic, source = headers.get("x-wc-webhook-topic", ""), headers.get("x-wc-webhook-source")
        if not _DELIVERY.fullmatch(event_id):
            raise ValueError("x-wc-webhook-delivery-id does not name a delivery")
        if not _TOPIC.fullmatch(topic):
            raise ValueError("x-wc-webhook-topic does not name a topic")
        named = f"{event_id}.{hashlib.sha256(body).hexdigest()}"
        return Delivery(event_id=named, topic=topic, shop_domain=source, triggered_at=None)

    def parse(self, topic: str, body: bytes) -> tuple[Observation, ...]:
        """The facts of one webhook; empty for an unknown topic and for one that tells no fact.

        Raises ``ValueError`` starting with the JSON path when a known topic cannot be read.
        """
        read = _TOPICS.get(topic)
        return () if read is None else read(read_body(body))


def _deleted(order: Node) -> tuple[Observation, ...]:
    """Only the id is told, and the books keep what was bought."""
    order["id"].identifier()
    return ()


_TOPICS: Final[Mapping[str, Callable[[Node], tuple[Observation, ...]]]] = {
    "order.created": parse_order,
    "order.updated": parse_order,
    "order.restored": parse_order,
    "order.deleted": _deleted,
    # Not of the core: a shop that adds the topic sends the refund as its REST API tells it.
    "refund.created": parse_refund,
}
