"""Imports: a file of order documents, one a line, sent in parts and carried on as a job.

A part is stored before it is answered, and dropped with its last line. Each batch of lines is one
transaction with the place that comes after it, so an import that is killed in the middle goes on
with the next line: none is lost and none is done twice. A line that cannot be taken is named with
its field and what would be right; the others are taken all the same.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from contextlib import aclosing
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg

from returns_api.db import imports as rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.errors import ActionNotAllowed, Conflict, DoesNotFit
from returns_api.domain.events import By
from returns_api.usecases import _runs
from returns_api.usecases._documents import Outcome, known_source, put_documents
from returns_api.usecases._import_lines import Batch, batches
from returns_api.usecases.context import Context

OPEN_MAX: Final = 3
PART_MAX: Final = 8 * 1024 * 1024
"""Bytes of one part."""
SIZE_MAX: Final = 16 * 1024**3
"""Bytes of one import."""
LINES_MAX: Final = 20_000_000
PATIENCE: Final = timedelta(hours=24)
"""How long an import waits for its next part."""
BATCHES_PER_JOB: Final = 80
PROBLEMS_KEPT: Final = 10_000
"""Lines that cannot be taken and are named; the rest are counted."""

FRAME: Final = _runs.Frame(
    rows.RUNS,
    job="run_import",
    noun="import",
    prefix="imp",
    words="imports",
    open_max=OPEN_MAX,
    told=lambda row: {name: row[name] for name in rows.COUNTERS},
)
_UNFORESEEN: Final = "should be storable: the database refused it"
_DATABASE_REFUSES: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
_CLASH: Final = "should be later: another document with this time is known"


class _Lost(Exception):
    """Another attempt holds the import by now: nothing of this batch may stay."""


async def start_import(ctx: Context, shop: UUID, by: By, source: str) -> Row:
    """An import that waits for its parts.

    Raises:
        DoesNotFit: ``source`` is neither ``api`` nor a shop platform that is connected.
        Conflict: too many of this shop are under way.
    """
    async with ctx.database.transaction(shop) as tx:
        await known_source(tx, source)
        return await _runs.gather(
            tx, ctx, FRAME, by, PATIENCE, source=source, requested_by=by.credential_id
        )


async def add_part(ctx: Context, shop: UUID, import_id: UUID, first_byte: int, body: bytes) -> Row:
    """Append whole lines to the file; the same part a second time changes nothing.

    Raises:
        NotFound: there is no such import.
        ActionNotAllowed: it takes no more parts.
        Conflict: the file goes on elsewhere; names where.
        DoesNotFit: the file would become too large.
    """
    digest = await asyncio.to_thread(lambda: hashlib.sha256(body).digest())
    async with ctx.database.transaction(shop) as tx:
        row = await _open(tx, import_id)
        if first_byte != row["size"]:
            known = await rows.part_at(tx, import_id, first_byte)
            if known is not None and bytes(known["digest"]) == digest:
                return row
            raise Conflict(f"The file goes on at byte {row['size']}.", received=row["size"])
        lines = body.count(b"\n") + (0 if body.endswith(b"\n") or not body else 1)
        if row["size"] + len(body) > SIZE_MAX or row["total"] + lines > LINES_MAX:
            most = f"should have at most {SIZE_MAX} bytes and {LINES_MAX} lines"
            raise DoesNotFit("The file is too large.", errors=[{"field": "body", "problem": most}])
        if not body:
            return row
        await rows.add_part(
            tx,
            import_id,
            no=row["parts"] + 1,
            first_byte=first_byte,
            lines=lines,
            digest=digest,
            body=body,
        )
        due_at = ctx.clock() + PATIENCE
        return await rows.grow(tx, import_id, size=len(body), lines=lines, due_at=due_at)


async def run_started(ctx: Context, shop: UUID, by: By, import_id: UUID, size: int) -> Row:
    """The file is whole: queue the import. Started before, it is answered as it is.

    Raises:
        NotFound: there is no such import.
        Conflict: not all bytes of the file are here; names how many are.
    """
    async with ctx.database.transaction(shop) as tx:
        row = await _runs.found(tx, FRAME, import_id, lock=True)
        if row["size"] != size:
            raise Conflict(f"{row['size']} bytes are here.", received=row["size"])
        if row["state"] != "open":
            return row
        return await _runs.release(tx, ctx, FRAME, import_id, by)


async def _open(tx: Transaction, import_id: UUID) -> Row:
    row = await _runs.found(tx, FRAME, import_id, lock=True)
    if row["state"] != "open":
        raise ActionNotAllowed("This import takes no more parts.", state=row["state"], allowed=[])
    return row


async def view_import(ctx: Context, shop: UUID, import_id: UUID) -> Row:
    """How far one is. Raises ``NotFound``."""
    return await _runs.view(ctx, shop, FRAME, import_id)


async def list_imports(ctx: Context, shop: UUID, before: UUID, limit: int) -> list[Row]:
    """Newest first."""
    return await _runs.page(ctx, shop, FRAME, before=before, limit=limit)


async def list_problems(
    ctx: Context, shop: UUID, import_id: UUID, *, after: int, limit: int
) -> list[Row]:
    """What is wrong in lines behind ``after``, in their order. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        await _runs.found(tx, FRAME, import_id)
        return await rows.problems(tx, import_id, after=after, limit=limit)


async def due_imports(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and key of imports that nobody carries on, or whose next part never came."""
    return await _runs.due(ctx, FRAME, limit)


async def run_import(ctx: Context, shop: UUID, import_id: UUID) -> None:
    """Carry an import on by some batches, unless it is not due or another holds it."""
    async with ctx.database.transaction(shop) as tx:
        run = await _runs.claim(tx, ctx, FRAME, import_id)
        if run is None:
            await _give_up(tx, ctx, import_id)
            return
    try:
        if run["attempt"] > _runs.ATTEMPTS_MAX:
            await _end(ctx, shop, run, _runs.TOO_OFTEN)
            return
        await _carry_on(ctx, shop, run)
    except Conflict as refused:
        await _end(ctx, shop, run, refused.detail)
    except _Lost:
        return


async def _give_up(tx: Transaction, ctx: Context, import_id: UUID) -> None:
    failure = f"Its next part did not come within {PATIENCE.total_seconds() / 3600:.0f} hours."
    given_up = await _runs.give_up(tx, ctx, FRAME, import_id, failure)
    if given_up is not None:
        await rows.drop_parts(tx, import_id, given_up["parts"])


async def _carry_on(ctx: Context, shop: UUID, run: Row) -> None:
    left, named = BATCHES_PER_JOB, run["rejected"]
    async with aclosing(batches(ctx, shop, run)) as found:
        async for batch in found:
            left -= 1
            let_go = not left and not batch.ends_file
            named += await _apply(ctx, shop, run, batch, named, let_go)
            if let_go:
                return
    await _end(ctx, shop, run, None)


async def _apply(ctx: Context, shop: UUID, run: Row, batch: Batch, known: int, let_go: bool) -> int:
    """Write a batch and the place after it; returns how many of its lines were rejected.

    Where the database refuses something that no rule of ours foresaw, each line is tried on its
    own: it must not take the others along.
    """
    try:
        return await _write(ctx, shop, run, batch, known, let_go=let_go)
    except _DATABASE_REFUSES:
        bad = set(await _refused(ctx, shop, run, batch))
    for number, made in batch.documents:
        if number in bad:
            batch.reject(number, made.order.external_id, [{"field": "", "problem": _UNFORESEEN}])
    batch.documents = [each for each in batch.documents if each[0] not in bad]
    return await _write(ctx, shop, run, batch, known, let_go=let_go)


async def _refused(ctx: Context, shop: UUID, run: Row, batch: Batch) -> list[int]:
    """Lines that the database refuses by themselves; nothing of these tries is kept."""
    found = []
    for number, made in batch.documents:
        try:
            async with ctx.database.transaction(shop, savepoint=True) as tx:
                await put_documents(tx, ctx, run["source"], [made])
                await tx.undo()
        except _DATABASE_REFUSES:
            found.append(number)
    return found


async def _write(
    ctx: Context, shop: UUID, run: Row, batch: Batch, known: int, *, let_go: bool
) -> int:
    async with ctx.database.transaction(shop) as tx:
        made = [document for _, document in batch.documents]
        outcomes = await put_documents(tx, ctx, run["source"], made) if made else []
        for (number, document), outcome in zip(batch.documents, outcomes, strict=True):
            if outcome is Outcome.CLASH:
                name = document.order.external_id
                batch.reject(number, name, [{"field": "updated_at", "problem": _CLASH}])
        counted = Counter(outcomes)
        kept = await _runs.carry(
            tx,
            ctx,
            FRAME,
            run,
            let_go=let_go,
            done=batch.lines,
            created=counted[Outcome.CREATED],
            updated=counted[Outcome.UPDATED],
            unchanged=counted[Outcome.UNCHANGED] + counted[Outcome.OLDER],
            rejected=len(batch.rejected),
            part=batch.part,
            line=batch.line,
        )
        if not kept:
            raise _Lost
        named = sorted(batch.rejected)[: max(PROBLEMS_KEPT - known, 0)]
        await rows.add_problems(
            tx, [{"import_id": run["id"], **batch.rejected[number]} for number in named]
        )
        if batch.ends_part:
            await rows.drop_parts(tx, run["id"], batch.part)
    return len(batch.rejected)


async def _end(ctx: Context, shop: UUID, run: Row, failure: str | None) -> None:
    async with ctx.database.transaction(shop) as tx:
        if await _runs.finish(tx, ctx, FRAME, run, failure, sequence=3) is not None:
            await rows.drop_parts(tx, run["id"], run["parts"])
