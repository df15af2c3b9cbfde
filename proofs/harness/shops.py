"""Orders for a proof, brought in through the service's own door: signed webhooks.

Each is the demo's whole order under an id of its own, paid at the bank, so that the payment that
the service knows is one that the bank knows too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any, Final
from uuid import UUID

from proofs.harness.client import Client
from proofs.harness.simulators import Bank
from proofs.harness.stage import Lane, Superuser

from returns_api.demo import platform
from returns_api.domain import ids

AT_ONCE: Final = 8
APPEAR_SECONDS: Final = 120.0

_numbers = count(platform.new_order_id(datetime.now(UTC)), 10)


@dataclass(frozen=True, slots=True)
class Order:
    """``external`` is the platform's id, ``payment`` the bank's."""

    id: UUID
    external: int
    payment: str

    @property
    def public(self) -> str:
        return ids.encode("ord", self.id)


async def bring_orders(
    lane: Lane,
    client: Client,
    bank: Bank,
    how_many: int,
    *,
    delivered: bool = False,
    gateway: str | None = None,
    account: str | None = None,
) -> list[Order]:
    """Orders that the service knows, delivered ones when asked; raises ``TimeoutError``.

    ``gateway`` and ``account`` (the bank's key) are those of the demo, unless said.
    """
    externals = [next(_numbers) for _ in range(how_many)]
    account = account or lane.demo["bank_account"]
    payments = await bank.pay(account, [platform.TOTAL_MINOR] * how_many)
    now = datetime.now(UTC)
    await in_parallel(
        [
            partial(_bring, lane, client, external, payment, now, delivered, gateway)
            for external, payment in zip(externals, payments, strict=True)
        ],
        AT_ONCE,
    )
    async with lane.superuser() as connection:
        known = await _appeared(connection, [str(each) for each in externals], delivered=delivered)
    return [
        Order(known[str(external)], external, payment)
        for external, payment in zip(externals, payments, strict=True)
    ]


async def hook(lane: Lane, client: Client, topic: str, body: dict[str, Any]) -> None:
    """One signed webhook of the shop platform, until it is taken."""
    raw, headers = platform.signed(topic, body, lane.demo["shopify_secret"], datetime.now(UTC))
    answer = await client.send_raw("POST", hook_path(lane, "shopify"), headers, raw)
    assert answer.status == 200, answer


def hook_path(lane: Lane, source: str) -> str:
    return f"/v1/hooks/{lane.demo['shop']}/{source}"


async def in_parallel(work: Sequence[Callable[[], Awaitable[Any]]], at_once: int) -> list[Any]:
    """Run all, ``at_once`` at a time; results in order."""
    gate = asyncio.Semaphore(at_once)

    async def run(each: Callable[[], Awaitable[Any]]) -> Any:
        async with gate:
            return await each()

    return list(await asyncio.gather(*(run(each) for each in work)))


async def _bring(
    lane: Lane,
    client: Client,
    external: int,
    payment: str,
    now: datetime,
    delivered: bool,
    gateway: str | None,
) -> None:
    order = platform.order(external, payment, now)
    if gateway is not None:
        order["transactions"][0]["gateway"] = gateway
    await hook(lane, client, "orders/create", order)
    if delivered:
        await hook(lane, client, "fulfillments/create", platform.fulfillment(external, now))
        await hook(lane, client, "fulfillment_events/create", platform.delivery(external, now))


async def _appeared(
    connection: Superuser, externals: Sequence[str], *, delivered: bool
) -> dict[str, UUID]:
    query = (
        "SELECT o.external_id, o.id FROM orders o WHERE o.external_id = ANY ($1)"
        " AND (NOT $2 OR NOT EXISTS (SELECT FROM order_lines l WHERE l.order_id = o.id"
        " AND l.kind = 'goods' AND l.delivered < l.ordered))"
    )
    async with asyncio.timeout(APPEAR_SECONDS):
        while True:
            rows = await connection.fetch(query, list(externals), delivered)
            if len(rows) == len(externals):
                return {row["external_id"]: row["id"] for row in rows}
            await asyncio.sleep(0.05)
