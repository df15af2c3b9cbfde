"""What the shop platform does in a story: orders that are paid, sent and delivered a while ago."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.db import orders as order_rows
from returns_api.domain.events import SYSTEM
from returns_api.domain.order_record import OrderRecord, PaymentRecord
from returns_api.domain.orders import (
    BuyerFacts,
    LineFacts,
    LineKind,
    Observation,
    OrderFacts,
    OrderSeen,
    ParcelLine,
    ParcelSeen,
    PaymentFacts,
)
from returns_api.usecases import (
    _orders,
)
from returns_api.usecases.connections import ConnectionValues, put_connection
from tests.support.story_scene import CARD, PLATFORM, Order, Scene

BUYER: Final = BuyerFacts(
    email="anna@example.com",
    name="Anna Weber",
    customer_id="c-1",
    locale="de-DE",
    street1="Canary Str. 1",
    city="Zürich",
    postcode="8001",
    country="CH",
)
"""Of a country without a law pack, so that only the shop's own terms speak."""


def goods(name: str, price: int, quantity: int = 1, **more: Any) -> LineFacts:
    """A line of goods; ``price`` of one unit in minor units."""
    return LineFacts(name, LineKind.GOODS, name, quantity, price, sku=f"SKU-{name}", **more)


def freight(price: int, **more: Any) -> LineFacts:
    return LineFacts("ship", LineKind.SHIPPING, "Standard", 1, price, shippable=False, **more)


class Ordering(Scene):
    """What comes in."""

    __slots__ = ()

    async def connect(
        self,
        source: str,
        kind: str,
        adapter: str,
        url: str,
        secret: str,
        version: int | None = None,
    ) -> None:
        """Connect an outside account; ``version`` to replace one."""
        values = ConnectionValues(
            kind=kind,
            adapter=adapter,
            account=source,
            base_url=url,
            gateways=(),
            secret=secret,
            webhook_secrets=("whsec",),
        )
        await put_connection(self.ctx, self.shop, SYSTEM, source, values, version)

    async def see(self, *seen: Observation) -> None:
        """The shop platform tells something."""
        for observation in seen:
            async with self.ctx.database.transaction(self.shop) as tx:
                await _orders.apply(tx, self.ctx, PLATFORM, observation)

    async def order(
        self,
        *lines: LineFacts,
        paid: Sequence[int] | None = None,
        gateways: Sequence[str] = (),
        delivered: timedelta | None = timedelta(days=3),
        **more: Any,
    ) -> Order:
        """An order, paid at the bank (``paid``: one payment each), sent and delivered a while ago;
        ``delivered`` None leaves it unsent."""
        self.orders += 1
        name, now = f"o{self.orders}", self.clock()
        total = sum(line.unit_price_minor * line.quantity for line in lines)
        total -= sum(line.line_discount_minor + line.order_discount_minor for line in lines)
        amounts = [total] if paid is None else list(paid)
        intents = [await self.bank.pay(amount) for amount in amounts]
        names = gateways or [CARD] * len(amounts)
        payments = tuple(
            PaymentFacts(f"p{number}", gateway, amount, "EUR", intent)
            for number, (gateway, amount, intent) in enumerate(
                zip(names, amounts, intents, strict=True)
            )
        )
        placed = now - timedelta(days=10)
        facts = OrderFacts(
            **{
                "external_id": name,
                "number": f"#{1000 + self.orders}",
                "placed_at": placed,
                "updated_at": placed,
                "currency": "EUR",
                "taxes_included": True,
                "total_minor": total,
                "lines": lines,
                "payments": payments,
                "buyer": BUYER,
                "financial_status": "paid",
                **more,
            }
        )
        await self.see(OrderSeen(facts))
        self.told[name] = facts
        if delivered is not None:
            contents = {line.external_id: line.quantity for line in lines if line.shippable}
            await self.send(name, contents, delivered=delivered)
        return await self.find(name, tuple(intents))

    async def send(
        self,
        order: str,
        contents: Mapping[str, int],
        *,
        parcel: str = "f1",
        delivered: timedelta | None = None,
    ) -> None:
        """The shop sends a parcel of an order; ``delivered`` so long ago, or not yet."""
        now = self.clock()
        sent = now - timedelta(days=5) if delivered is None else now - delivered - timedelta(days=2)
        await self.see(
            ParcelSeen(
                order_external_id=order,
                external_id=parcel,
                lines=tuple(ParcelLine(line, count) for line, count in contents.items()),
                shipped_at=sent,
                updated_at=sent,
                delivered_at=None if delivered is None else now - delivered,
            )
        )

    def facts(self, order: Order) -> OrderFacts:
        """What the platform told of the order first."""
        return self.told[order.name]

    async def find(self, name: str, intents: tuple[str, ...] = ()) -> Order:
        async with self.ctx.database.transaction(self.shop) as tx:
            order_id = await tx.connection.fetchval(
                "SELECT id FROM orders WHERE external_id = $1", name
            )
        record = await self.load(order_id)
        lines = {line.external_id: line.id for line in record.lines}
        return Order(order_id, name, lines, intents)

    async def load(self, order_id: UUID) -> OrderRecord:
        async with self.ctx.database.transaction(self.shop) as tx:
            record = await order_rows.load_order(tx, order_id)
        assert record is not None
        return record

    async def payments(self, order: Order) -> dict[str, PaymentRecord]:
        return {p.external_id: p for p in (await self.load(order.id)).payments}
