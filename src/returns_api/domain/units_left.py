"""Which units of a line can come back: here, and neither claimed nor returned elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from returns_api.domain import ids
from returns_api.domain.errors import NothingLeftToReturn
from returns_api.domain.order_record import LineRecord, OrderRecord

PRESUMED_DELIVERED_AFTER: Final = timedelta(days=7)
"""Units of a parcel that never got a delivery scan count as delivered this long after dispatch."""


def arrived(order: OrderRecord, line: LineRecord, now: datetime) -> int:
    """Units of the line that the buyer has: delivered, or sent so long ago that they must be."""
    presumed = now - PRESUMED_DELIVERED_AFTER
    here = sum(
        parcel.quantities.get(line.id, 0)
        for parcel in order.parcels
        if not parcel.cancelled
        and (
            parcel.delivered_at is not None
            or (parcel.shipped_at is not None and parcel.shipped_at <= presumed)
        )
    )
    return min(here, line.ordered - line.removed - line.outside_cancelled)


def units_left(order: OrderRecord, line: LineRecord, now: datetime) -> tuple[int, ...]:
    """The unit numbers that can still come back, lowest first.

    What was returned elsewhere takes the highest numbers, since nobody named units there. A
    cancellation can hold a low number after one that held a higher one was withdrawn: then a unit
    that is here has that higher number.
    """
    here = arrived(order, line, now)
    taken = set(line.claimed_units)
    free = [unit for unit in range(1, line.ordered - line.removed + 1) if unit not in taken]
    return tuple(free[: max(here - line.outside_returned - line.claimed, 0)])


def nothing_left(
    order: OrderRecord, line: LineRecord, asked: int, left: int, now: datetime
) -> NothingLeftToReturn:
    """The refusal that adds up: delivered, returned elsewhere, claimed, left."""
    delivered = arrived(order, line, now)
    return NothingLeftToReturn(
        f"{asked} asked, {left} left: {delivered} delivered, {line.claimed} in returns,"
        f" {line.outside_returned} returned elsewhere.",
        line=ids.encode("li", line.id),
        delivered=delivered,
        claimed=line.claimed,
        returned_elsewhere=line.outside_returned,
        left=left,
    )
