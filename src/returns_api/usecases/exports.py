"""Exports: a file of orders or returns, one a line, written by a job part by part.

Each part is one transaction with the place that comes after it, so an export that is killed in the
middle goes on with the next line: none is lost and none stands twice. Whoever fetches it does so
part by part as well, and can go on with the next one after a broken connection. The file goes after
a week, and at once when somebody in it is erased.
"""

from __future__ import annotations

import asyncio
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson

from returns_api.db import events as event_rows
from returns_api.db import exports as rows
from returns_api.db import messages as message_rows
from returns_api.db import orders as order_rows
from returns_api.db import refunds as refund_rows
from returns_api.db import returns as return_rows
from returns_api.db import warehouse as warehouse_rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain import ids
from returns_api.domain.errors import NotFound
from returns_api.domain.events import By
from returns_api.domain.exports import (
    KEPT,
    LINK_LIVES,
    ORDERS,
    RETURNS,
    link_text,
    order_line,
    return_line,
    still_good,
)
from returns_api.domain.messages import MESSAGE, PER_RETURN, About
from returns_api.usecases import _runs
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases.context import Context

OPEN_MAX: Final = 2
PART: Final = 200
"""Lines of one part and one transaction."""
PARTS_PER_JOB: Final = 20
EVENTS_MAX: Final = 1_000
"""Of one return."""
_FIRST: Final = UUID(int=0)

FRAME: Final = _runs.Frame(
    rows.RUNS,
    job="run_export",
    noun="export",
    prefix="exp",
    words="exports",
    open_max=OPEN_MAX,
    told=lambda row: {"kind": row["kind"], "lines": row["done"], "parts": row["parts"]},
)


class _Lost(Exception):
    """Another attempt holds the export by now: nothing of this part may stay."""


async def start_export(ctx: Context, shop: UUID, by: By, kind: str) -> Row:
    """Have a file written. Raises ``Conflict`` when too many of this shop are under way."""
    async with ctx.database.transaction(shop) as tx:
        return await _runs.queue(
            tx,
            ctx,
            FRAME,
            by,
            total=await rows.count(tx, kind),
            kind=kind,
            requested_by=by.credential_id,
            forget_at=ctx.clock() + KEPT,
        )


async def view_export(ctx: Context, shop: UUID, export_id: UUID) -> Row:
    """How far one is. Raises ``NotFound``, also for one that was forgotten."""
    return await _runs.view(ctx, shop, FRAME, export_id)


async def list_exports(ctx: Context, shop: UUID, before: UUID, limit: int) -> list[Row]:
    """Newest first."""
    return await _runs.page(ctx, shop, FRAME, before=before, limit=limit)


async def read_part(ctx: Context, shop: UUID, export_id: UUID, no: int) -> bytes:
    """Some whole lines: part ``no`` of those that are written by now. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        found = await rows.part(tx, export_id, no)
    if found is None:
        raise NotFound(NO_SUCH_THING)
    return bytes(found["body"])


async def due_exports(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and key of exports that nobody carries on."""
    return await _runs.due(ctx, FRAME, limit)


async def old_exports(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and key of exports whose time is over."""
    found = await ctx.database.sweep(rows.OLD, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]


async def forget_export(ctx: Context, shop: UUID, export_id: UUID) -> None:
    """Drop an export whose time is over; running it twice or never harms nothing."""
    async with ctx.database.transaction(shop) as tx:
        await rows.forget(tx, export_id, ctx.clock())


async def run_export(ctx: Context, shop: UUID, export_id: UUID) -> None:
    """Carry an export on by some parts, unless it is not due or another holds it."""
    async with ctx.database.transaction(shop) as tx:
        run = await _runs.claim(tx, ctx, FRAME, export_id)
    if run is None:
        return
    if run["attempt"] > _runs.ATTEMPTS_MAX:
        await _end(ctx, shop, run, _runs.TOO_OFTEN)
        return
    try:
        await _carry_on(ctx, shop, run)
    except _Lost:
        return


async def _carry_on(ctx: Context, shop: UUID, run: Row) -> None:
    cursor = run["cursor"] or _FIRST
    for no in range(run["parts"] + 1, run["parts"] + PARTS_PER_JOB + 1):
        async with ctx.database.transaction(shop) as tx:
            chosen = await rows.following(tx, run["kind"], cursor, PART)
            lines = await _LINES[run["kind"]](tx, chosen)
        if chosen:
            cursor = chosen[-1]
            let_go = no == run["parts"] + PARTS_PER_JOB and len(chosen) == PART
            await _write(ctx, shop, run, no, cursor, lines, let_go=let_go)
        if len(chosen) < PART:
            await _end(ctx, shop, run, None)
            return


async def _write(
    ctx: Context,
    shop: UUID,
    run: Row,
    no: int,
    cursor: UUID,
    lines: Sequence[Mapping[str, Any]],
    *,
    let_go: bool,
) -> None:
    body = await asyncio.to_thread(_ndjson, lines)
    async with ctx.database.transaction(shop) as tx:
        kept = await _runs.carry(
            tx, ctx, FRAME, run, let_go=let_go, lines=len(lines), bytes=len(body), cursor=cursor
        )
        if not kept:
            raise _Lost
        await rows.add_part(tx, export_id=run["id"], no=no, lines=len(lines), body=body)


def _ndjson(lines: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)


async def _orders(tx: Transaction, chosen: Sequence[UUID]) -> list[dict[str, Any]]:
    people = await rows.people(tx, chosen)
    found = [await order_rows.load_order(tx, order_id) for order_id in chosen]
    return [order_line(order, people.get(order.id)) for order in found if order is not None]


async def _returns(tx: Transaction, chosen: Sequence[UUID]) -> list[dict[str, Any]]:
    refunds: dict[UUID, list[dict[str, Any]]] = {}
    for refund in _plain(await refund_rows.of_returns(tx, chosen)):
        refunds.setdefault(refund["return_id"], []).append(refund)
    lines = []
    for return_id in chosen:
        ret = await return_rows.one(tx, return_id)
        assert ret is not None
        about = About(return_id=return_id)
        said = await message_rows.page(tx, about, MESSAGE, after=_FIRST, limit=PER_RETURN)
        told = await event_rows.of_return(tx, return_id, _FIRST, EVENTS_MAX, everything=False)
        graded = await warehouse_rows.graded_units(tx, return_id)
        lines.append(
            return_line(ret, refunds.get(return_id, ()), _plain(graded), said, _plain(told))
        )
    return lines


def _plain(found: Sequence[Row]) -> list[dict[str, Any]]:
    return [dict(row.items()) for row in found]


_LINES: Final[Mapping[str, Callable[[Transaction, Sequence[UUID]], Awaitable[list[Any]]]]] = {
    ORDERS: _orders,
    RETURNS: _returns,
}
"""By kind, what makes the lines of these orders or returns."""


async def _end(ctx: Context, shop: UUID, run: Row, failure: str | None) -> None:
    async with ctx.database.transaction(shop) as tx:
        await _runs.finish(tx, ctx, FRAME, run, failure)


def link(ctx: Context, shop: UUID, export: UUID) -> tuple[str, datetime]:
    """An address under which whoever has it fetches the file, and until when."""
    until = (ctx.clock() + LINK_LIVES).replace(microsecond=0)
    signature = urlsafe_b64encode(_signature(ctx, shop, export, until)).decode().rstrip("=")
    query = f"shop={ids.encode('shp', shop)}&until={int(until.timestamp())}&signature={signature}"
    return f"{ctx.public_url}/v1/exports/{ids.encode('exp', export)}/file?{query}", until


async def open_file(
    ctx: Context, shop: UUID, export: UUID, until: int, signature: str, first_part: int
) -> AsyncIterator[bytes]:
    """The file behind a link from a part on, part by part.

    Raises:
        NotFound: for a wrong signature, a link past its end and a file that is gone, alike.
    """
    end = datetime.fromtimestamp(until, UTC)
    good = hmac.compare_digest(_signature(ctx, shop, export, end), _unpadded(signature))
    if not good or not still_good(end, ctx.clock()):
        raise NotFound(NO_SUCH_THING)
    run = await view_export(ctx, shop, export)
    if run["state"] != "succeeded":
        raise NotFound(NO_SUCH_THING)
    return _parts(ctx, shop, export, first_part, run["parts"])


async def _parts(
    ctx: Context, shop: UUID, export: UUID, first: int, last: int
) -> AsyncIterator[bytes]:
    """No transaction is open while the receiver is waited for."""
    for no in range(first, last + 1):
        yield await read_part(ctx, shop, export, no)


def _signature(ctx: Context, shop: UUID, export: UUID, until: datetime) -> bytes:
    return ctx.sealer.keyed_hash(link_text(shop, export, until))


def _unpadded(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
