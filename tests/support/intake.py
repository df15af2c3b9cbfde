"""What came in, as tests need it: a connected shop, observations applied like the inbox does it,
and the whole state of a shop as plain data without ids, clocks and counters of events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, settings

from returns_api.db import connections
from returns_api.domain.orders import Observation
from returns_api.domain.shops import ShopSettings
from returns_api.usecases import _orders, inbox
from returns_api.usecases._connections import seal_webhook_secrets
from returns_api.usecases._waiting import NotYet
from returns_api.usecases.context import Context
from returns_api.usecases.shops import create_shop
from tests.support.context import Clock

T = TypeVar("T")

SOURCE: Final = "shopify"
ADDRESS: Final = {
    "name": "Field & Loom Returns",
    "street1": "Lagerstr. 1",
    "city": "Berlin",
    "postcode": "10115",
    "country": "DE",
}

PATIENT: Final = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""For properties that talk to a database."""

_STATE: Final = {
    "orders": """
        SELECT external_id, number, number_key, email_key, customer_key, placed_at,
               platform_updated_at, currency, taxes_included, total_minor, tags, flags, channel,
               country, region, financial_status, cancelled_at FROM orders ORDER BY 1""",
    "people": """
        SELECT o.external_id, p.email, p.phone, p.name, p.customer_id, p.street1, p.city,
               p.erased_at IS NOT NULL AS erased
        FROM order_people p JOIN orders o ON o.id = p.order_id ORDER BY 1""",
    "lines": """
        SELECT o.external_id AS "order", l.external_id, l.kind, l.title, l.unit_price_minor,
               l.ordered, l.removed, l.shipped, l.delivered, l.outside_returned,
               l.outside_cancelled
        FROM order_lines l JOIN orders o ON o.id = l.order_id ORDER BY 1, 2""",
    "parcels": """
        SELECT o.external_id AS "order", p.external_id, p.carrier, p.tracking_codes, p.shipped_at,
               p.delivered_at, p.cancelled,
               (SELECT jsonb_object_agg(l.external_id, c.quantity) FROM parcel_lines c
                JOIN order_lines l ON l.id = c.line_id WHERE c.parcel_id = p.id) AS contents
        FROM parcels p JOIN orders o ON o.id = p.order_id ORDER BY 1, 2""",
    "payments": """
        SELECT o.external_id AS "order", p.external_id, p.gateway, p.provider, p.account,
               p.provider_payment_id, p.currency, p.captured, p.reserved, p.refunded, p.external,
               p.disputed
        FROM payments p JOIN orders o ON o.id = p.order_id ORDER BY 1, 2""",
    "facts": """
        SELECT f.kind, f.provider, f.external_id, f.amount_minor, f.currency, f.active, f.counted,
               f.at, f.lines, o.external_id AS "order", p.external_id AS payment
        FROM outside_facts f LEFT JOIN orders o ON o.id = f.order_id
        LEFT JOIN payments p ON p.id = f.payment_id ORDER BY 1, 2, 3""",
    "certificates": """
        SELECT DISTINCT ON (o.external_id) o.external_id, c.digest
        FROM certificates c JOIN orders o ON o.id = c.order_id
        ORDER BY o.external_id, c.version DESC""",
    "shop": "SELECT status FROM shops",
}


@dataclass(frozen=True, slots=True)
class Intake:
    """A shop whose platform is connected as ``SOURCE``."""

    ctx: Context
    shop: UUID

    @property
    def clock(self) -> Clock:
        """The clock that the context reads, for tests to put forward."""
        assert isinstance(self.ctx.clock, Clock)
        return self.ctx.clock

    async def connect(
        self,
        source: str,
        kind: str,
        adapter: str,
        *,
        secrets: Sequence[str] = ("s3cret",),
        gateways: Sequence[str] = (),
    ) -> UUID:
        connection_id = self.ctx.new_id()
        async with self.ctx.database.transaction(self.shop) as tx:
            await connections.add(
                tx,
                id=connection_id,
                source=source,
                kind=kind,
                adapter=adapter,
                account=f"{source}.example",
                base_url="https://outside.example",
                secret_sealed=self.ctx.sealer.seal("key"),
                webhook_secrets_sealed=seal_webhook_secrets(self.ctx, secrets),
                gateways=list(gateways),
                reconcile_at=None,
                created_at=self.ctx.clock(),
            )
        return connection_id

    async def see(self, *seen: Observation) -> list[Observation]:
        """Apply each in a transaction of its own; returns what still has to wait."""
        waiting = []
        for observation in seen:
            async with self.ctx.database.transaction(self.shop) as tx:
                try:
                    await _orders.apply(tx, self.ctx, SOURCE, observation)
                except NotYet:
                    waiting.append(observation)
        return waiting

    async def settle(self, *seen: Observation) -> None:
        """The same, and what had to wait again after each round that could have helped."""
        waiting: Sequence[Observation] = seen
        for _ in range(len(seen) + 1):
            left = await self.see(*waiting)
            if len(left) == len(waiting):
                return
            waiting = left

    async def work(self) -> None:
        """Process everything in the inbox that is due by the clock."""
        for _ in range(200):
            found = await inbox.due_inbox(self.ctx, 500)
            mine = [message for shop, message in found if shop == self.shop]
            if not mine:
                return
            for message in mine:
                await inbox.process_inbox(self.ctx, self.shop, message)
        raise AssertionError("the inbox never ends")

    async def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Rows of this shop, as the service's role sees them."""
        async with self.ctx.database.transaction(self.shop) as tx:
            return [dict(row.items()) for row in await tx.connection.fetch(query, *values)]

    async def state(self) -> dict[str, list[dict[str, Any]]]:
        """Everything that observations decide."""
        return {name: await self.rows(query) for name, query in _STATE.items()}


async def an_intake(ctx: Context) -> Intake:
    """A fresh shop with its platform connected."""
    made = await create_shop(
        ctx, ShopSettings("Field & Loom", "Europe/Berlin", "EUR", "DE", "de-DE", ADDRESS)
    )
    shop = Intake(ctx, made.id)
    await shop.connect(SOURCE, "shop", "shopify")
    return shop


async def in_thread(check: Callable[..., Any]) -> None:
    """Run a Hypothesis property off the event loop, so that ``await_here`` can come back to it."""
    await asyncio.to_thread(check)


def await_here(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` on the test's loop from a thread and wait for it."""
    return asyncio.run_coroutine_threadsafe(work, loop).result(60)
