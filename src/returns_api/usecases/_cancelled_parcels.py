"""What outbound parcels mean for cancellations: sent, delivered, refused, lost, sent anew.

Inside the transaction of who tells of the parcel, who holds the order's lock. Nothing here pays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from returns_api.db import cancellation_searches as searches
from returns_api.db import orders as order_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.domain.cancellations import (
    BEFORE_DISPATCH,
    CancellationRecord,
    plan_delivered,
    plan_dispatched,
)
from returns_api.domain.cancelled_units import plan_units, sent_again, the_parcel
from returns_api.domain.errors import Conflict, DoesNotFit
from returns_api.domain.events import SYSTEM
from returns_api.usecases._cancellations import begin_cancellation, save
from returns_api.usecases.context import Context


async def follow_missed(
    tx: Transaction, ctx: Context, order_id: UUID, parcel: str, cause: str
) -> None:
    """A parcel of a locked order was refused or got lost: once, whatever came of it then. Nothing
    where it reached its buyer, or where its units are held already.

    A person can say that a parcel is lost although it was scanned as delivered; no message can."""
    order = await order_rows.load_order(tx, order_id)
    assert order is not None
    try:
        found = the_parcel(order, cause, parcel, by_buyer=False, now=ctx.clock())
        wanted = plan_units(order, found, {})
    except (Conflict, DoesNotFit):
        return
    assert found is not None
    if found.delivered_at is None and not await searches.told_before(tx, order_id, found.id, cause):
        await begin_cancellation(tx, ctx, order, found, cause, wanted, SYSTEM)


async def follow_dispatch(
    tx: Transaction, ctx: Context, order_id: UUID, over: Mapping[UUID, int]
) -> None:
    """Units left the warehouse that are not to be sent, by line. The order is locked; requests give
    them up, the newest first, before anything confirmed is told about."""
    await _give_up(tx, ctx, await searches.unsent(tx, order_id, BEFORE_DISPATCH, list(over)), over)


async def follow_sent_again(tx: Transaction, ctx: Context, order_id: UUID) -> None:
    """Units of a locked order left the warehouse, perhaps a second time: what was asked about a
    parcel that the platform took back since is given up as far as its units are sent anew."""
    found = await searches.of_void_parcels(tx, order_id)
    order = await order_rows.load_order(tx, order_id) if found else None
    over = {} if order is None else sent_again(order, found)
    if over:
        await _give_up(tx, ctx, found, over)


async def _give_up(
    tx: Transaction, ctx: Context, those: Sequence[CancellationRecord], over: Mapping[UUID, int]
) -> None:
    """What waits gives units up first; ``over`` says how many by line."""
    left = dict(over)
    for found in those:
        change = plan_dispatched(found, left, ctx.clock())
        for line in found.lines:
            if line.order_line_id in left:
                left[line.order_line_id] -= min(left[line.order_line_id], len(line.units))
        if change is not None:
            await emit(tx, *await save(tx, ctx, change, SYSTEM))


async def follow_delivery(tx: Transaction, ctx: Context, order_id: UUID, parcel_id: UUID) -> None:
    """A parcel of a locked order reached its buyer."""
    for found in await searches.of_parcel(tx, order_id, parcel_id):
        change = plan_delivered(found, ctx.clock())
        if change is not None:
            await emit(tx, *await save(tx, ctx, change, SYSTEM))
