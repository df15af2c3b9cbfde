"""The orders of the stories, as a shop without a platform sends them (docs/orders.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from returns_api.demo.calls import Json

CURRENCY: Final = "EUR"
GATEWAY: Final = "stripe"
PARCEL: Final = "f1"
PLACED_BEFORE: Final = timedelta(days=7)
ON_ITS_WAY: Final = timedelta(days=3)
HERE: Final = {"DE": ("Berlin", "10115"), "CH": ("Zürich", "8001")}


@dataclass(frozen=True, slots=True)
class Goods:
    """A line of goods; the price of one unit in minor units."""

    name: str
    price: int
    quantity: int = 1
    tags: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class Customer:
    """Who bought. Of Switzerland, of whose law no data is kept, only the shop's own terms speak."""

    email: str = "anna@example.com"
    name: str = "Anna Weber"
    country: str = "CH"
    customer_id: str | None = "c-1"


@dataclass(frozen=True, slots=True)
class Order:
    """A known order: its address, and what else a story has to know of it."""

    href: str
    number: str
    email: str
    payment: str
    lines: dict[str, str]
    """Ids of its lines by their names."""


def document(
    name: str,
    goods: Sequence[Goods],
    buyer: Customer,
    payment: str,
    now: datetime,
    *,
    days_here: int | None,
    sent: bool,
) -> Json:
    """The whole order, paid at the bank; ``sent`` and delivered ``days_here`` days ago, or on its
    way where that is None."""
    city, postcode = HERE[buyer.country]
    placed = now - PLACED_BEFORE - timedelta(days=days_here or 0)
    paid = total_of(goods)
    return {
        "external_id": name,
        "number": f"#{name}",
        "placed_at": placed.isoformat(),
        "updated_at": now.isoformat(),
        "currency": CURRENCY,
        "total": paid,
        "lines": [_line(each) for each in goods],
        "payments": [
            {
                "external_id": "p1",
                "gateway": GATEWAY,
                "captured": paid,
                "currency": CURRENCY,
                "provider_payment_id": payment,
            }
        ],
        "buyer": {
            "email": buyer.email,
            "name": buyer.name,
            "customer_id": buyer.customer_id,
            "locale": "en",
            "street1": "Beispielweg 3",
            "city": city,
            "postcode": postcode,
            "country": buyer.country,
        },
        "parcels": [_parcel(goods, now, days_here)] if sent else [],
        "financial_status": "paid",
    }


def total_of(goods: Sequence[Goods]) -> int:
    return sum(each.total for each in goods)


def _parcel(goods: Sequence[Goods], now: datetime, days_here: int | None) -> Json:
    """Everything in one."""
    arrived = now - timedelta(days=days_here or 0)
    return {
        "external_id": PARCEL,
        "lines": [{"line": each.name, "quantity": each.quantity} for each in goods],
        "shipped_at": (arrived - ON_ITS_WAY).isoformat(),
        "delivered_at": None if days_here is None else arrived.isoformat(),
    }


def _line(goods: Goods) -> dict[str, Any]:
    return {
        "external_id": goods.name,
        "title": goods.name,
        "sku": sku(goods.name),
        "quantity": goods.quantity,
        "unit_price": goods.price,
        "tags": list(goods.tags),
    }


def sku(name: str) -> str:
    return f"SKU-{name}"
