"""Watching a parcel on its way: every scan moves its deadline, and silence is told once.

The caller holds the locks: the return, then its shipment.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from returns_api.db import deadlines as deadline_rows
from returns_api.db import returns as return_rows
from returns_api.db import shipments as rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import emit
from returns_api.domain.events import SYSTEM
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.shipments import SHIPMENT
from returns_api.domain.shipments import ShipmentRecord, scan_due, why_stalled
from returns_api.usecases._returns import shipment_event
from returns_api.usecases.context import Context

KIND: Final = "parcel_scan"
STALLED: Final = "shipment.stalled"


async def watch(tx: Transaction, ctx: Context, shipment: ShipmentRecord, state: str) -> None:
    """After a scan: a parcel on its way has to be scanned again, any other has not."""
    now = ctx.clock()
    if state == "in_transit" and shipment.last_scan_at is not None:
        due = scan_due(shipment.last_scan_at)
        await deadline_rows.set_one(tx, shipment.return_id, "shipment", shipment.id, due, now)
    else:
        await deadline_rows.end_one(tx, shipment.return_id, shipment.id, KIND, now)


async def silence(tx: Transaction, ctx: Context, return_id: UUID, late: Row) -> None:
    """No scan in time: told once, with where the parcel was seen last."""
    ret = await return_rows.lock(tx, return_id)
    shipment = await rows.lock(tx, late["object_id"])
    now = ctx.clock()
    if not await deadline_rows.let_pass(tx, return_id, late, now):
        return
    if ret is None or shipment is None or shipment.state != "in_transit":
        return
    state = SHIPMENT.step(shipment.state, "stall", Actor.SYSTEM)
    sequence = await rows.move(tx, shipment.id, shipment.sequence, now)
    assert sequence is not None
    cause = why_stalled(await rows.scans_of(tx, shipment.id))
    seen = shipment.last_scan_at
    told = {"cause": cause, "last_scan_at": None if seen is None else seen.isoformat()}
    event = shipment_event(ctx, shipment, ret["order_id"], state, sequence, SYSTEM, told)
    await emit(tx, [replace(event, type=STALLED)])
