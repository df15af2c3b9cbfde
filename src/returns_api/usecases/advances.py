"""Advances whose time is over: what did not come has to be paid back.

A due advance is looked at by a worker: its money may still be on its way, its goods may be here and
only now be judged, or they never came. Each leaves the row due later or never again, so that twice
or late gives one result.
"""

from __future__ import annotations

from uuid import UUID

from returns_api.db import advances as rows
from returns_api.db import reservations
from returns_api.db import returns as return_rows
from returns_api.db import shipments as shipment_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain.advances import PARTLY_HERE, apply
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.receiving import due_for_settlement
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases._advances import settle_advance, standing
from returns_api.usecases._settlement import settle_if_due
from returns_api.usecases.context import Context

_HERE = frozenset({"received", "inspected"})


async def carry_advance(ctx: Context, shop: UUID, advance_id: UUID) -> None:
    """Do what is due about an outstanding advance; nothing when its time has not come."""
    async with ctx.database.transaction(shop) as tx:
        seen = await rows.one(tx, advance_id)
        if seen is None or seen.state != "outstanding":
            return
        await reservations.lock_payments(tx, seen.order_id)
        ret = await return_rows.lock_whole(tx, seen.return_id)
        advance = await rows.lock_of_return(tx, seen.return_id)
        assert ret is not None
        assert advance is not None
        if advance.due_at is None or advance.due_at > ctx.clock():
            return
        await emit(tx, *await _carry(tx, ctx, ret, advance_id))
    ctx.wake()


async def due_advances(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Outstanding advances over all shops that have to be looked at now."""
    found = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]


async def _carry(
    tx: Transaction, ctx: Context, ret: ReturnRecord, advance_id: UUID
) -> tuple[list[Event], list[Job]]:
    if due_for_settlement(ret):
        return await settle_if_due(tx, ctx, ret.id, SYSTEM)
    if ret.state in _HERE:
        await rows.postpone(tx, advance_id, ctx.clock() + PARTLY_HERE)
        return [], []
    before = await standing(tx, ctx, ret, SYSTEM)
    if before.waits:
        return [], [*before.jobs]
    cause = await _cause(tx, ret)
    events = await settle_advance(tx, ctx, before, apply(before.kept, 0), None, cause, SYSTEM)
    return events, []


async def _cause(tx: Transaction, ret: ReturnRecord) -> str:
    """A parcel that the carrier lost is not the buyer's doing: a person decides knowing that."""
    parcels = await shipment_rows.of_returns(tx, [ret.id])
    return "lost" if parcels and parcels[0].state == "lost" else "not_returned"
