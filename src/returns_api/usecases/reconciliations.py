"""Reconciliation: our books of an account beside the provider's own list or a settlement file.

A sweep opens a run for each account by itself; people ask for one or import a file. Every
difference is a row with what is to be done about it. Refuses to own how a run is carried on
(``reconciliation_runs``).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.db import connections as connection_rows
from returns_api.db import reconciliations as rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.errors import DoesNotFit, NotFound
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.statements import StatementLine, parse_statement
from returns_api.ports.payments import Listing
from returns_api.usecases import _runs
from returns_api.usecases._book_lines import line_of
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases.context import Context

OPEN_MAX: Final = 5
"""Runs that people of one shop asked for and that may wait or run at once."""
EVERY: Final = timedelta(minutes=15)
"""How soon the sweep finds what a lost webhook did not tell (S16)."""
SLOWLY: Final = timedelta(days=1)
"""The same where each payment has to be asked about, and how often a sweep looks back whole."""
OVERLAP: Final = timedelta(hours=1)
LOOK_BACK: Final = timedelta(days=35)
"""What a whole sweep covers: late failures come within weeks."""

FRAME: Final = _runs.Frame(
    rows.RUNS,
    job="reconcile",
    noun="reconciliation",
    prefix="rcn",
    words="reconciliations",
    open_max=OPEN_MAX,
    told=lambda row: {"source": row["source"], "origin": row["origin"], "differences": {}},
)


@dataclass(frozen=True, slots=True)
class RunView:
    """A run and how many differences of each sort it found."""

    row: Row
    report: list[Row]


async def start_reconciliation(
    ctx: Context, shop: UUID, by: By, source: str, since: datetime | None
) -> Row:
    """Queue a comparison with the provider's list of everything since then (35 days, if not said).

    Raises:
        NotFound: there is no such active payment account.
        DoesNotFit: its provider shows no list, or the time lies in the future.
        Conflict: too many of this shop wait already.
    """
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        connection = await _account(tx, source)
        provider = ctx.payments.get(connection["adapter"])
        if provider is None or provider.capabilities.listing is Listing.NOTHING:
            problem = "its provider shows no list: import a settlement file"
            raise DoesNotFit(
                "This account cannot be read.", errors=[{"field": "source", "problem": problem}]
            )
        begin = since or now - LOOK_BACK
        if begin >= now:
            raise DoesNotFit(
                "The time begins in the future.",
                errors=[{"field": "since", "problem": "in the future"}],
            )
        return await _open(tx, ctx, by, source, "provider", begin, now, whole=True)


async def import_statement(
    ctx: Context,
    shop: UUID,
    by: By,
    source: str,
    text: str,
    since: datetime | None,
    until: datetime | None,
) -> Row:
    """Queue a comparison with a settlement file (``domain.statements`` says its form).

    Ours that the file lacks are looked for only where the caller says which time it covers whole.

    Raises:
        NotFound: there is no such active payment account.
        Invalid: a file that cannot be read; names its rows.
        DoesNotFit: a time that ends before it begins.
        Conflict: too many of this shop wait already.
    """
    lines = await asyncio.to_thread(parse_statement, text)
    now, times = ctx.clock(), [line.at for line in lines]
    begin, end = since or min(times), min(until or now, now)
    whole = since is not None
    if whole and begin >= end:
        raise DoesNotFit(
            "The time ends before it begins.",
            errors=[{"field": "since", "problem": "not before the end"}],
        )
    async with ctx.database.transaction(shop) as tx:
        await _account(tx, source)
        row = await _open(
            tx, ctx, by, source, "statement", begin, max(end, begin), whole=whole, total=len(lines)
        )
        await rows.add_lines(tx, [_stated(row["id"], line) for line in lines])
        return row


def _stated(run_id: UUID, line: StatementLine) -> dict[str, Any]:
    return line_of(run_id, **{name: getattr(line, name) for name in StatementLine.__slots__})


async def _account(tx: Transaction, source: str) -> Row:
    found = await connection_rows.by_source(tx, source)
    if found is None or found["kind"] != "payments":
        raise NotFound(NO_SUCH_THING)
    return found


async def _open(
    tx: Transaction,
    ctx: Context,
    by: By,
    source: str,
    origin: str,
    since: datetime,
    until: datetime,
    *,
    whole: bool,
    total: int = 0,
) -> Row:
    """A queued run of an account. Sweeps are neither limited nor told."""
    return await _runs.queue(
        tx,
        ctx,
        FRAME,
        by,
        asked=origin != "sweep",
        source=source,
        origin=origin,
        whole=whole,
        since=since,
        until=until,
        phase="compare" if origin == "statement" else "gather",
        total=total,
        requested_by=by.credential_id,
    )


async def view_reconciliation(ctx: Context, shop: UUID, run_id: UUID) -> RunView:
    """One with its report. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        return RunView(await _runs.found(tx, FRAME, run_id), await rows.report(tx, run_id))


async def list_reconciliations(
    ctx: Context, shop: UUID, *, before: UUID, limit: int, source: str | None
) -> list[Row]:
    """Newest first, of one account or all."""
    return await _runs.page(ctx, shop, FRAME, before=before, limit=limit, source=source)


async def list_differences(
    ctx: Context, shop: UUID, run_id: UUID, *, before: UUID, limit: int, kind: str | None
) -> list[Row]:
    """What a run found, newest first, of one kind or all. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        await _runs.found(tx, FRAME, run_id)
        return await rows.differences(
            tx, reconciliation_id=run_id, before=before, limit=limit, kind=kind
        )


async def due_accounts(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and key of payment accounts whose sweep is due."""
    due = await ctx.database.sweep(rows.DUE_CONNECTIONS, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in due]


async def sweep_account(ctx: Context, shop: UUID, connection_id: UUID) -> None:
    """Open the next run of an account, unless it is not due or the one before is under way."""
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        connection = await rows.take_connection(tx, connection_id, now)
        if connection is None:
            return
        provider = ctx.payments.get(connection["adapter"])
        listing = Listing.NOTHING if provider is None else provider.capabilities.listing
        if not connection["active"] or listing is Listing.NOTHING:
            await rows.next_sweep(tx, connection_id, None)
            return
        paused = connection["paused_until"]
        if paused is not None and paused > now:
            await rows.next_sweep(tx, connection_id, paused)
            return
        by_account = listing is Listing.ACCOUNT
        await rows.next_sweep(tx, connection_id, now + (EVERY if by_account else SLOWLY))
        if await rows.sweep_is_open(tx, connection["source"]):
            return
        last = await rows.last(tx, connection["source"])
        whole = not by_account or _whole_is_due(last["whole_until"], now)
        since = now - LOOK_BACK
        if not whole:
            since = max(since, last["until"] - OVERLAP)
        await _open(tx, ctx, SYSTEM, connection["source"], "sweep", since, now, whole=whole)


def _whole_is_due(last: datetime | None, now: datetime) -> bool:
    return last is None or now - last >= SLOWLY
