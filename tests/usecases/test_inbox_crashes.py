"""kill -9 on the webhook way: nothing acknowledged is lost, nothing is applied twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from returns_api.crashpoints import VARIABLE
from returns_api.domain import ids
from returns_api.usecases.context import Context
from returns_api.usecases.hooks import store_hook
from tests.support import shopify
from tests.support.context import Clock, a_context
from tests.support.intake import SOURCE, Intake, an_intake

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ctx(app_database_url: str, clock: Clock) -> AsyncIterator[Context]:
    async with a_context(app_database_url, clock) as context:
        yield context


@pytest.fixture
async def shop(ctx: Context) -> Intake:
    return await an_intake(ctx)


async def die(shop: Intake, database_url: str, step: str, point: str) -> None:
    """Run ``step`` in a process that kills itself at ``point``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.crash_inbox",
        database_url,
        str(shop.shop),
        step,
        cwd=ROOT,
        env={**os.environ, VARIABLE: point},
    )
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL


async def send(shop: Intake) -> None:
    body = shopify.fixture("order_card")
    head = shopify.headers("orders/create", body, secret="s3cret")
    await store_hook(shop.ctx, ids.encode("shp", shop.shop), SOURCE, head, body)


async def settled(shop: Intake, clock: Clock) -> None:
    """What the platform's retry and the sweep make of it: one order, one event, one message."""
    await send(shop)
    for wait in (shop.ctx.lease, shop.ctx.lease / 4):
        clock.forward(seconds=wait.total_seconds())
        await shop.work()
    assert [row["state"] for row in await shop.rows("SELECT state FROM inbox")] == ["processed"]
    assert len((await shop.state())["orders"]) == 1
    assert len(await shop.rows("SELECT 1 FROM events WHERE type = 'order.received'")) == 1


@pytest.mark.parametrize(("point", "stored"), [("I1", 0), ("I2", 1)])
async def test_a_killed_door(
    shop: Intake, clock: Clock, app_database_url: str, point: str, stored: int
) -> None:
    await die(shop, app_database_url, "store", point)
    assert len(await shop.rows("SELECT 1 FROM inbox")) == stored
    await settled(shop, clock)


@pytest.mark.parametrize(("point", "state"), [("I3", "received"), ("I4", "processed")])
async def test_a_killed_worker(
    shop: Intake, clock: Clock, app_database_url: str, point: str, state: str
) -> None:
    await send(shop)
    await die(shop, app_database_url, "process", point)
    (row,) = await shop.rows("SELECT state, attempt FROM inbox")
    assert (row["state"], row["attempt"]) == (state, 1)
    assert len((await shop.state())["orders"]) == (state == "processed")
    await settled(shop, clock)
