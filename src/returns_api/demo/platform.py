"""Plays the shop platform: complete order, fulfilment and delivery webhooks, signed like Shopify.

The bodies in ``payloads/`` are whole documents of our own; here only ids, times and the payment
that was made at the bank are put in, so that nothing points at a thing that does not exist.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, Final

Json = dict[str, Any]

TOTAL_MINOR: Final = 129_82
"""What the packaged order costs, in cents; the bank has to capture as much."""
EMAIL: Final = "anna@example.com"
SKU: Final = "JKT-M-OLIVE"
_GID: Final = "gid://shopify"


def order(order_id: int, payment: str, now: datetime) -> Json:
    """``orders/create``: placed now, paid whole by the bank's ``payment``."""
    body = _packaged("order")
    at = now.isoformat()
    transaction_id = order_id + 1
    body |= {
        **_identified("Order", order_id),
        "name": number(order_id),
        "created_at": at,
        "processed_at": at,
        "updated_at": at,
    }
    body["transactions"][0] |= {
        **_identified("OrderTransaction", transaction_id),
        "order_id": order_id,
        "created_at": at,
        "processed_at": at,
        "authorization": payment,
        "receipt": {"id": payment, "object": "payment_intent"},
    }
    return body


def fulfillment(order_id: int, now: datetime) -> Json:
    """``fulfillments/create``: everything in one parcel."""
    at = now.isoformat()
    return _packaged("fulfillment") | {
        **_identified("Fulfillment", _parcel_of(order_id)),
        "order_id": order_id,
        "name": f"{number(order_id)}.1",
        "created_at": at,
        "updated_at": at,
    }


def delivery(order_id: int, now: datetime) -> Json:
    """``fulfillment_events/create``: the parcel arrived."""
    at = now.isoformat()
    return _packaged("delivery") | {
        **_identified("FulfillmentEvent", order_id + 3),
        "order_id": order_id,
        "fulfillment_id": _parcel_of(order_id),
        "happened_at": at,
        "created_at": at,
        "updated_at": at,
    }


def number(order_id: int) -> str:
    """The order's number as the buyer knows it."""
    return f"#{order_id % 10**9}"


def new_order_id(now: datetime) -> int:
    """An id that no earlier run of the demo used: tenths of milliseconds, room for its parts."""
    return int((now - datetime(2020, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1)) * 10


def signed(topic: str, body: Json, secret: str, now: datetime) -> tuple[bytes, dict[str, str]]:
    """The bytes to send and all headers of one delivery."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256)).decode()
    return raw, {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": signature,
        "x-shopify-webhook-id": str(uuid.uuid4()),
        "x-shopify-event-id": str(uuid.uuid4()),
        "x-shopify-shop-domain": "field-and-loom.myshopify.com",
        "x-shopify-api-version": "2026-07",
        "x-shopify-triggered-at": now.isoformat(),
    }


def _packaged(name: str) -> Json:
    text = (files("returns_api.demo") / "payloads" / f"{name}.json").read_text(encoding="utf-8")
    found: Json = json.loads(text)
    return found


def _identified(kind: str, ident: int) -> Mapping[str, Any]:
    return {"id": ident, "admin_graphql_api_id": f"{_GID}/{kind}/{ident}"}


def _parcel_of(order_id: int) -> int:
    return order_id + 2
