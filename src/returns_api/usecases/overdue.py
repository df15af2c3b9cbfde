"""The refund promise: what is not paid by its day makes itself heard, again and again.

Every open refund with a due date has its next reminder in its row; a worker tells it as an event
and sets the one after. Refuses to own when money is due (``domain.policy``, ``domain.refunds``) and
what becomes of it.
"""

from __future__ import annotations

from uuid import UUID

from returns_api.db import overdue as rows
from returns_api.db.outbox import emit
from returns_api.domain.events import SYSTEM
from returns_api.domain.refunds import remind_in
from returns_api.usecases._refunds import refund_event
from returns_api.usecases.context import Context


async def remind_of_refund(ctx: Context, shop: UUID, refund_id: UUID) -> None:
    """Tell once that a refund is overdue; nothing happens when its time has not come."""
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        before = await rows.lock_due(tx, refund_id, now)
        if before is None:
            return
        later = now + remind_in(before["reminders"])
        refund = await rows.remind(tx, refund_id, before["remind_at"], now, later)
        if refund is None:
            return
        event = refund_event(
            ctx,
            dict(refund),
            type_="overdue",
            sequence=refund["sequence"],
            state=refund["state"],
            by=SYSTEM,
            due_by=refund["due_by"].isoformat(),
            reminder=refund["reminders"],
        )
        await emit(tx, [event])
    ctx.wake()


async def due_reminders(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Refunds over all shops that have to make themselves heard now."""
    found = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]
