"""A reconciliation that is under way: carried on page by page, tried again, ended.

A job carries a run on and wakes itself for the rest; killed in the middle, the next one goes on
from the last page that was kept. Refuses to own what a page is (``_reconciling``) and who asks for
a run (``reconciliations``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from returns_api.db import connections as connection_rows
from returns_api.db import reconciliations as rows
from returns_api.db.engine import Row
from returns_api.db.outbox import Job
from returns_api.domain.events import SYSTEM
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.usecases import _runs
from returns_api.usecases._announce import announce
from returns_api.usecases._connections import open_account
from returns_api.usecases._reconciling import Book, Step, compare_lines, gather, look_back
from returns_api.usecases.context import Context
from returns_api.usecases.reconciliations import FRAME

STEPS_PER_JOB: Final = 20
TRIES_MAX: Final = 12
"""Failures of one and the same page before a run has failed; the waits double up to an hour."""
_STEPS: Final = {"gather": gather, "compare": compare_lines, "look_back": look_back}


async def due_reconciliations(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and key of runs that nobody carries on."""
    return await _runs.due(ctx, FRAME, limit)


async def reconcile(ctx: Context, shop: UUID, run_id: UUID) -> None:
    """Carry a run on by some pages, unless it is not due or another holds it."""
    async with ctx.database.transaction(shop) as tx:
        run = await _runs.claim(tx, ctx, FRAME, run_id)
        if run is None:
            return
        connection = await connection_rows.by_source(tx, run["source"])
    try:
        if run["attempt"] > _runs.ATTEMPTS_MAX:
            await _end(ctx, shop, run, _runs.TOO_OFTEN)
            return
        await _carry_on(ctx, shop, run, _book(ctx, run, connection))
    except ProviderRejected as refused:
        await _end(ctx, shop, run, f"refused by the provider: {refused.code}")
    except (ProviderUnavailable, OutcomeUnknown) as failure:
        await _later(ctx, shop, run, str(failure) or "no answer")


def _book(ctx: Context, run: Row, connection: Row | None) -> Book:
    """Raises ``ProviderRejected`` when the account is not connected any more."""
    provider = None if connection is None else ctx.payments.get(connection["adapter"])
    if connection is None or (provider is None and run["origin"] != "statement"):
        raise ProviderRejected("not_connected", "the account is not connected any more")
    if run["origin"] == "statement":
        return Book(connection["adapter"], None, None)
    try:
        return Book(connection["adapter"], provider, open_account(ctx, connection))
    except ValueError:
        raise ProviderRejected("secret_unreadable", "the stored secret cannot be opened") from None


async def _carry_on(ctx: Context, shop: UUID, run: Row, book: Book) -> None:
    phase, cursor = run["phase"], run["cursor"]
    for left in range(STEPS_PER_JOB, 0, -1):
        if phase == "over":
            await _end(ctx, shop, run, None)
            return
        step = await _STEPS[phase](ctx, shop, run, book, cursor)
        phase, cursor = step.phase, step.cursor
        if not await _note(ctx, shop, run, step, let_go=left == 1):
            return


async def _note(ctx: Context, shop: UUID, run: Row, step: Step, *, let_go: bool) -> bool:
    """Keep how far it is."""
    async with ctx.database.transaction(shop) as tx:
        return await _runs.carry(
            tx,
            ctx,
            FRAME,
            run,
            let_go=let_go,
            phase=step.phase,
            cursor=step.cursor,
            total=step.total,
            done=step.done,
            unmatched=step.unmatched,
        )


async def _later(ctx: Context, shop: UUID, run: Row, failure: str) -> None:
    """Try the page again after a while; after the last try the run has failed."""
    if run["tries"] >= TRIES_MAX:
        await _end(ctx, shop, run, failure)
        return
    wait = min(timedelta(seconds=10 * 2 ** run["tries"]), timedelta(hours=1))
    async with ctx.database.transaction(shop) as tx:
        if await rows.postpone(tx, run, ctx.clock() + wait, failure[:500]):
            await announce(tx, ctx, [], [Job("reconcile", run["id"], wait.total_seconds())])


async def _end(ctx: Context, shop: UUID, run: Row, failure: str | None) -> None:
    """Write the outcome; a sweep that found nothing tells nobody."""
    async with ctx.database.transaction(shop) as tx:
        ended = await _runs.end(tx, ctx, FRAME, run, failure)
        if ended is None:
            return
        await rows.forget_lines(tx, run["id"])
        report = await rows.report(tx, run["id"])
        sweep = run["origin"] == "sweep"
        if sweep and failure is None and not report:
            return
        event = _runs.event(ctx, FRAME, ended, ended["state"], 1 if sweep else 2, SYSTEM)
        found = {**event.data, "differences": _counted(report)}
        await announce(tx, ctx, [replace(event, data=found)])


def _counted(report: list[Row]) -> dict[str, int]:
    return {
        kind: sum(each["count"] for each in report if each["kind"] == kind)
        for kind in sorted({each["kind"] for each in report})
    }
