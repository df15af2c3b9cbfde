"""Telling what happened in the transaction of the change, and hurrying the workers after it."""

from __future__ import annotations

from collections.abc import Sequence

from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain.events import Event
from returns_api.usecases.context import Context


async def announce(
    tx: Transaction, ctx: Context, happened: Sequence[Event], jobs: Sequence[Job] = ()
) -> None:
    """Write events, their deliveries and jobs; wake the workers once it is committed."""
    if await emit(tx, happened, jobs):
        tx.after_commit.append(ctx.wake)
