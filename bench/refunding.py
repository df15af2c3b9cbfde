"""Refunds for measurements: asked over HTTP, waited for until the bank's evidence settled them."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any, Final
from uuid import UUID

from proofs.harness.client import Client
from proofs.harness.cpu import per_job, spent
from proofs.harness.shops import Order, in_parallel
from proofs.harness.stage import Lane

from returns_api.domain import ids

CONCURRENCY: Final = 16
PATIENCE_SECONDS: Final = 3_600.0
AMOUNT: Final = 100
"""Of each refund, in minor units."""
REFUNDS_PER_ORDER: Final = 10
SETTLED: Final = "SELECT count(*) FROM transfers WHERE state = 'succeeded'"


async def end_to_end(
    lane: Lane, client: Client, connection: Any, orders: list[Order], count: int, name: str = "e2e"
) -> dict[str, Any]:
    """Refunds over HTTP until the provider's evidence settled the last one. ``name`` begins their
    keys."""
    before, cpu = await connection.fetchval(SETTLED), spent(lane)
    work = [
        partial(ask_refund, lane, client, orders[number % len(orders)], f"{name}-{number}")
        for number in range(count)
    ]
    begun = time.perf_counter()
    await in_parallel(work, CONCURRENCY)
    asked = time.perf_counter() - begun
    await until_settled(connection, before + count)
    seconds = time.perf_counter() - begun
    return {
        "refunds": count,
        "seconds": round(seconds, 2),
        "per_second": round(count / seconds, 1),
        "asked_per_second": round(count / asked, 1),
        "cpu_ms_per_refund": per_job(cpu, spent(lane), count),
    }


async def ask_refund(lane: Lane, client: Client, order: Order, key: str) -> UUID | None:
    body = {"order": order.public, "amount": AMOUNT}
    token = lane.demo["keys"]["finance"]
    answer = await client.send("POST", "/v1/refunds", token, body, key=key)
    assert answer.status == 202, answer
    return ids.decode("ref", answer.json()["refund"])


async def until_settled(connection: Any, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await connection.fetchval(SETTLED) < count:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
