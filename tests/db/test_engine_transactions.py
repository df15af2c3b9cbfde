"""A transaction belongs to one shop, commits whole or not at all, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text

from returns_api.db.engine import Database, Transaction
from returns_api.db.query import Query, here
from returns_api.db.tables import shops
from returns_api.domain.errors import Unavailable
from returns_api.domain.shops import ShopSettings
from returns_api.usecases.context import Context
from returns_api.usecases.shops import create_shop
from tests.support.context import ADDRESS, Clock, a_context

NAMES = Query(select(shops.c.name).where(here(shops)))
ALL_KEYS = Query(select(shops.c.shop_id))


@pytest.fixture
async def ctx(app_database_url: str) -> AsyncIterator[Context]:
    async with a_context(app_database_url, Clock(), pool_size=1) as context:
        yield context


async def a_shop(ctx: Context, name: str) -> UUID:
    return (await create_shop(ctx, ShopSettings(name, "UTC", "EUR", "DE", "en", ADDRESS))).id


async def rename(tx: Transaction, name: str) -> None:
    await tx.connection.execute("UPDATE shops SET name = $1", name)


async def test_one_connection_serves_shops_in_turn_and_shows_each_only_its_own(
    ctx: Context,
) -> None:
    """A pool of one: what one shop's transaction set must be gone for the next."""
    made = {await a_shop(ctx, name): name for name in ("one", "two", "three")}
    for shop, name in [*made.items()] * 2:
        async with ctx.database.transaction(shop) as tx:
            found = await tx.connection.fetch("SELECT name FROM shops")
            assert [row["name"] for row in found] == [name]
            assert [row["name"] for row in await tx.all(NAMES)] == [name]
    async with ctx.database.pool.acquire() as connection:
        assert await connection.fetch("SELECT name FROM shops") == [], "no tenant, no rows"


async def test_an_update_without_a_condition_stays_in_its_shop(ctx: Context) -> None:
    first, second = await a_shop(ctx, "first"), await a_shop(ctx, "second")
    async with ctx.database.transaction(first) as tx:
        await rename(tx, "renamed")
    async with ctx.database.transaction(second) as tx:
        assert await tx.value(NAMES) == "second"


async def test_an_error_rolls_everything_back(ctx: Context) -> None:
    shop, called = await a_shop(ctx, "before"), []

    async def failing() -> None:
        async with ctx.database.transaction(shop) as tx:
            tx.after_commit.append(lambda: called.append(1))
            await rename(tx, "after")
            raise RuntimeError("after the statement")

    with pytest.raises(RuntimeError):
        await failing()
    async with ctx.database.transaction(shop) as tx:
        assert await tx.value(NAMES) == "before"
        tx.after_commit.append(lambda: called.append(2))
        await rename(tx, "after")
        assert called == [], "not before the commit"
    assert called == [2]


async def test_undo_takes_back_the_work_and_the_rest_is_kept(ctx: Context) -> None:
    shop, called = await a_shop(ctx, "before"), []
    async with ctx.database.transaction(shop, savepoint=True) as tx:
        tx.after_commit.append(lambda: called.append(1))
        await rename(tx, "undone")
        await tx.undo()
        await tx.connection.execute("UPDATE shops SET locale = 'fr'")
        with pytest.raises(asyncpg.PostgresError):
            await tx.connection.execute("SELECT 1 / 0")
        await tx.undo()
        await tx.connection.execute("UPDATE shops SET locale = 'it'")
    async with ctx.database.transaction(shop) as tx:
        row = await tx.connection.fetchrow("SELECT name, locale FROM shops")
        assert tuple(row or ()) == ("before", "it")
    assert called == []


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.1])
async def test_a_canceled_request_leaves_the_connection_clean(ctx: Context, moment: float) -> None:
    shop = await a_shop(ctx, "before")

    async def slow() -> None:
        async with ctx.database.transaction(shop) as tx:
            await rename(tx, "never")
            await tx.connection.execute("SELECT pg_sleep(5)")

    task = asyncio.create_task(slow())
    await asyncio.sleep(moment)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with ctx.database.transaction(shop) as tx:
        assert await tx.value(NAMES) == "before"
        assert await tx.connection.fetchval("SELECT pg_current_xact_id_if_assigned()") is None


async def test_the_sweep_sees_keys_of_all_shops_and_nothing_else(ctx: Context) -> None:
    made = {await a_shop(ctx, name) for name in ("one", "two")}
    found = {row["shop_id"] for row in await ctx.database.sweep(ALL_KEYS)}
    assert made <= found
    for statement in ("SELECT name FROM shops", "UPDATE shops SET name = 'x'", "DELETE FROM shops"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ctx.database.sweep(Query(text(statement)))
    async with ctx.database.pool.acquire() as connection:
        assert await connection.fetchval("SELECT current_user") == "returns_app"


async def test_a_read_only_database_is_unavailable_and_heals(
    ctx: Context, database_url: str, database: str
) -> None:
    shop = await a_shop(ctx, "before")
    assert await ctx.database.writable()
    async with ctx.database.pool.acquire() as connection:
        await connection.execute("SET default_transaction_read_only = on")

    async def write() -> None:
        async with ctx.database.transaction(shop) as tx:
            await rename(tx, "after")

    with pytest.raises(Unavailable):
        await write()
    assert not await ctx.database.writable()
    async with ctx.database.pool.acquire() as connection:
        await connection.execute("SET default_transaction_read_only = off")
    await write()


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await Database("postgresql://nobody@127.0.0.1:9/x").open()
