"""Steps that move a pickup, inside the transaction of their caller, who holds the return's lock."""

from __future__ import annotations

from uuid import UUID

from returns_api.db import moves
from returns_api.db import pickups as rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job
from returns_api.db.tables import pickups as table
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.pickups import PICKUP
from returns_api.domain.pickups import PickupChange, PickupRecord, plan_pickup
from returns_api.usecases.context import Context

METHOD = "pickup"
"""The way back for which a courier comes."""


async def save(tx: Transaction, ctx: Context, change: PickupChange, by: By) -> Event:
    """Write a planned change.

    Raises:
        Conflict: somebody moved the pickup meanwhile; nothing is written.
    """
    before = change.before
    sequence = await moves.move(
        tx,
        table,
        "pickup",
        before.id,
        before.sequence,
        ctx.clock(),
        change.deadlines,
        state=change.state,
        **change.values,
    )
    return pickup_event(ctx, before, change.event, change.state, sequence, by)


async def follow(
    tx: Transaction, ctx: Context, return_id: UUID, action: str
) -> tuple[list[Event], list[Job]]:
    """Let the standing pickup follow the parcel (``collect``) or the end of the return
    (``cancel``); nothing where there is none, or where it has no such step."""
    standing = await rows.standing(tx, return_id)
    if standing is None or (standing.state, action) not in PICKUP.rules:
        return [], []
    change = plan_pickup(standing, action, Actor.SYSTEM, ctx.clock())
    jobs = [Job("carry_pickup", standing.id)] if change.state == "canceling" else []
    return [await save(tx, ctx, change, SYSTEM)], jobs


def pickup_event(
    ctx: Context, pickup: PickupRecord, type_: str, state: str, sequence: int, by: By
) -> Event:
    return Event(
        id=ctx.new_id(),
        type=type_,
        resource_type="pickup",
        resource_id=pickup.id,
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        order_id=pickup.order_id,
        return_id=pickup.return_id,
        data={
            "pickup": ids.encode("pku", pickup.id),
            "return": ids.encode("ret", pickup.return_id),
            "order": ids.encode("ord", pickup.order_id),
            "state": state,
            "from": pickup.starts_at.isoformat(),
            "until": pickup.ends_at.isoformat(),
        },
    )
