"""The worker and its queue: what the database does to it, it survives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from returns_api.db.waker import Waker
from returns_api.worker.jobs import payload
from returns_api.worker.main import work_until
from tests.support.context import Clock, a_context
from tests.support.patience import PATIENCE
from tests.worker.test_jobs import KEY, SHOP, a_kind

_OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_WAKE_UP = (
    "INSERT INTO pgqueuer (priority, entrypoint, payload, status, created)"
    " VALUES (0, 'send_transfer', $1, 'queued', now())"
)


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def until(owner: Any, query: str, wanted: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await owner.fetchval(query) != wanted:  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.02)


async def test_a_worker_outlives_the_loss_of_every_connection(
    app_database_url: str, owner: Any
) -> None:
    """Twice, so that what comes back is as good as what was lost."""
    stop = asyncio.Event()
    async with a_context(app_database_url, Clock()) as ctx:
        worker = asyncio.create_task(
            work_until(stop, ctx, Waker(ctx.database), concurrency=4, shutdown_seconds=5)
        )
        for _ in range(2):
            await owner.execute(_WAKE_UP, payload(SHOP, KEY))
            await until(owner, "SELECT count(*) FROM pgqueuer", 0)
            assert await owner.fetchval(f"SELECT count(pg_terminate_backend(pid)) {_OTHERS}") > 0
        await owner.execute(_WAKE_UP, payload(SHOP, KEY))
        await until(owner, "SELECT count(*) FROM pgqueuer", 0)
        assert not worker.done()
        stop.set()
        await worker


async def test_a_worker_finishes_what_a_sweep_began_before_it_ends(app_database_url: str) -> None:
    stop, begun, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()
    ended: list[UUID] = []

    async def call(key: UUID) -> None:
        begun.set()
        await answered.wait()
        ended.append(key)

    async with a_context(app_database_url, Clock()) as ctx:
        worker = asyncio.create_task(
            work_until(
                stop,
                ctx,
                Waker(ctx.database),
                concurrency=4,
                shutdown_seconds=30,
                swept={"call": a_kind([(SHOP, KEY)], call)},
            )
        )
        await begun.wait()
        stop.set()
        done, _ = await asyncio.wait({worker}, timeout=0.2)
        assert not done
        answered.set()
        await worker
    assert ended == [KEY]
