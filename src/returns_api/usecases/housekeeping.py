"""Forgetting what was only promised for a while: stored answers, counters, the queue's own log.

Nothing of the business is ever deleted here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from returns_api.db import housekeeping as rows
from returns_api.db import idempotency, rate_limits, reconciliations
from returns_api.usecases.context import Context

ANSWERS_KEPT: Final = timedelta(hours=96)
"""Promise S4 says at least 72 hours."""
COUNTERS_KEPT: Final = timedelta(hours=1)
SWEEPS_KEPT: Final = timedelta(days=14)
"""Only sweeps that found nothing are forgotten."""
QUEUE_LOG_KEPT: Final = timedelta(days=7)


async def tidy_shop(ctx: Context, shop: UUID, _key: UUID) -> None:
    """Drop a shop's old answers and counters; running it twice or never harms nothing."""
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        await idempotency.forget(tx, now - ANSWERS_KEPT)
        await rate_limits.forget(tx, now - COUNTERS_KEPT)
        await reconciliations.forget(tx, now - SWEEPS_KEPT)


async def due_shops(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shops with something to forget."""
    now = ctx.clock()
    found = await ctx.database.sweep(
        rows.UNTIDY, answers=now - ANSWERS_KEPT, counters=now - COUNTERS_KEPT, limit=limit
    )
    return [(row["shop_id"], row["shop_id"]) for row in found]


async def trim_queue_log(ctx: Context) -> int:
    """Drop old lines of the queue's log; returns how many."""
    return await ctx.database.run(rows.TRIM_QUEUE_LOG, before=ctx.clock() - QUEUE_LOG_KEPT)
