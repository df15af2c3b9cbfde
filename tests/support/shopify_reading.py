"""Shopify's bodies read into facts, as tests ask for them."""

from __future__ import annotations

from typing import Any

from returns_api.adapters.shops.shopify import ShopifyShop
from returns_api.domain.orders import (
    Observation,
    OrderFacts,
    OrderSeen,
)
from tests.support import shopify
from tests.support.shopify import Json


def parse(topic: str, body: Json | bytes) -> tuple[Observation, ...]:
    return ShopifyShop().parse(topic, body if isinstance(body, bytes) else shopify.encode(body))


def order_of(body: Json | bytes) -> OrderFacts:
    first = parse("orders/updated", body)[0]
    assert isinstance(first, OrderSeen)
    return first.order


def jacket(**more: Any) -> Json:
    return shopify.line_item(1, "Jacket", "99.00", 2, **more)


def simple(*lines: Json, **more: Any) -> Json:
    more.setdefault("transactions", [shopify.transaction(9, "198.00")])
    return shopify.order(5, list(lines) or [jacket()], **more)
