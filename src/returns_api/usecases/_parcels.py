"""Outbound parcels and their delivery, told in any order.

What a parcel holds and whether it left is the newest snapshot's word; when it was delivered is the
earliest time that anybody named, since a platform's own time is only an upper bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.db import invitations, order_counts, order_intake, parcels
from returns_api.db.engine import Transaction
from returns_api.domain.orders import ParcelDelivered, ParcelSeen
from returns_api.usecases._cancelled_parcels import (
    follow_delivery,
    follow_dispatch,
    follow_missed,
    follow_sent_again,
)
from returns_api.usecases._order_events import tell
from returns_api.usecases._waiting import NotYet, order_key, parcel_key
from returns_api.usecases.context import Context


async def see_parcel(tx: Transaction, ctx: Context, source: str, seen: ParcelSeen) -> None:
    """A snapshot of one parcel.

    Raises:
        NotYet: the order, or a line of it, is not known yet.
    """
    _, head = await order_intake.begin(tx, source, seen.order_external_id, money=False)
    if head is None:
        raise NotYet(order_key(source, seen.order_external_id))
    contents = Counter[str]()
    for line in seen.lines:
        contents[line.line_external_id] += line.quantity
    known = await parcels.known_lines(tx, head.id, list(contents))
    if len(known) < len(contents):
        raise NotYet(order_key(source, seen.order_external_id))
    stored = await parcels.one(tx, head.id, seen.external_id)
    await _keep_newest(tx, ctx, head.id, seen, contents, stored)
    key = parcel_key(source, seen.order_external_id, seen.external_id)
    await _after(tx, ctx, head.id, seen.external_id, stored, key)
    if seen.missed is not None:
        await follow_missed(tx, ctx, head.id, seen.external_id, seen.missed)


async def _keep_newest(
    tx: Transaction,
    ctx: Context,
    order_id: UUID,
    seen: ParcelSeen,
    contents: Mapping[str, int],
    stored: Mapping[str, Any] | None,
) -> None:
    """Write the snapshot where it is the newest; from an older one only when it was delivered."""
    values = {
        "carrier": seen.carrier,
        "tracking_codes": list(seen.tracking_codes),
        "shipped_at": seen.shipped_at,
        "cancelled": seen.cancelled,
        "platform_updated_at": seen.updated_at,
    }
    newest = stored is None or _content(stored, stored["contents"] or {}) < _content(
        values, contents
    )
    if newest:
        await parcels.put(
            tx,
            order_id,
            contents,
            id=ctx.new_id(),
            external_id=seen.external_id,
            delivered_at=seen.delivered_at,
            **values,
        )
    elif stored is not None and seen.delivered_at is not None:
        await parcels.deliver(tx, stored["id"], seen.delivered_at)


async def see_delivery(tx: Transaction, ctx: Context, source: str, seen: ParcelDelivered) -> None:
    """A delivery scan.

    Raises:
        NotYet: the order or the parcel is not known yet.
    """
    _, head = await order_intake.begin(tx, source, seen.order_external_id, money=False)
    if head is None:
        raise NotYet(order_key(source, seen.order_external_id))
    stored = await parcels.one(tx, head.id, seen.parcel_external_id)
    key = parcel_key(source, seen.order_external_id, seen.parcel_external_id)
    if stored is None:
        raise NotYet(key)
    await parcels.deliver(tx, stored["id"], seen.at)
    await _after(tx, ctx, head.id, seen.parcel_external_id, stored, key)


def _content(values: Mapping[str, Any], contents: Mapping[str, int]) -> tuple[Any, ...]:
    """Orders two snapshots of a parcel: the later one, and of two of the same second any fixed one.

    A cancelled parcel comes after one that is not, a sent one after one that waits.
    """
    shipped_at: datetime | None = values["shipped_at"]
    return (
        values["platform_updated_at"],
        values["cancelled"],
        shipped_at is not None,
        "" if shipped_at is None else shipped_at.isoformat(),
        sorted(contents.items()),
        list(values["tracking_codes"]),
        values["carrier"] or "",
    )


async def _after(
    tx: Transaction,
    ctx: Context,
    order_id: UUID,
    external_id: str,
    before: Mapping[str, Any] | None,
    key: str,
) -> None:
    """Recompute the lines and tell what changed, if anything did."""
    now = await parcels.one(tx, order_id, external_id)
    assert now is not None
    if before == now:
        return
    over = await order_counts.count_parcels(tx, order_id)
    version = await order_intake.step(tx, order_id, ctx.clock())
    wake = [key] if before is None else []
    kind, data = parcel_kind(before, now), parcel_public(external_id, now)
    if kind == "parcel_delivered":
        await invitations.begin_check_in(tx, order_id, now["delivered_at"], ctx.clock())
    await tell(tx, ctx, order_id, version, kind, data, wake=wake)
    if over:
        await follow_dispatch(tx, ctx, order_id, over)
    if kind == "parcel_shipped":
        await follow_sent_again(tx, ctx, order_id)
    if kind == "parcel_delivered":
        await follow_delivery(tx, ctx, order_id, now["id"])


def parcel_public(external_id: str, now: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says of a parcel's row."""
    return {
        "parcel": external_id,
        "shipped": now["shipped_at"] is not None and not now["cancelled"],
        "delivered_at": None if now["delivered_at"] is None else now["delivered_at"].isoformat(),
        "cancelled": now["cancelled"],
    }


def parcel_kind(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> str:
    """Which event a parcel's change is."""

    def turned(column: str) -> bool:
        return now[column] is not None and (before is None or before[column] is None)

    if turned("delivered_at"):
        return "parcel_delivered"
    return "parcel_shipped" if turned("shipped_at") else "parcel_updated"
