"""Events, deliveries and jobs: one statement, all or nothing, once each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job, due_in, emit
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.shops import ShopSettings
from returns_api.usecases.context import Context
from returns_api.usecases.shops import create_shop
from tests.support.context import ADDRESS, START, Clock, a_context


@pytest.fixture
async def ctx(app_database_url: str) -> AsyncIterator[Context]:
    async with a_context(app_database_url, Clock()) as context:
        yield context


@pytest.fixture
async def shop(ctx: Context) -> UUID:
    settings = ShopSettings("A shop", "UTC", "EUR", "DE", "en", ADDRESS)
    return (await create_shop(ctx, settings)).id


def event(ctx: Context, type_: str = "thing.moved", sequence: int = 1, **more: Any) -> Event:
    values: dict[str, Any] = {
        "id": ctx.new_id(),
        "type": type_,
        "resource_type": "thing",
        "resource_id": ctx.new_id(),
        "sequence": sequence,
        "at": START,
        "by": SYSTEM,
        "data": {"state": "moved"},
    }
    return Event(**values | more)


async def endpoint(tx: Transaction, ctx: Context, *topics: str, state: str = "active") -> UUID:
    made = ctx.new_id()
    await tx.connection.execute(
        "INSERT INTO webhook_endpoints (shop_id, id, url, topics, secrets_sealed, state)"
        " VALUES ($1, $2, 'https://x.example', $3, '', $4)",
        tx.shop,
        made,
        list(topics),
        state,
    )
    return made


async def jobs(tx: Transaction, shop: UUID) -> list[str]:
    """Entrypoints of the queued jobs of a shop."""
    rows = await tx.connection.fetch(
        "SELECT entrypoint FROM pgqueuer WHERE payload LIKE convert_to($1, 'UTF8') ORDER BY id",
        f"{shop}/%",
    )
    return [row["entrypoint"] for row in rows]


async def test_an_event_is_kept_as_it_was_told(ctx: Context, shop: UUID) -> None:
    key = ctx.new_id()
    told = event(ctx, by=By("agent", key, "req-1"), reason="why", data={"ids": [str(key)], "n": 1})
    async with ctx.database.transaction(shop) as tx:
        assert not await emit(tx, [told]), "nobody listens, so nobody has to be woken"
        row = await tx.connection.fetchrow("SELECT * FROM events WHERE id = $1", told.id)
    assert row is not None
    assert {name: row[name] for name in ("actor", "actor_id", "request_id", "reason", "at")} == {
        "actor": "agent",
        "actor_id": key,
        "request_id": "req-1",
        "reason": "why",
        "at": START,
    }
    assert row["data"] == {"ids": [str(key)], "n": 1}


@pytest.mark.parametrize(
    ("topics", "asked"),
    [
        (["*"], True),
        (["thing.*"], True),
        (["thing.moved"], True),
        (["other.*", "thing.moved"], True),
        (["thing.movedd"], False),
        (["thin.*"], False),
        (["thing"], False),
        ([], False),
    ],
)
async def test_an_endpoint_hears_what_it_asked_for(
    ctx: Context, shop: UUID, topics: list[str], asked: bool
) -> None:
    told = event(ctx)
    async with ctx.database.transaction(shop) as tx:
        await endpoint(tx, ctx, *topics)
        assert await emit(tx, [told]) == asked
        found = await tx.connection.fetch(
            "SELECT due_at, state FROM deliveries WHERE event_id = $1", told.id
        )
    assert [(row["due_at"], row["state"]) for row in found] == (
        [(START, "queued")] if asked else []
    )


async def test_each_endpoint_gets_a_delivery_and_each_event_one_job(
    ctx: Context, shop: UUID
) -> None:
    happened = [event(ctx), event(ctx)]
    async with ctx.database.transaction(shop) as tx:
        for topic in ("*", "thing.*"):
            await endpoint(tx, ctx, topic)
        await endpoint(tx, ctx, "*", state="disabled")
        await emit(tx, happened, [Job("carry_label", ctx.new_id())])
        count = await tx.connection.fetchval("SELECT count(*) FROM deliveries")
        assert count == 4
        assert sorted(await jobs(tx, shop)) == ["carry_label", "deliver_event", "deliver_event"]


async def test_another_shop_hears_nothing(ctx: Context, shop: UUID) -> None:
    settings = ShopSettings("Another", "UTC", "EUR", "DE", "en", ADDRESS)
    other = (await create_shop(ctx, settings)).id
    async with ctx.database.transaction(other) as tx:
        await endpoint(tx, ctx, "*")
    async with ctx.database.transaction(shop) as tx:
        await emit(tx, [event(ctx)])
    async with ctx.database.transaction(other) as tx:
        assert await tx.connection.fetchval("SELECT count(*) FROM deliveries") == 0
        assert await tx.connection.fetchval("SELECT count(*) FROM events") == 1, "its own making"


async def test_what_is_rolled_back_was_never_told(ctx: Context, shop: UUID) -> None:
    """S20: an event exists exactly when its transition does."""
    told, key = event(ctx), ctx.new_id()

    async def failing() -> None:
        async with ctx.database.transaction(shop) as tx:
            await endpoint(tx, ctx, "*")
            await emit(tx, [told], [Job("carry_label", key)])
            raise RuntimeError("after the telling")

    with pytest.raises(RuntimeError):
        await failing()
    async with ctx.database.transaction(shop, savepoint=True) as tx:
        await emit(tx, [told], [Job("carry_label", key)])
        await tx.undo()
    async with ctx.database.transaction(shop) as tx:
        assert (
            await tx.connection.fetchval("SELECT count(*) FROM events WHERE id = $1", told.id) == 0
        )
        assert await jobs(tx, shop) == []


async def test_a_sequence_is_told_once(ctx: Context, shop: UUID) -> None:
    first = event(ctx)
    again = event(ctx, resource_id=first.resource_id)
    async with ctx.database.transaction(shop) as tx:
        await emit(tx, [first])
    with pytest.raises(asyncpg.UniqueViolationError):
        async with ctx.database.transaction(shop) as tx:
            await emit(tx, [again])


async def test_nothing_to_tell_is_no_statement(ctx: Context, shop: UUID) -> None:
    async with ctx.database.transaction(shop) as tx:
        assert not await emit(tx, [], [])


async def test_a_job_can_wait(ctx: Context, shop: UUID) -> None:
    async with ctx.database.transaction(shop) as tx:
        assert await emit(tx, [], [Job("send_transfer", ctx.new_id(), 90.5)])
        wait = await tx.connection.fetchval(
            "SELECT execute_after - now() FROM pgqueuer WHERE payload LIKE convert_to($1, 'UTF8')",
            f"{shop}/%",
        )
    assert wait == timedelta(seconds=90.5)
    assert due_in(START, START + timedelta(seconds=3)) == 3
    assert due_in(START, START - timedelta(seconds=3)) == 0
