"""Telling the carrier: one try to book the chosen time, or to call the courier off.

A booking that is unknown is asked about before it is made again, so a courier comes once.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from returns_api.db import connections as connection_rows
from returns_api.db import pickups as rows
from returns_api.db import returns as return_rows
from returns_api.db.engine import Row
from returns_api.db.outbox import Job, emit
from returns_api.domain.events import SYSTEM
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.pickups import PickupChange, PickupRecord, plan_booked, plan_pickup
from returns_api.domain.pickups import plan_refused as refused
from returns_api.domain.shipments import next_try
from returns_api.ports.carriers import Capability
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.pickups import PickupSlot
from returns_api.usecases._connections import open_carrier_account
from returns_api.usecases._pickups import follow, save
from returns_api.usecases.context import Context

_ERROR_MAX: Final = 300
_SLOT: Final = tuple(PickupSlot.__dataclass_fields__)


async def carry_pickup(ctx: Context, shop: UUID, pickup_id: UUID) -> None:
    """Carry a due pickup one step on. Nothing when it is not due or in other hands."""
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        held = await rows.claim(tx, pickup_id, now, now + ctx.lease)
        found = None if held is None else await connection_rows.by_source(tx, held.source)
    if held is None:
        return
    try:
        told = await _ask(ctx, held, found)
    except (ProviderUnavailable, OutcomeUnknown) as failure:
        await _again(ctx, shop, held, failure)
        return
    except ProviderRejected as rejected:
        await _settle(ctx, shop, held, _no(held, ctx, str(rejected)))
        return
    await _settle(ctx, shop, held, _yes(held, ctx, told))


async def due_pickups(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Pickups over all shops whose carrier is to be told."""
    found = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]


async def _ask(ctx: Context, held: PickupRecord, connection: Row | None) -> str | bool:
    """The confirmation of a booking, or whether the courier was called off."""
    carrier: Any = None if connection is None else ctx.carriers.get(connection["adapter"])
    if carrier is None or connection is None or Capability.PICKUPS not in carrier.capabilities:
        raise ProviderRejected("not_connected", "the carrier is not connected")
    try:
        account = open_carrier_account(ctx, connection)
    except ValueError as error:
        raise ProviderRejected("not_connected", "the secret cannot be opened") from error
    if held.state == "canceling":
        return bool(await carrier.cancel_pickup(account, held.carrier_pickup_id))
    slot = PickupSlot(**{name: getattr(held, name) for name in _SLOT})
    return str(await carrier.book_pickup(account, slot))


def _yes(held: PickupRecord, ctx: Context, told: str | bool) -> PickupChange:
    if held.state == "canceling":
        return plan_pickup(
            held, "end", Actor.SYSTEM, ctx.clock(), to="canceled" if told else "booked"
        )
    return plan_booked(held, str(told))


def _no(held: PickupRecord, ctx: Context, error: str) -> PickupChange:
    """A courier that cannot be called off may still come."""
    if held.state == "canceling":
        return plan_pickup(held, "end", Actor.SYSTEM, ctx.clock(), to="booked")
    return refused(held, ctx.clock(), error[:_ERROR_MAX])


async def _settle(ctx: Context, shop: UUID, held: PickupRecord, change: PickupChange) -> None:
    """Record what the carrier said, if this try still holds the pickup."""
    async with ctx.database.transaction(shop) as tx:
        await return_rows.lock(tx, held.return_id)
        now = await rows.one(tx, held.id)
        if now is None or (now.attempt, now.sequence) != (held.attempt, held.sequence):
            return
        events, jobs = [await save(tx, ctx, change, SYSTEM)], list[Job]()
        ret = await return_rows.one(tx, held.return_id)
        if change.state == "booked" and ret is not None and ret.closed_at is not None:
            more, jobs = await follow(tx, ctx, held.return_id, "cancel")
            events += more
        await emit(tx, events, jobs)
    ctx.wake()


async def _again(
    ctx: Context, shop: UUID, held: PickupRecord, failure: ProviderUnavailable | OutcomeUnknown
) -> None:
    """Not known or not done: asked again later, until the time itself is over."""
    now = ctx.clock()
    wait = failure.retry_after if isinstance(failure, ProviderUnavailable) else None
    due_at = next_try(held.tries, now, wait)
    if due_at is None or due_at >= held.starts_at:
        await _settle(ctx, shop, held, _no(held, ctx, str(failure)))
        return
    async with ctx.database.transaction(shop) as tx:
        await rows.postpone(tx, held, due_at, str(failure)[:_ERROR_MAX])
        await emit(tx, [], [Job("carry_pickup", held.id, (due_at - now).total_seconds())])
