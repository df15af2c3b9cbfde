"""Sweeps: finding due rows whose wake-up was lost, doubled or never meant to come.

``drain`` does the same inline until nothing is due, for tests and proofs with a clock of their own.
"""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

import structlog

from returns_api.domain.errors import Unavailable
from returns_api.usecases.context import Context
from returns_api.worker.jobs import KINDS, Kind

BATCH: Final = 200
EVERY_SECONDS: Final = 1.0
AT_ONCE: Final = 4
ROUNDS_MAX: Final = 10_000

log = structlog.get_logger()


async def sweep(ctx: Context) -> int:
    """One round over every kind; returns how many rows were looked at."""
    seen = 0
    for name, kind in KINDS.items():
        seen += await _one(ctx, name, kind)
    return seen


async def drain(ctx: Context) -> int:
    """Run what is due by ``ctx.clock`` until nothing is; returns how many rows were looked at.

    Raises:
        RuntimeError: rows stay due although they are worked on.
    """
    total = 0
    for _ in range(ROUNDS_MAX):
        seen = await sweep(ctx)
        if not seen:
            return total
        total += seen
    raise RuntimeError("something stays due for ever")


async def _one(ctx: Context, name: str, kind: Kind) -> int:
    due = await kind.due(ctx, BATCH)
    gate = asyncio.Semaphore(AT_ONCE)

    async def run(shop: UUID, key: UUID) -> None:
        async with gate:
            try:
                await kind.run(ctx, shop, key)
            except Unavailable:
                log.warning("sweep postponed", kind=name)
            except Exception as failure:  # one bad row must not stop the others
                log.error("sweep failed", kind=name, error=type(failure).__name__, exc_info=True)

    await asyncio.gather(*(run(shop, key) for shop, key in due))
    return len(due)
