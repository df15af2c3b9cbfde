"""Parcels whose carrier tells nothing by itself: asked for, one call at a time.

A question is counted before it is made, so a worker that dies loses one turn and nothing else; the
scans go the way that a webhook's go. Refuses to own what scans mean (``_tracking``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from returns_api.db import label_documents
from returns_api.db import shipments as rows
from returns_api.db.engine import Row
from returns_api.domain.access import Principal
from returns_api.domain.errors import Conflict
from returns_api.domain.shipments import ASK_FOR_SCANS, TRACKED
from returns_api.ports.carriers import TrackingScan
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.usecases import _tracking
from returns_api.usecases._connections import open_carrier_account
from returns_api.usecases._loading import visible_return
from returns_api.usecases.context import Context

SOON: Final = timedelta(minutes=15)
"""When a carrier that did not answer is asked again, at the least."""


async def track_parcel(ctx: Context, shop: UUID, shipment_id: UUID) -> None:
    """Ask the carrier for the scans of a parcel whose turn it is, and apply those that are new."""
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        row = await rows.ask(tx, shipment_id, now, now + ASK_FOR_SCANS)
    if row is None or row["state"] not in TRACKED or not row["active"]:
        return
    try:
        scans = await _asked(ctx, row)
    except (ProviderUnavailable, OutcomeUnknown, ProviderRejected) as failure:
        wait = failure.retry_after if isinstance(failure, ProviderUnavailable) else None
        later = now + max(SOON, timedelta(seconds=min(wait or 0, 86_400)))
        async with ctx.database.transaction(shop) as tx:
            await rows.ask_later(tx, shipment_id, later)
        return
    for scan in scans:
        async with ctx.database.transaction(shop) as tx:
            await _tracking.apply(tx, ctx, row["source"], scan)
    ctx.wake()


async def due_parcels(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Parcels over all shops whose turn it is, the earliest first."""
    found = await ctx.database.sweep(rows.TO_ASK, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]


async def get_label_document(ctx: Context, principal: Principal, return_id: UUID, form: str) -> Row:
    """A kept file of the return's label: media type and content.

    Raises:
        NotFound.
        Conflict: there is no such file, not yet or not any more.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        ret = await visible_return(tx, principal, return_id, lock=False)
        found = await label_documents.one(tx, ret.id, form)
    if found is None:
        raise Conflict("No such file of this label is kept here.")
    return found


async def _asked(ctx: Context, row: Row) -> list[TrackingScan]:
    """The scans of our own label; none where the carrier was disconnected."""
    carrier, key = ctx.carriers.get(row["adapter"]), row["carrier_shipment_id"]
    if carrier is None or key is None:
        return []
    try:
        account = open_carrier_account(ctx, row)
    except ValueError as error:
        raise ProviderUnavailable("the secret cannot be opened") from error
    return [
        scan
        for scan in await carrier.track(account, key)
        if scan.tracking_code == row["tracking_code"]
    ]
