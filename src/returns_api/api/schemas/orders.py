"""Shapes of orders, as agents and buyers read them. Nothing personal stands in them."""

from __future__ import annotations

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut
from returns_api.api.schemas.base import (
    LineId,
    Moment,
    OrderId,
    Out,
    PaymentId,
    example,
    example_id,
)

_ORD, _LI, _PAY = example_id("ord"), example_id("li"), example_id("pay")


class OrderSummaryOut(Out):
    order: OrderId
    number: str
    source: str = Field(description="The connection that told of it.")
    external_id: str
    placed_at: Moment
    currency: str
    total: int = Field(description="Minor units, as the platform states it.")
    financial_status: str | None
    cancelled_at: Moment | None
    country: str | None
    returns_opened: int


class OrdersOut(Out):
    model_config = example(
        {
            "items": [
                {
                    "order": _ORD,
                    "number": "#1001",
                    "source": "shopify",
                    "external_id": "820982911946154508",
                    "placed_at": "2026-11-01T09:00:00Z",
                    "currency": "EUR",
                    "total": 10390,
                    "financial_status": "paid",
                    "cancelled_at": None,
                    "country": "DE",
                    "returns_opened": 1,
                }
            ],
            "next_cursor": None,
        }
    )

    items: list[OrderSummaryOut]
    next_cursor: str | None


class OrderLineOut(Out):
    """One line and what became of its units."""

    line: LineId
    external_id: str
    kind: str
    title: str
    sku: str | None
    unit_price: int = Field(description="Minor units, before discounts and added taxes.")
    ordered: int
    removed: int = Field(description="Taken out by an order edit before they were shipped.")
    shipped: int
    delivered: int
    returned_elsewhere: int
    cancelled_elsewhere: int = Field(
        description="Refunded in the shop's platform before they were sent."
    )
    claimed: int = Field(description="In open or finished returns here, or lost on their way.")
    cancelled: int = Field(description="Not to be sent, beside those that the platform took out.")
    left: int = Field(description="Could still be claimed; whether they may is the policy's word.")
    shipped_at: Moment | None
    delivered_at: Moment | None = Field(description="Of the last parcel so far.")


class ParcelLineOut(Out):
    line: LineId
    quantity: int


class ParcelOut(Out):
    """An outbound parcel."""

    external_id: str
    carrier: str | None
    tracking: list[str]
    shipped_at: Moment | None
    delivered_at: Moment | None
    cancelled: bool
    lines: list[ParcelLineOut]


class PaymentOut(Out):
    """One tender and what is left of it, in minor units."""

    payment: PaymentId
    gateway: str
    currency: str
    captured: int
    reserved: int = Field(description="Held by refunds that are on their way.")
    refunded: int
    refunded_elsewhere: int
    disputed: int
    exchanged: int = Field(description="What goods of an exchange drew on; not refundable.")
    refundable: int


class OrderOut(Out):
    model_config = example(
        {
            "order": _ORD,
            "number": "#1001",
            "source": "shopify",
            "external_id": "820982911946154508",
            "version": 4,
            "placed_at": "2026-11-01T09:00:00Z",
            "updated_at": "2026-11-06T13:04:10Z",
            "currency": "EUR",
            "total": 10390,
            "taxes_included": True,
            "financial_status": "paid",
            "cancelled_at": None,
            "country": "DE",
            "region": None,
            "channel": "web",
            "returns_opened": 0,
            "tags": ["vip"],
            "flags": [],
            "lines": [
                {
                    "line": _LI,
                    "external_id": "466157049",
                    "kind": "goods",
                    "title": "Field jacket, M",
                    "sku": "JKT-M-OLIVE",
                    "unit_price": 9900,
                    "ordered": 1,
                    "removed": 0,
                    "shipped": 1,
                    "delivered": 1,
                    "returned_elsewhere": 0,
                    "cancelled_elsewhere": 0,
                    "claimed": 0,
                    "cancelled": 0,
                    "left": 1,
                    "shipped_at": "2026-11-03T08:00:00Z",
                    "delivered_at": "2026-11-06T13:03:00Z",
                }
            ],
            "parcels": [
                {
                    "external_id": "255858046",
                    "carrier": "DHL",
                    "tracking": ["00340434161094000000"],
                    "shipped_at": "2026-11-03T08:00:00Z",
                    "delivered_at": "2026-11-06T13:03:00Z",
                    "cancelled": False,
                    "lines": [{"line": _LI, "quantity": 1}],
                }
            ],
            "payments": [
                {
                    "payment": _PAY,
                    "gateway": "shopify_payments",
                    "currency": "EUR",
                    "captured": 10390,
                    "reserved": 0,
                    "refunded": 0,
                    "refunded_elsewhere": 0,
                    "disputed": 0,
                    "exchanged": 0,
                    "refundable": 10390,
                }
            ],
            "actions": [
                {
                    "action": "quote",
                    "method": "POST",
                    "href": "/v1/quotes",
                    "until": None,
                    "on_silence": None,
                }
            ],
        }
    )

    order: OrderId
    number: str
    source: str
    external_id: str
    version: int = Field(description="Grows with everything that happens to the order.")
    placed_at: Moment
    updated_at: Moment
    currency: str
    total: int
    taxes_included: bool
    financial_status: str | None
    cancelled_at: Moment | None
    country: str | None
    region: str | None
    channel: str | None
    returns_opened: int
    tags: list[str] | None = Field(description="The merchant's own words; null for buyers.")
    flags: list[str] | None = Field(
        description="Contradictions that the intake reconciled; null for buyers."
    )
    lines: list[OrderLineOut]
    parcels: list[ParcelOut]
    payments: list[PaymentOut] | None = Field(description="Null for whom refunds are hidden.")
    actions: list[ActionOut] = Field(description="What you may do about it now.")
