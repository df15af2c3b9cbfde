"""The pool never hands on a connection that is inside somebody else's transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import asyncpg
import pytest
import uuid_utils.compat as uuids
from sqlalchemy import func, select

from returns_api.db.engine import Database
from returns_api.db.query import Query
from returns_api.domain.errors import Unavailable

SLEEP = Query(select(func.pg_sleep(30)))
PID = Query(select(func.pg_backend_pid()))
BEGAN = Query(select(func.now()))
"""When the open transaction began."""


@pytest.fixture
async def database_of_one(app_database_url: str) -> AsyncIterator[Database]:
    """A pool with a single connection, so that the next user gets the same one or a new one."""
    database = Database(app_database_url, pool_size=1)
    await database.open()
    yield database
    await database.close()


async def test_a_block_that_fails_while_a_statement_runs_leaves_a_clean_pool(
    database_of_one: Database,
) -> None:
    shop = uuids.uuid7()
    running: list[asyncio.Task[None]] = []
    began: list[datetime] = []
    with pytest.raises(ValueError, match="meanwhile"):
        await _fail_meanwhile(database_of_one, shop, running, began)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await running[0]
    for _ in range(2):
        async with database_of_one.transaction(shop) as tx:
            began.append(await tx.value(BEGAN))
    assert len(set(began)) == 3, "each block has a transaction of its own"


async def test_a_backend_that_is_terminated_is_unavailable_and_replaced(
    database_of_one: Database, database_url: str
) -> None:
    shop = uuids.uuid7()
    pids: list[int] = []
    with pytest.raises(Unavailable):
        await _lose_backend(database_of_one, shop, database_url, pids)
    async with database_of_one.transaction(shop) as tx:
        assert await tx.value(PID) not in pids


@pytest.mark.parametrize("setting", ["idle_in_transaction_session_timeout", "transaction_timeout"])
async def test_a_transaction_that_stands_still_is_ended_by_the_server(
    database_of_one: Database, setting: str
) -> None:
    async with database_of_one.transaction(uuids.uuid7()) as tx:
        limit = await tx.value(Query(select(func.current_setting(setting, True))))
        major = tx.connection.get_server_version().major
    assert limit in ({"10s", "20s"} if major >= 17 else {"10s", None})


async def _fail_meanwhile(
    database: Database, shop: UUID, running: list[asyncio.Task[None]], began: list[datetime]
) -> None:
    async with database.transaction(shop) as tx:
        began.append(await tx.value(BEGAN))
        running.append(asyncio.create_task(tx.value(SLEEP)))
        await asyncio.sleep(0.1)
        raise ValueError("meanwhile")


async def _lose_backend(database: Database, shop: UUID, url: str, pids: list[int]) -> None:
    async with database.transaction(shop) as tx:
        pids.append(await tx.value(PID))
        await _terminate(url, pids[0])
        await tx.value(PID)


async def _terminate(url: str, pid: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT pg_terminate_backend($1)", pid)
    finally:
        await connection.close()
