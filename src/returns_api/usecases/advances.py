"""Advances whose time is over: what did not come has to be paid back.

A due advance is looked at by a worker: its money may still be on its way, its new goods may not be
sent yet, the old ones may be here and only now be judged, or they never came. Each leaves the row
due later or never again, so that twice or late gives one result.
"""

from __future__ import annotations

from uuid import UUID

from returns_api.db import advances as rows
from returns_api.db import exchanges as exchange_rows
from returns_api.db import reservations
from returns_api.db import returns as return_rows
from returns_api.db import shipments as shipment_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain.advances import LATER, AdvanceRecord, apply
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.exchanges import ExchangeRecord
from returns_api.domain.receiving import due_for_settlement
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases._advances import Standing, settle_advance, standing
from returns_api.usecases._exchanging import recall
from returns_api.usecases._returns import ENDED
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
        await emit(tx, *await _carry(tx, ctx, ret, advance))
    ctx.wake()


async def due_advances(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Outstanding advances over all shops that have to be looked at now."""
    found = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]


async def _carry(
    tx: Transaction, ctx: Context, ret: ReturnRecord, advance: AdvanceRecord
) -> tuple[list[Event], list[Job]]:
    if due_for_settlement(ret):
        return await settle_if_due(tx, ctx, ret.id, SYSTEM)
    unsent = await _unsent(tx, advance)
    if unsent is not None and ret.state in ENDED:
        return await _recall(tx, ctx, advance, unsent), []
    if ret.state in _HERE or unsent is not None:
        await rows.postpone(tx, advance.id, ctx.clock() + LATER)
        return [], []
    before = await standing(tx, ctx, ret, SYSTEM)
    if before.waits:
        return [], [*before.jobs]
    cause = await _cause(tx, ret)
    events = await settle_advance(tx, ctx, before, apply(before.kept, 0), None, cause, SYSTEM)
    return events, []


async def _unsent(tx: Transaction, advance: AdvanceRecord) -> ExchangeRecord | None:
    """The exchange whose goods went first and were not sent: nobody is asked for what they did not
    get. A shop that does not send them was told (``exchange.overdue``)."""
    if advance.exchange_id is None:
        return None
    exchange = await exchange_rows.one(tx, advance.exchange_id)
    return exchange if exchange is not None and exchange.unsent else None


async def _recall(
    tx: Transaction, ctx: Context, advance: AdvanceRecord, exchange: ExchangeRecord
) -> list[Event]:
    """Nothing went out after all, and nothing will."""
    recalled = await recall(tx, ctx, exchange, SYSTEM)
    never = Standing(advance=advance, never_paid_minor=advance.amount_minor)
    nothing = apply(never.kept, 0)
    told = await settle_advance(tx, ctx, never, nothing, None, "not_returned", SYSTEM)
    return [recalled, *told]


async def _cause(tx: Transaction, ret: ReturnRecord) -> str:
    """A parcel that the carrier lost is not the buyer's doing: a person decides knowing that."""
    parcels = await shipment_rows.of_returns(tx, [ret.id])
    return "lost" if parcels and parcels[0].state == "lost" else "not_returned"
