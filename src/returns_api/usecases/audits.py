"""Audits: every promise about money recomputed over all of a shop's rows.

A job carries one audit a few steps further and wakes itself for the rest; killed in the middle, the
next one goes on from the last step that was kept. Its report names the breaches and the end of the
chain, an *anchor*: whoever keeps it can tell later that nothing before it was changed, and so do
all later audits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from returns_api.db import audit_pages
from returns_api.db import audits as rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Row
from returns_api.domain.audits import Tally
from returns_api.domain.events import By
from returns_api.usecases import _runs
from returns_api.usecases._auditing import Place, step
from returns_api.usecases.context import Context

OPEN_MAX: Final = 2
"""Audits of one shop that may wait or run."""
STEPS_PER_JOB: Final = 20

SHOPS_MAX: Final = 1_000_000
"""Shops of one installation, as a bound on reading their keys."""

FRAME: Final = _runs.Frame(
    rows.RUNS,
    job="run_audit",
    noun="audit",
    prefix="aud",
    words="audits",
    open_max=OPEN_MAX,
    told=lambda row: {"breaches": row["breaches"]},
)


@dataclass(slots=True)
class Audited:
    """What an audit of one shop came to. ``position`` and ``digest`` are the end of its chain."""

    shop: UUID
    total: int = 0
    done: int = 0
    tally: Tally = field(default_factory=Tally)
    position: int = 0
    digest: bytes = b""


async def audit_shop(
    ctx: Context, shop: UUID, progress: Callable[[Audited], None] | None = None
) -> Audited:
    """The whole of a shop in one go, for the command line; each step is a transaction."""
    audited = Audited(shop)
    async with ctx.database.transaction(shop) as tx:
        audited.total = sum((await audit_pages.totals(tx)).values())
    place: Place | None = Place()
    while place is not None:
        place = await _step(ctx, audited, place)
        if progress is not None:
            progress(audited)
    return audited


async def start_audit(ctx: Context, shop: UUID, by: By) -> Row:
    """Queue an audit of the whole shop. Raises ``Conflict`` when too many wait already."""
    async with ctx.database.transaction(shop) as tx:
        total = sum((await audit_pages.totals(tx)).values())
        return await _runs.queue(tx, ctx, FRAME, by, total=total, requested_by=by.credential_id)


async def view_audit(ctx: Context, shop: UUID, audit_id: UUID) -> Row:
    """One with its report so far. Raises ``NotFound``."""
    return await _runs.view(ctx, shop, FRAME, audit_id)


async def list_audits(ctx: Context, shop: UUID, before: UUID, limit: int) -> list[Row]:
    """Newest first, without reports."""
    return await _runs.page(ctx, shop, FRAME, before=before, limit=limit)


async def due_audits(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and key of audits that nobody carries on."""
    return await _runs.due(ctx, FRAME, limit)


async def run_audit(ctx: Context, shop: UUID, audit_id: UUID) -> None:
    """Carry an audit on by some steps, unless it is not due or another holds it."""
    async with ctx.database.transaction(shop) as tx:
        row = await _runs.claim(tx, ctx, FRAME, audit_id)
    if row is None:
        return
    begun = Tally() if row["report"] is None else Tally.from_json(row["report"])
    audited = Audited(shop, done=row["done"], tally=begun)
    place = Place() if row["place"] is None else Place.from_json(row["place"])
    if row["attempt"] > _runs.ATTEMPTS_MAX:
        await _end(ctx, row, audited, failure=_runs.TOO_OFTEN)
        return
    for number in range(1, STEPS_PER_JOB + 1):
        following = await _step(ctx, audited, place)
        if following is None:
            await _end(ctx, row, audited)
            return
        place = following
        if not await _carry(ctx, row, audited, place, let_go=number == STEPS_PER_JOB):
            return


async def _step(ctx: Context, audited: Audited, place: Place) -> Place | None:
    async with ctx.database.transaction(audited.shop) as tx:
        done = await step(tx, place, await rows.anchors(tx) if place.phase == "chain" else {})
    audited.tally.add(done.findings)
    audited.done += done.done
    if place.phase == "shop":
        audited.position, audited.digest = place.position, place.digest
    return done.place


async def _carry(ctx: Context, row: Row, audited: Audited, place: Place, *, let_go: bool) -> bool:
    async with ctx.database.transaction(audited.shop) as tx:
        return await _runs.carry(
            tx,
            ctx,
            FRAME,
            row,
            let_go=let_go,
            done=audited.done,
            breaches=audited.tally.breaches,
            place=place.to_json(),
            report=audited.tally.to_json(),
        )


async def _end(ctx: Context, row: Row, audited: Audited, failure: str | None = None) -> None:
    """Write the outcome. A chain that does not hold is no anchor."""
    sound = not any(name.startswith("N10") for name in audited.tally.counts)
    async with ctx.database.transaction(audited.shop) as tx:
        await _runs.finish(
            tx,
            ctx,
            FRAME,
            row,
            failure,
            done=audited.done,
            breaches=audited.tally.breaches,
            report=audited.tally.to_json(),
            position=audited.position,
            digest=audited.digest if failure is None and sound else None,
        )


async def all_shops(ctx: Context) -> list[UUID]:
    """Every shop of the installation."""
    found = await ctx.database.sweep(shop_rows.ALL, limit=SHOPS_MAX)
    return [row["shop_id"] for row in found]
