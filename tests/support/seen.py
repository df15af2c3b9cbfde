"""What a shop platform tells: an order with two kinds of goods, parcels, refunds, disputes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from returns_api.db import orders as order_rows
from returns_api.domain.order_record import OrderRecord
from returns_api.domain.orders import (
    BuyerFacts,
    DisputeSeen,
    LineFacts,
    LineKind,
    OrderFacts,
    OutsideRefundLine,
    OutsideRefundMoney,
    OutsideRefundSeen,
    ParcelLine,
    ParcelSeen,
    PaymentFacts,
)
from tests.support.intake import Intake

T0 = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


JACKET = LineFacts("l1", LineKind.GOODS, "Jacket", 2, 9900, order_discount_minor=1000, sku="JKT")


SHIRT = LineFacts("l2", LineKind.GOODS, "Shirt", 3, 2000)


SHIPPING = LineFacts("l3", LineKind.SHIPPING, "Standard", 1, 490, shippable=False)


CARD = PaymentFacts("p1", "shopify_payments", 25290, "EUR", "pi_1")


CASH = PaymentFacts("p1", "cash", 25290, "EUR")


BUYER = BuyerFacts(
    email="Anna@Example.com",
    phone="+49301",
    name="Anna Canary",
    customer_id="700123",
    locale="de-DE",
    street1="Canary Str. 1",
    city="Berlin",
    region="BE",
    postcode="10115",
    country="DE",
)


def at(**units: float) -> datetime:
    return T0 + timedelta(**units)


def order(**changes: Any) -> OrderFacts:
    facts = OrderFacts(
        external_id="o1",
        number="#1001",
        placed_at=T0,
        updated_at=T0,
        currency="EUR",
        taxes_included=True,
        total_minor=25290,
        lines=(JACKET, SHIRT, SHIPPING),
        payments=(CARD,),
        buyer=BUYER,
        tags=("vip",),
        channel="web",
        financial_status="paid",
    )
    return replace(facts, **changes)


def parcel(name: str = "f1", **changes: Any) -> ParcelSeen:
    seen = ParcelSeen(
        order_external_id="o1",
        external_id=name,
        lines=(ParcelLine("l1", 1), ParcelLine("l2", 2)),
        shipped_at=at(days=1),
        updated_at=at(days=1),
        carrier="DHL",
        tracking_codes=("T1",),
    )
    return replace(seen, **changes)


def money(name: str = "t1", amount: int = 2000, **changes: Any) -> OutsideRefundMoney:
    return replace(OutsideRefundMoney(name, "p1", amount, "EUR", True), **changes)


def outside(name: str = "r1", *moves: OutsideRefundMoney, **changes: Any) -> OutsideRefundSeen:
    seen = OutsideRefundSeen(
        "o1", name, at(days=5), (OutsideRefundLine("l2", 1),), moves or (money(),)
    )
    return replace(seen, **changes)


def dispute(**changes: Any) -> DisputeSeen:
    return replace(
        DisputeSeen("o1", "d1", 5000, "EUR", "under_review", True, at(days=9)), **changes
    )


async def load(intake: Intake, external_id: str = "o1") -> OrderRecord:
    found = await intake.rows("SELECT id FROM orders WHERE external_id = $1", external_id)
    async with intake.ctx.database.transaction(intake.shop) as tx:
        loaded = await order_rows.load_order(tx, found[0]["id"])
    assert loaded is not None
    return loaded


async def events(intake: Intake) -> list[tuple[str, int]]:
    found = await intake.rows(
        "SELECT type, sequence FROM events WHERE type LIKE 'order.%' ORDER BY id"
    )
    return [(row["type"], row["sequence"]) for row in found]
