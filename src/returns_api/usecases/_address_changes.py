"""Steps of an address change, inside the transaction of their caller."""

from __future__ import annotations

from uuid import UUID

from returns_api.db import address_changes as rows
from returns_api.db import moves
from returns_api.db import orders as order_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import emit
from returns_api.db.tables import address_changes as table
from returns_api.domain import ids
from returns_api.domain.address_changes import (
    AddressChange,
    AddressChangeRecord,
    plan_address_silence,
)
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.usecases.context import Context


async def silence(tx: Transaction, ctx: Context, order_id: UUID, late: Row) -> None:
    """Nobody answered in time: it goes where the order said."""
    await order_rows.lock(tx, order_id)
    found = await rows.one(tx, late["object_id"])
    change = None if found is None else plan_address_silence(found, ctx.clock())
    if change is not None:
        await emit(tx, [await save(tx, ctx, change, SYSTEM)])


async def save(tx: Transaction, ctx: Context, change: AddressChange, by: By) -> Event:
    """Write a planned change. Raises ``Conflict`` where somebody moved it meanwhile."""
    before = change.before
    await moves.move(
        tx, table, "address_change", before.id, before.sequence, ctx.clock(), change.deadlines,
        state=change.state, **change.values,
    )  # fmt: skip
    after = await rows.one(tx, before.id)
    assert after is not None
    return address_event(ctx, after, change.event, by)


def address_event(ctx: Context, found: AddressChangeRecord, type_: str, by: By) -> Event:
    """What happened to it; never the address, which can be erased and an event cannot."""
    return Event(
        id=ctx.new_id(),
        type=type_,
        resource_type="address_change",
        resource_id=found.id,
        sequence=found.sequence,
        at=ctx.clock(),
        by=by,
        order_id=found.order_id,
        reason=found.reason,
        data={
            "address_change": ids.encode("adc", found.id),
            "order": ids.encode("ord", found.order_id),
            "order_external_id": found.order_external_id,
            "state": found.state,
        },
    )
