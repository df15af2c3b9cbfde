"""Silence: what the system does when somebody did not act by their deadline.

All deadlines that passed on one return and on what hangs on it, or on what hangs on one order
alone, are gone through in the order of their moments, each in a transaction of its own that ends
the deadline together with what follows. So a sweep that dies half way, runs twice or comes days
late has the same outcome.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol, TypeVar
from uuid import UUID

from returns_api.db import cancellations as cancellation_rows
from returns_api.db import complaints as complaint_rows
from returns_api.db import deadlines as rows
from returns_api.db import disputes as dispute_rows
from returns_api.db import exchanges as exchange_rows
from returns_api.db import offers as offer_rows
from returns_api.db import orders as order_rows
from returns_api.db import pickups as pickup_rows
from returns_api.db import repairs as repair_rows
from returns_api.db import reservations
from returns_api.db import returns as return_rows
from returns_api.db import shipments as shipment_rows
from returns_api.db import transport_claims as claim_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import emit
from returns_api.domain.cancellations import plan_cancellation_silence
from returns_api.domain.complaints import plan_complaint_silence
from returns_api.domain.disputes import plan_dispute_silence
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.exchange_answers import plan_exchange_silence
from returns_api.domain.invitations import OBJECT
from returns_api.domain.offers import plan_offer_silence
from returns_api.domain.pickups import plan_pickup_silence
from returns_api.domain.repair_plans import plan_repair_silence
from returns_api.domain.return_plans import plan_silence
from returns_api.domain.shipments import why_not_here
from returns_api.domain.transport_claims import plan_claim_silence
from returns_api.usecases import _address_changes, _invitations, _stalled
from returns_api.usecases._cancellations import save as save_cancellation
from returns_api.usecases._complaints import clock_of
from returns_api.usecases._complaints import save as save_complaint
from returns_api.usecases._disputes import save as save_dispute
from returns_api.usecases._exchanges import save as save_exchange
from returns_api.usecases._granting import REQUEST, lock_if_due, save_and_grant
from returns_api.usecases._offers import save as save_offer
from returns_api.usecases._pickups import save as save_pickup
from returns_api.usecases._repairs import save as save_repair
from returns_api.usecases._settlement import settle_if_due
from returns_api.usecases._transport_claims import save as save_claim
from returns_api.usecases.context import Context

AT_ONCE: Final = 50
"""Deadlines of one return or order in one go; the sweep comes again for more."""

Silence = Callable[[Transaction, Context, UUID, Row], Awaitable[None]]


async def keep_deadlines(ctx: Context, shop: UUID, return_id: UUID) -> None:
    """Do what every passed deadline of a return does by itself, the earliest first."""
    await _keep(ctx, shop, return_id, "return_id")


async def keep_order_deadlines(ctx: Context, shop: UUID, order_id: UUID) -> None:
    """The same of an order, for what may hang on it without a return."""
    await _keep(ctx, shop, order_id, "order_id")


async def _keep(ctx: Context, shop: UUID, key: UUID, anchor: str) -> None:
    for _ in range(AT_ONCE):
        async with ctx.database.transaction(shop) as tx:
            late = await rows.next_of(tx, key, ctx.clock(), anchor)
            if late is None:
                break
            await silence(tx, ctx, key, late)
    ctx.wake()


async def silence(tx: Transaction, ctx: Context, key: UUID, late: Row) -> None:
    """Take the default of one deadline that passed, and end it, in the open transaction; ``key``
    is the return or order that it is kept by."""
    await _SILENCES[late["object"]](tx, ctx, key, late)


async def due_deadlines(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Returns over all shops with a deadline that has passed, the earliest first."""
    return await _due(ctx, limit, "return_id")


async def due_order_deadlines(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Orders over all shops with a deadline that has passed, the earliest first."""
    return await _due(ctx, limit, "order_id")


async def _due(ctx: Context, limit: int, anchor: str) -> list[tuple[UUID, UUID]]:
    found = await ctx.database.sweep(rows.DUE[anchor], now=ctx.clock(), limit=limit)
    return list(dict.fromkeys((row["shop_id"], row[anchor]) for row in found))


async def _of_return(tx: Transaction, ctx: Context, return_id: UUID, late: Row) -> None:
    """The return's own; nothing when somebody acted meanwhile."""
    await lock_if_due(tx, return_id, REQUEST)
    ret = await return_rows.lock_whole(tx, return_id)
    if late["kind"] == "dispute_window":
        await rows.let_pass(tx, return_id, late, ctx.clock())
        return
    change = None if ret is None else plan_silence(ret, ctx.clock())
    if change is None:
        return
    if late["kind"] == "arrive":
        parcels = await shipment_rows.of_returns(tx, [return_id])
        cause = why_not_here(parcels[0] if parcels else None)
        change = replace(change, data={**change.data, "cause": cause})
    await emit(tx, *await save_and_grant(tx, ctx, change, SYSTEM))


async def _of_offer(tx: Transaction, ctx: Context, return_id: UUID, late: Row) -> None:
    """An offer's; the return's lock is the offer's."""
    await return_rows.lock(tx, return_id)
    offer = await offer_rows.one(tx, late["object_id"], everything=True)
    change = None if offer is None else plan_offer_silence(offer, ctx.clock())
    if change is not None:
        await emit(tx, [await save_offer(tx, ctx, change, SYSTEM)])


async def _of_dispute(tx: Transaction, ctx: Context, return_id: UUID, late: Row) -> None:
    """A dispute's; it may pay, so the payments are locked first, then the return, its lock."""
    known = await dispute_rows.one(tx, late["object_id"])
    if known is None:
        return
    await reservations.lock_payments(tx, known.order_id)
    await return_rows.lock(tx, return_id)
    dispute = await dispute_rows.one(tx, late["object_id"])
    change = None if dispute is None else plan_dispute_silence(dispute, ctx.clock())
    if change is not None:
        await emit(tx, *await save_dispute(tx, ctx, change, SYSTEM))


class _Paying(Protocol):
    @property
    def order_id(self) -> UUID: ...


T = TypeVar("T", bound=_Paying)
C = TypeVar("C")


def _settling(
    one: Callable[[Transaction, UUID], Awaitable[T | None]],
    plan: Callable[[T, datetime], C | None],
    save: Callable[[Transaction, Context, C, By], Awaitable[Event]],
) -> Silence:
    """What decides whether a return is settled in goods or in money; on silence it may be, so the
    payments are locked first."""

    async def of_it(tx: Transaction, ctx: Context, return_id: UUID, late: Row) -> None:
        known = await one(tx, late["object_id"])
        if known is None:
            return
        await reservations.lock_payments(tx, known.order_id)
        await return_rows.lock(tx, return_id)
        found = await one(tx, late["object_id"])
        change = None if found is None else plan(found, ctx.clock())
        if change is None:
            return
        told = await save(tx, ctx, change, SYSTEM)
        events, jobs = await settle_if_due(tx, ctx, return_id, SYSTEM)
        await emit(tx, [told, *events], jobs)

    return of_it


async def _of_pickup(tx: Transaction, ctx: Context, return_id: UUID, late: Row) -> None:
    """A pickup's; the return's lock is the pickup's."""
    await return_rows.lock(tx, return_id)
    pickup = await pickup_rows.one(tx, late["object_id"])
    change = None if pickup is None else plan_pickup_silence(pickup, ctx.clock())
    if change is not None:
        await emit(tx, [await save_pickup(tx, ctx, change, SYSTEM)])


async def _of_claim(tx: Transaction, ctx: Context, return_id: UUID, late: Row) -> None:
    """A transport claim's; the return's lock is the claim's."""
    await return_rows.lock(tx, return_id)
    claim = await claim_rows.one(tx, late["object_id"])
    change = None if claim is None else plan_claim_silence(claim, ctx.clock())
    if change is not None:
        await emit(tx, [(await save_claim(tx, ctx, change, SYSTEM))[1]])


async def _of_complaint(tx: Transaction, ctx: Context, order_id: UUID, late: Row) -> None:
    """A complaint's, which is locked by itself."""
    await complaint_rows.lock(tx, late["object_id"])
    complaint = await complaint_rows.one(tx, late["object_id"])
    if complaint is None:
        return
    change = plan_complaint_silence(complaint, await clock_of(tx, ctx))
    if change is not None:
        await emit(tx, [(await save_complaint(tx, ctx, change, SYSTEM))[1]])


async def _of_cancellation(tx: Transaction, ctx: Context, order_id: UUID, late: Row) -> None:
    """A cancellation's; it may pay, so the payments are locked first, then the order, its lock."""
    await reservations.lock_payments(tx, order_id)
    await order_rows.lock(tx, order_id)
    found = await cancellation_rows.one(tx, late["object_id"])
    change = None if found is None else plan_cancellation_silence(found, ctx.clock())
    if change is not None:
        await emit(tx, *await save_cancellation(tx, ctx, change, SYSTEM))


_SILENCES: Final[Mapping[str, Silence]] = {
    "return": _of_return,
    "offer": _of_offer,
    "dispute": _of_dispute,
    "exchange": _settling(exchange_rows.one, plan_exchange_silence, save_exchange),
    "repair": _settling(repair_rows.one, plan_repair_silence, save_repair),
    "pickup": _of_pickup,
    "shipment": _stalled.silence,
    "transport_claim": _of_claim,
    "complaint": _of_complaint,
    OBJECT: _invitations.silence,
    "cancellation": _of_cancellation,
    "address_change": _address_changes.silence,
}
"""By the kind of object that a deadline is of."""
