"""The life of a run, the same for audits, back-tests, reconciliations and imports.

Asked for within a limit, told as an event, followed, claimed by one job at a time, ended once with
an event. Killed in the middle, the next job goes on from the last step that was kept. Owns this
frame; refuses to own the steps, and the rows (``db.runs``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.db import shops
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job
from returns_api.db.runs import Runs
from returns_api.domain import ids
from returns_api.domain.errors import Conflict, NotFound
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.usecases._announce import announce
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases.context import Context

ATTEMPTS_MAX: Final = 10_000
"""A run that needs more wake-ups than this gets nowhere."""
TOO_OFTEN: Final = "It was begun too often without coming to an end."


@dataclass(frozen=True, slots=True)
class Frame:
    """One kind of run: its rows, its job, and how it is told."""

    rows: Runs
    job: str
    noun: str
    """What its events and their resource are called: ``audit``."""
    prefix: str
    """Of its public ids."""
    words: str
    """How a refusal calls many of them."""
    open_max: int
    """How many of one shop may wait or run."""
    told: Callable[[Row], Mapping[str, Any]]
    """What its events say besides its id and state."""


async def queue(
    tx: Transaction,
    ctx: Context,
    frame: Frame,
    by: By,
    *,
    total: int = 0,
    asked: bool = True,
    **values: Any,
) -> Row:
    """A queued run and its wake-up. What people asked for is limited and told as an event.

    Raises:
        Conflict: too many of this shop wait already.
    """
    if asked:
        await _within_limit(tx, frame)
    now = ctx.clock()
    row = await frame.rows.add(
        tx, id=ctx.new_id(), total=total, due_at=now, created_at=now, **values
    )
    told = [event(ctx, frame, row, "created", 1, by)] if asked else []
    await announce(tx, ctx, told, [Job(frame.job, row["id"])])
    return row


async def gather(
    tx: Transaction, ctx: Context, frame: Frame, by: By, patience: timedelta, **values: Any
) -> Row:
    """A run whose material comes bit by bit, until ``release``; ``patience`` is how long it waits.

    Raises:
        Conflict: too many of this shop are under way already.
    """
    await _within_limit(tx, frame)
    now = ctx.clock()
    row = await frame.rows.add(
        tx, id=ctx.new_id(), total=0, due_at=now + patience, created_at=now, **values
    )
    await announce(tx, ctx, [event(ctx, frame, row, "created", 1, by)])
    return row


async def release(tx: Transaction, ctx: Context, frame: Frame, run_id: UUID, by: By) -> Row:
    """Queue a locked run that has all that it needs."""
    row = await frame.rows.release(tx, run_id, ctx.clock())
    assert row is not None
    started = event(ctx, frame, row, "started", 2, by)
    await announce(tx, ctx, [started], [Job(frame.job, row["id"])])
    return row


async def give_up(
    tx: Transaction, ctx: Context, frame: Frame, run_id: UUID, failure: str
) -> Row | None:
    """End a run that was gathered for too long and tell it; None when it was not."""
    row = await frame.rows.give_up(tx, run_id, ctx.clock(), failure)
    if row is not None:
        await announce(tx, ctx, [event(ctx, frame, row, "failed", 2, SYSTEM)])
    return row


async def _within_limit(tx: Transaction, frame: Frame) -> None:
    await shops.lock(tx)
    if await frame.rows.count_open(tx) >= frame.open_max:
        raise Conflict(f"A shop has at most {frame.open_max} {frame.words} under way.")


async def found(tx: Transaction, frame: Frame, run_id: UUID, *, lock: bool = False) -> Row:
    """One whole, in an open transaction. Raises ``NotFound``."""
    row = await (frame.rows.lock if lock else frame.rows.one)(tx, run_id)
    if row is None:
        raise NotFound(NO_SUCH_THING)
    return row


async def view(ctx: Context, shop: UUID, frame: Frame, run_id: UUID) -> Row:
    """One whole. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        return await found(tx, frame, run_id)


async def page(
    ctx: Context, shop: UUID, frame: Frame, *, before: UUID, limit: int, **only: Any
) -> list[Row]:
    """Newest first, without what they found."""
    async with ctx.database.transaction(shop) as tx:
        return await frame.rows.page(tx, before=before, limit=limit, **only)


async def due(ctx: Context, frame: Frame, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and key of those that nobody carries on."""
    waiting = await ctx.database.sweep(frame.rows.due, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in waiting]


async def claim(tx: Transaction, ctx: Context, frame: Frame, run_id: UUID) -> Row | None:
    """Take it for the length of a lease; None when it is not due or another holds it."""
    now = ctx.clock()
    return await frame.rows.claim(tx, run_id, now, now + ctx.lease)


async def carry(
    tx: Transaction, ctx: Context, frame: Frame, run: Row, *, let_go: bool, **values: Any
) -> bool:
    """Keep what a step found. The last step of a job lets the run go and wakes the next job.

    False when another attempt holds it by now: then nothing of this step may stay.
    """
    until = None if let_go else ctx.clock() + ctx.lease
    kept = await frame.rows.carry(tx, run, until=until, **values)
    if kept and let_go:
        await announce(tx, ctx, [], [Job(frame.job, run["id"])])
    return kept


async def finish(
    tx: Transaction,
    ctx: Context,
    frame: Frame,
    run: Row,
    failure: str | None,
    *,
    sequence: int = 2,
    **values: Any,
) -> Row | None:
    """Write the outcome and tell it; None when another attempt holds it by now."""
    ended = await end(tx, ctx, frame, run, failure, **values)
    if ended is not None:
        await announce(tx, ctx, [event(ctx, frame, ended, ended["state"], sequence, SYSTEM)])
    return ended


async def end(
    tx: Transaction, ctx: Context, frame: Frame, run: Row, failure: str | None, **values: Any
) -> Row | None:
    """Write the outcome without telling it."""
    state = "succeeded" if failure is None else "failed"
    return await frame.rows.finish(tx, run, state=state, failure=failure, now=ctx.clock(), **values)


def event(ctx: Context, frame: Frame, row: Row, what: str, sequence: int, by: By) -> Event:
    """``what`` happened to a run: created, succeeded or failed."""
    return Event(
        id=ctx.new_id(),
        type=f"{frame.noun}.{what}",
        resource_type=frame.noun,
        resource_id=row["id"],
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        data={
            frame.noun: ids.encode(frame.prefix, row["id"]),
            **frame.told(row),
            "state": row["state"],
        },
    )
