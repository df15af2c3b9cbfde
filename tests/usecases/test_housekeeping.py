"""Only what was promised for a while is forgotten, and only when its time is over."""

from __future__ import annotations

import asyncpg
from uuid_utils.compat import uuid7

from returns_api.db import idempotency
from returns_api.db.idempotency import Claim
from returns_api.usecases.housekeeping import due_shops, tidy_shop, trim_queue_log
from tests.support.context import Clock, a_context


async def test_an_answer_is_kept_for_72_hours_and_dropped_later(app_database_url: str) -> None:
    clock, shop = Clock(), uuid7()
    async with a_context(app_database_url, clock) as ctx:
        claim = Claim(uuid7(), b"k" * 32, b"f" * 32)
        async with ctx.database.transaction(shop) as tx:
            await idempotency.store(
                tx, claim, status=201, content_type="x", headers={}, body=b"", created_at=clock()
            )

        clock.forward(hours=72)
        assert (shop, shop) not in await due_shops(ctx, 10)
        await tidy_shop(ctx, shop, shop)
        async with ctx.database.transaction(shop) as tx:
            assert (await idempotency.begin(tx, claim))["status"] == 201

        clock.forward(hours=25)
        assert (shop, shop) in await due_shops(ctx, 10)
        await tidy_shop(ctx, shop, shop)
        async with ctx.database.transaction(shop) as tx:
            assert (await idempotency.begin(tx, claim))["status"] is None
        assert (shop, shop) not in await due_shops(ctx, 10)


async def test_old_lines_of_the_queue_log_go_and_young_ones_stay(
    app_database_url: str, database_url: str
) -> None:
    clock = Clock()
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint)"
        " VALUES ($1::timestamptz - interval '8 days', 1, 'successful', 0, 'x'),"
        " ($1::timestamptz - interval '6 days', 2, 'successful', 0, 'x')",
        clock(),
    )
    async with a_context(app_database_url, clock) as ctx:
        assert await trim_queue_log(ctx) == 1
    assert await owner.fetchval("SELECT array_agg(job_id) FROM pgqueuer_log") == [2]
    await owner.close()
