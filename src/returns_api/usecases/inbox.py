"""The inbox behind the hooks: each stored message is applied once, in its own transaction.

What a message says and that it was processed are committed together. A try is counted before it
runs, so a message that kills its worker ends among the dead as surely as one that cannot be read;
what was in one worker's hands when it was lost comes back one by one, and what lost two workers is
tried in a process of its own from then on, so that it takes nobody along any more.
A message that only came too early waits for days without being counted out. Dead ones stay
visible and can be started anew (``dead_messages``). Owns the life of a message; what its facts do
is owned by ``_orders``, ``_provider_facts`` and ``_tracking``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from returns_api.crashpoints import crashpoint
from returns_api.db import connections, inbox_bodies, shops
from returns_api.db import inbox as rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, due_in, emit
from returns_api.domain.errors import ReturnsError, Unavailable
from returns_api.ports.carriers import TrackingScan
from returns_api.ports.payments import ProviderDispute, ProviderRefund
from returns_api.usecases import _orders, _provider_facts, _tracking
from returns_api.usecases._reading import Fact, ReaderTaken, Unread, facts_in
from returns_api.usecases._waiting import NotYet
from returns_api.usecases.context import Apart, Context

MAX_FAILURES: Final = 8
PATIENCE: Final = timedelta(hours=72)
"""How long a message may wait for another one."""
DEATHS_MAX: Final = 2
"""So many workers may go while they hold a message, which may be no fault of its own."""
APART_AGAIN: Final = timedelta(seconds=10)
"""When to look again while all processes for such messages are taken."""
READER_AGAIN: Final = timedelta(seconds=3)
"""The same for one whose reader is taken, by something that is soon ended."""
UNREADABLE: Final = "unreadable"
"""Topic of an authentic body in which the door found no event."""
ERROR_MAX: Final = 300

_TELLING: Final = (ValueError, ReturnsError, Unread)
"""Their texts say what is wrong and where, and quote nothing."""

log = structlog.get_logger()


class _Lost(Exception):
    """Another try holds the message by now: nothing of this one may stay."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A claimed message and the connection it came by."""

    row: Row
    connection: Row | None

    @property
    def failures(self) -> int:
        """This try included."""
        return int(self.row["attempt"] - self.row["waits"])


def retry_in(failures: int) -> timedelta:
    """The wait after the n-th failure: 10 s, tripled each time, at most 3 hours."""
    return min(timedelta(seconds=10 * 3 ** min(failures - 1, 10)), timedelta(hours=3))


def look_again_in(waits: int) -> timedelta:
    """The wait for something missing, after ``waits`` looks: 5 s, doubled, at most an hour."""
    return min(timedelta(seconds=5 * 2 ** min(waits, 20)), timedelta(hours=1))


def spread(message_id: UUID, lease: timedelta) -> timedelta:
    """At most a quarter of a lease, another wait for each message: what one worker had in its hands
    when it was lost comes back one by one, so that whoever did it does not take the others along
    again."""
    return lease / 4 * (int.from_bytes(message_id.bytes[-4:], "big") / 2**32)


async def process_inbox(ctx: Context, shop: UUID, message_id: UUID) -> None:
    """Apply one due message; nothing happens when it is done, not due or in other hands.

    Raises:
        Unavailable: the database went away; the message becomes due again when its lease ends.
    """
    held = await _claim(ctx, shop, message_id)
    if held is None:
        return
    if ctx.apart is not None and held.row["deaths"] >= DEATHS_MAX:
        await _try_apart(ctx, ctx.apart, shop, held)
    elif held.row["left"]:
        wait = spread(message_id, ctx.lease)
        await _put_off(ctx, shop, held, wait, "the worker that had it was lost")
    else:
        await _try(ctx, shop, held)
    ctx.wake()


async def go_on(ctx: Context, shop: UUID, message_id: UUID, attempt: int) -> None:
    """Apply a message that another process claimed for this one; nothing when it holds no more."""
    async with ctx.database.transaction(shop) as tx:
        row = await rows.held(tx, message_id, attempt)
        held = None if row is None else await _held(tx, row)
    if held is not None:
        await _try(ctx, shop, held)


async def _try(ctx: Context, shop: UUID, held: _Held) -> None:
    try:
        await _process(ctx, shop, held)
    except _Lost:
        log.warning("message lost", kind="process_inbox", attempt=held.row["attempt"])
    except ReaderTaken:
        await _put_off(ctx, shop, held, READER_AGAIN, "waits for its reader")
    except (Exception, SystemExit) as failure:  # the row is the record; others must not stop
        log.warning(
            "message failed",
            topic=held.row["topic"],
            attempt=held.row["attempt"],
            error=type(failure).__name__,
            exc_info=not isinstance(failure, _TELLING),
        )
        await _fail(ctx, shop, held, _reason(failure))


async def _try_apart(ctx: Context, apart: Apart, shop: UUID, held: _Held) -> None:
    """Whatever becomes of the process that takes it, this one writes down how the try ended."""
    message_id, attempt = held.row["id"], held.row["attempt"]
    try:
        ended = await apart(shop, message_id, attempt)
    except Unavailable as busy:
        await _put_off(ctx, shop, held, APART_AGAIN, busy.detail)
        return
    async with ctx.database.transaction(shop) as tx:
        unfinished = await rows.held(tx, message_id, attempt)
    if unfinished is not None:
        log.warning("message failed", topic=held.row["topic"], attempt=attempt, outcome=ended)
        await _fail(ctx, shop, held, f"the process that tried it {ended}")


async def _put_off(ctx: Context, shop: UUID, held: _Held, wait: timedelta, because: str) -> None:
    """Give it back untried."""
    async with ctx.database.transaction(shop) as tx:
        await _give_back(tx, held, ctx.clock(), wait, because, failed=False)


async def due_inbox(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and id of messages whose time has come, whatever became of their wake-up."""
    return await rows.due(ctx.database, ctx.clock(), limit)


async def _claim(ctx: Context, shop: UUID, message_id: UUID) -> _Held | None:
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        row = await rows.claim(tx, message_id, now, now + ctx.lease)
        if row is None:
            await inbox_bodies.let_go(tx, message_id, now)
            return None
        held = await _held(tx, row)
        if held.failures > MAX_FAILURES:
            # Only tries that never came to an end lead here: each of them took its worker along.
            error = f"the worker died at each of {MAX_FAILURES} tries"
            await rows.finish(tx, message_id, row["attempt"], state="dead", now=now, error=error)
            return None
    return held


async def _held(tx: Transaction, row: Row) -> _Held:
    return _Held(row, await connections.find(tx, row["source"]))


async def _process(ctx: Context, shop: UUID, held: _Held) -> None:
    facts = await _read(ctx, held)
    async with ctx.database.transaction(shop) as tx:
        missing = [await _apply(tx, ctx, held, fact) for fact in facts]
        waits = [reason for reason in missing if reason is not None]
        await _settle(tx, ctx, held, waits, told=bool(facts))
        crashpoint("I3")
    crashpoint("I4")


async def _read(ctx: Context, held: _Held) -> Sequence[Fact]:
    """The facts in the stored body. Raises ``ValueError`` for what cannot be read."""
    row, connection = held.row, held.connection
    if connection is None:
        raise ValueError("the connection is gone")
    kind, name, body = connection["kind"], connection["adapter"], bytes(row["body"])
    reader = ctx.readers.get((kind, name))
    if reader is not None:
        return await reader(row["topic"], body)
    adapters = {"shop": ctx.shops, "payments": ctx.payments, "carrier": ctx.carriers}
    return facts_in(kind, adapters[kind][name], row["topic"], body)


async def _apply(tx: Transaction, ctx: Context, held: _Held, fact: Fact) -> NotYet | None:
    assert held.connection is not None
    source, adapter = held.row["source"], held.connection["adapter"]
    try:
        if isinstance(fact, ProviderRefund | ProviderDispute):
            await _provider_facts.apply(tx, ctx, source, adapter, source, fact)
        elif isinstance(fact, TrackingScan):
            await _tracking.apply(tx, ctx, source, fact)
        else:
            await _orders.apply(tx, ctx, source, fact)
    except NotYet as missing:
        return missing
    return None


async def _settle(
    tx: Transaction, ctx: Context, held: _Held, missing: Sequence[NotYet], *, told: bool
) -> None:
    """Finish the message, or give it back until what it waits for is there."""
    now, row = ctx.clock(), held.row
    if not missing:
        await _finish(tx, held, now, "processed" if told else "ignored")
        return
    # What cannot settle by itself decides, so that nothing is given up for the sake of the rest.
    first = min(missing, key=lambda reason: reason.settles)
    if first.soon is None and (await shops.one(tx))["status"] == "erased":
        await _finish(tx, held, now, "ignored", "the shop was erased", keep_body=False)
        return
    waited = now - row["received_at"]
    if first.soon is None and waited >= PATIENCE:
        error = f"still waits for {first.waiting_for} after {PATIENCE.total_seconds() / 3600:.0f} h"
        await _finish(tx, held, now, "processed" if first.settles else "dead", error)
        return
    wait = look_again_in(row["waits"]) if first.soon is None else first.soon
    error = f"waits for {first.waiting_for}"
    await _give_back(tx, held, now, wait, error, waiting_for=first.waiting_for)


async def _finish(
    tx: Transaction,
    held: _Held,
    now: datetime,
    state: str,
    error: str | None = None,
    *,
    keep_body: bool = True,
) -> None:
    kept = await rows.finish(
        tx,
        held.row["id"],
        held.row["attempt"],
        state=state,
        now=now,
        error=error,
        keep_body=keep_body and state != "processed",
    )
    if not kept:
        raise _Lost


async def _give_back(
    tx: Transaction, held: _Held, now: datetime, wait: timedelta, error: str, **why: Any
) -> None:
    """``why`` is that of ``db.inbox.postpone``. Raises ``_Lost``."""
    due_at, message_id = now + wait, held.row["id"]
    kept = await rows.postpone(
        tx, message_id, held.row["attempt"], due_at=due_at, error=error, **why
    )
    if not kept:
        raise _Lost
    await emit(tx, [], [Job("process_inbox", message_id, due_in(now, due_at))])


async def _fail(ctx: Context, shop: UUID, held: _Held, error: str) -> None:
    """Record a failed try; after the last one, or where no other can help, the message is dead."""
    now = ctx.clock()
    hopeless = held.row["topic"] == UNREADABLE or held.failures >= MAX_FAILURES
    async with ctx.database.transaction(shop) as tx:
        try:
            if hopeless:
                await _finish(tx, held, now, "dead", error)
            else:
                await _give_back(tx, held, now, retry_in(held.failures), error)
        except _Lost:
            return


def _reason(failure: Any) -> str:
    """What may be stored and shown: readers' errors name a place, ours a rule, others their type.

    A text of anybody else's could quote the data it stumbled over.
    """
    if isinstance(failure, ReturnsError):
        return failure.detail[:ERROR_MAX]
    if isinstance(failure, _TELLING):
        return str(failure)[:ERROR_MAX]
    return type(failure).__name__
