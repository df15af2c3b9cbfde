"""Sweeps: finding due rows whose wake-up was lost, doubled or never meant to come.

``drain`` does the same inline until nothing is due, for tests and proofs with a clock of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import structlog

from returns_api.domain.errors import Unavailable
from returns_api.usecases.context import Context
from returns_api.worker.jobs import KINDS, Kind

BATCH: Final = 200
EVERY_SECONDS: Final = 1.0
AT_ONCE: Final = 4
STUCK_ROUNDS: Final = 50
"""Rounds in which the very same rows stay due before ``drain`` gives up."""

log = structlog.get_logger()

Looked = tuple[str, UUID, UUID]
"""Kind of the job, shop and key of one row that was due."""


async def sweep(
    ctx: Context, kinds: Mapping[str, Kind] = KINDS, stop: asyncio.Event | None = None
) -> int:
    """One round over every kind; returns how many rows were looked at.

    Once ``stop`` is set it begins no row any more and ends with those that it has in hand.
    """
    return len(await _round(ctx, kinds, stop or asyncio.Event()))


async def drain(ctx: Context, kinds: Mapping[str, Kind] = KINDS) -> int:
    """Run what is due by ``ctx.clock`` until nothing is; returns how many rows were looked at.

    Raises:
        RuntimeError: the same rows stay due although they are worked on; names them.
    """
    total, before, same = 0, set[Looked](), 0
    while seen := await _round(ctx, kinds, asyncio.Event()):
        total += len(seen)
        same = same + 1 if seen == before else 0
        if same >= STUCK_ROUNDS:
            raise RuntimeError(f"these stay due for ever: {sorted(map(str, seen))[:5]}")
        before = seen
    return total


async def _round(ctx: Context, kinds: Mapping[str, Kind], stop: asyncio.Event) -> set[Looked]:
    seen: set[Looked] = set()
    for name, kind in kinds.items():
        if not stop.is_set():
            seen |= {(name, shop, key) for shop, key in await _one(ctx, name, kind, stop)}
    return seen


async def _one(ctx: Context, name: str, kind: Kind, stop: asyncio.Event) -> list[tuple[UUID, UUID]]:
    due = await kind.due(ctx, BATCH)
    gate = asyncio.Semaphore(AT_ONCE)

    async def run(shop: UUID, key: UUID) -> None:
        async with gate:
            if stop.is_set():
                return
            try:
                await kind.run(ctx, shop, key)
            except Unavailable:
                log.warning("sweep postponed", kind=name)
            except Exception as failure:  # one bad row must not stop the others
                log.error("sweep failed", kind=name, error=type(failure).__name__, exc_info=True)

    await asyncio.gather(*(run(shop, key) for shop, key in due))
    return due
