"""The orders of the stories, as a shop without a platform sends them (docs/orders.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from returns_api.demo.calls import Json

CURRENCY: Final = "EUR"
GATEWAY: Final = "stripe"
PLACED_BEFORE: Final = timedelta(days=10)
SENT_BEFORE: Final = timedelta(days=6)
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
    name: str, goods: Sequence[Goods], buyer: Customer, payment: str, now: datetime, days_here: int
) -> Json:
    """The whole order, paid at the bank and delivered ``days_here`` days ago."""
    city, postcode = HERE[buyer.country]
    delivered = now - timedelta(days=days_here)
    placed = min(now - PLACED_BEFORE, delivered - timedelta(days=2))
    sent = min(now - SENT_BEFORE, delivered - timedelta(days=1))
    paid = total_of(goods)
    return {
        "external_id": name,
        "number": f"#{name}",
        "placed_at": placed.isoformat(),
        "updated_at": delivered.isoformat(),
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
        "parcels": [
            {
                "external_id": "f1",
                "lines": [{"line": each.name, "quantity": each.quantity} for each in goods],
                "shipped_at": sent.isoformat(),
                "delivered_at": delivered.isoformat(),
            }
        ],
        "financial_status": "paid",
    }


def total_of(goods: Sequence[Goods]) -> int:
    return sum(each.total for each in goods)


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
