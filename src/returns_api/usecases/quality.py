"""Telling of goods that came back for what they are: ``quality.reported``, once for each line.

A job beside the work: completing a return only says that there is something to tell. The event is
the report and its own proof that it was made, since a line can have only one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from returns_api.db import quality as rows
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.quality import report, report_at
from returns_api.usecases._announce import announce
from returns_api.usecases.context import Context


async def report_quality(ctx: Context, shop: UUID, return_id: UUID) -> None:
    """Report what a closed return says about its goods; later, while units wait for a grade."""
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        ret = await rows.lock_due(tx, return_id, now)
        if ret is None:
            return
        lines = [dict(line.items()) for line in await rows.untold(tx, return_id)]
        later = report_at(lines, ret["closed_at"], now)
        await rows.again(tx, return_id, later)
        if later is None:
            await announce(tx, ctx, [_event(ctx, ret, line) for line in lines])


async def due_reports(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and key of closed returns with something to report."""
    found = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]


def _event(ctx: Context, ret: Row, line: Mapping[str, Any]) -> Event:
    return Event(
        id=ctx.new_id(),
        type="quality.reported",
        resource_type="return_line",
        resource_id=line["id"],
        sequence=1,
        at=ctx.clock(),
        by=SYSTEM,
        order_id=ret["order_id"],
        return_id=ret["id"],
        data={
            "return": ids.encode("ret", ret["id"]),
            "return_line": ids.encode("rl", line["id"]),
            "order": ids.encode("ord", ret["order_id"]),
            **report(line),
            "internal": True,
        },
    )
