"""A carrier's scan, applied in the open transaction: only our own label counts.

Scans may come late, twice or out of order; each is kept once, and the state follows from all of
them together.
"""

from __future__ import annotations

from uuid import UUID

from returns_api.db import returns as return_rows
from returns_api.db import shipments as rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.return_plans import plan_ship
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.shipments import plan_scan
from returns_api.ports.carriers import TrackingScan
from returns_api.usecases import _pickups as pickups
from returns_api.usecases import _stalled
from returns_api.usecases._granting import FIRST_SCAN, grant_if_due, lock_if_due
from returns_api.usecases._returns import save, shipment_event
from returns_api.usecases._transport_claims import follow_parcel
from returns_api.usecases.context import Context


async def apply(tx: Transaction, ctx: Context, source: str, scan: TrackingScan) -> None:
    """Record the scan and what follows; a foreign parcel or a known scan changes nothing."""
    known = await rows.by_carrier(tx, source, scan.carrier_shipment_id, scan.tracking_code)
    if known is None:
        return
    await lock_if_due(tx, known["return_id"], FIRST_SCAN)
    ret = await return_rows.lock_whole(tx, known["return_id"])
    assert ret is not None
    await rows.lock(tx, known["id"])
    if await rows.add_scan(tx, known["id"], scan.status.value, scan.at, scan.description):
        events, jobs = await follow_scans(tx, ctx, ret, known["id"])
        if events:
            await emit(tx, events, jobs)


async def follow_scans(
    tx: Transaction, ctx: Context, ret: ReturnRecord, shipment_id: UUID
) -> tuple[list[Event], list[Job]]:
    """Move the parcel, and with it the return, to where the scans say that it is; grant what the
    policy lets go out at the first of them.

    The return and the shipment must be locked, in this order, after ``lock_if_due``.
    """
    shipment = await rows.lock(tx, shipment_id)
    assert shipment is not None
    state = plan_scan(shipment, await rows.scans_of(tx, shipment_id))
    if state is not None or shipment.state == "in_transit":
        await _stalled.watch(tx, ctx, shipment, state or shipment.state)
    if state is None:
        return [], []
    sequence = await rows.move(tx, shipment_id, shipment.sequence, ctx.clock(), state=state)
    assert sequence is not None
    events = [shipment_event(ctx, shipment, ret.order_id, state, sequence, SYSTEM)]
    events += await follow_parcel(tx, ctx, ret, shipment.state, state)
    if state not in {"in_transit", "delivered"}:
        return events, []
    now_in, jobs = ret.state, list[Job]()
    if (ret.state, "ship") in RETURN.rules:
        change = plan_ship(ret, Actor.SYSTEM, ctx.clock())
        more, jobs = await save(tx, ctx, change, SYSTEM)
        events, now_in = [*events, *more], change.state
    if ret.method == pickups.METHOD:
        more, further = await pickups.follow(tx, ctx, ret.id, "collect")
        events, jobs = [*events, *more], [*jobs, *further]
    more, further = await grant_if_due(tx, ctx, ret, now_in, FIRST_SCAN, SYSTEM)
    return [*events, *more], [*jobs, *further]
