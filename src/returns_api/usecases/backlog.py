"""What waits for a worker longer than it should: the figures that say that workers are missing.

Owns: how late is late. Refuses to own what is due (each kind of job) and who is told (``api``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from returns_api.usecases.context import Context

Due = Callable[[Context, int], Awaitable[list[tuple[UUID, UUID]]]]
"""Lists (shop, key) of rows whose time has come, by the clock of its context; so many at most."""

LATE: Final = timedelta(seconds=30)
"""What is due is begun within this time, an accepted refund's sending above all (S12)."""
MOST: Final = 1000
"""Rows of a kind that are counted; more of them say no more."""


async def late_jobs(ctx: Context, kinds: Mapping[str, Due]) -> dict[str, int]:
    """How many rows of each kind have been due for longer than ``LATE`` with nobody at work on
    them, over all shops, up to ``MOST``. What waits for a paused account is not due.

    Raises:
        Unavailable: the database is away.
    """
    then = ctx.clock() - LATE
    past = replace(ctx, clock=lambda: then)
    return {name: len(await due(past, MOST)) for name, due in kinds.items()}
