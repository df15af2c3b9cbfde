"""A carrier's scan, applied in the open transaction: only our own label counts.

Scans may come late, twice or out of order; each is kept once, and the state follows the newest.
"""

from __future__ import annotations

from returns_api.db import returns as return_rows
from returns_api.db import shipments as rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain.events import SYSTEM
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.returns import plan_ship
from returns_api.domain.shipments import plan_scan
from returns_api.ports.carriers import TrackingScan
from returns_api.usecases._returns import save, shipment_event
from returns_api.usecases.context import Context


async def apply(tx: Transaction, ctx: Context, source: str, scan: TrackingScan) -> None:
    """Record the scan and what follows; a foreign parcel or an old scan changes nothing."""
    known = await rows.by_carrier(tx, source, scan.carrier_shipment_id, scan.tracking_code)
    if known is None:
        return
    ret = await return_rows.lock_whole(tx, known["return_id"])
    shipment = await rows.lock(tx, known["id"])
    assert ret is not None
    assert shipment is not None
    if not await rows.add_scan(tx, shipment.id, scan.status.value, scan.at, scan.description):
        return
    change = plan_scan(shipment, scan.status.value, scan.at)
    if change is None:
        return
    sequence = await rows.move(
        tx,
        shipment.id,
        shipment.sequence,
        ctx.clock(),
        state=change.state,
        last_scan_at=change.last_scan_at,
    )
    assert sequence is not None
    events = [shipment_event(ctx, shipment, ret.order_id, change.state, sequence, SYSTEM)]
    jobs: list[Job] = []
    if change.state in {"in_transit", "delivered"} and (ret.state, "ship") in RETURN.rules:
        more, jobs = await save(tx, ctx, plan_ship(ret, Actor.SYSTEM), SYSTEM)
        events += more
    await emit(tx, events, jobs)
