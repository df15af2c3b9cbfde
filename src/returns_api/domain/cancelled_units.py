"""Which units of an order a cancellation can be about: not sent yet, or gone out with a parcel.

Refuses to own what becomes of them (``cancellations``) and the guard against two that want the same
(the claims' key, the counters of an order line).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from returns_api.domain import ids
from returns_api.domain.cancellations import (
    BEFORE_DISPATCH,
    GOODS_TO_COME,
    NOT_RECEIVED,
    CancellationRecord,
    unfit,
)
from returns_api.domain.errors import Conflict, DoesNotFit, NothingLeftToReturn
from returns_api.domain.order_record import LineRecord, OrderRecord, ParcelRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.units_left import PRESUMED_DELIVERED_AFTER


@dataclass(frozen=True, slots=True)
class WantedUnits:
    """Units of one order line that are asked for; ``units`` are their numbers."""

    line: LineRecord
    units: tuple[int, ...]


def unsent_units(line: LineRecord) -> tuple[int, ...]:
    """The unit numbers of a line that nobody sent, returned or cancelled, highest first.

    Returns take the lowest numbers, and an order edit takes the highest ones out: so the units that
    the platform removes for a cancellation are those that it holds.
    """
    if line.kind is not LineKind.GOODS or not line.shippable:
        return ()
    live = line.ordered - line.removed
    gone = max(line.shipped, line.claimed + line.outside_returned)
    taken = set(line.claimed_units)
    free = [unit for unit in range(live, 0, -1) if unit not in taken]
    return tuple(free[: max(line.wanted - gone, 0)])


def sent_units(line: LineRecord, parcel: ParcelRecord) -> tuple[int, ...]:
    """The unit numbers of a line that went out with a parcel and can still be claimed, lowest
    first; which of equal units lay in which parcel nobody knows. What was charged beside the goods
    can be told as sent, too; it goes back with the last of them."""
    if line.kind is not LineKind.GOODS:
        return ()
    taken = set(line.claimed_units)
    free = [unit for unit in range(1, line.ordered - line.removed + 1) if unit not in taken]
    return tuple(free[: min(parcel.quantities.get(line.id, 0), line.left)])


def sent_again(order: OrderRecord, about: Sequence[CancellationRecord]) -> dict[UUID, int]:
    """By line, how many of the units that cancellations hold were sent anew. ``about`` are those of
    parcels that the platform took back, so that their units count as sent no more."""
    held = Counter[UUID]()
    for each in about:
        for line in each.lines:
            held[line.order_line_id] += len(line.units)
    over = {
        line.id: line.shipped + line.cancelled + held[line.id] - (line.ordered - line.removed)
        for line in order.lines
        if held[line.id]
    }
    return {line_id: count for line_id, count in over.items() if count > 0}


def plan_units(
    order: OrderRecord, parcel: ParcelRecord | None, asked: Mapping[UUID, int]
) -> tuple[WantedUnits, ...]:
    """The units that are meant: all that there are, or of each line as many as are asked for.

    Raises:
        DoesNotFit: a line that the order does not have, or that is not sent.
        NothingLeftToReturn: fewer are left.
    """
    lines = {line.id: line for line in order.lines}
    for line_id in asked:
        if line_id not in lines or not lines[line_id].shippable:
            problem = "The order has no such line to be sent."
            named = ids.encode("li", line_id)
            raise DoesNotFit(
                problem, errors=[{"field": "lines", "line": named, "problem": problem}]
            )
    found = []
    for line in order.lines:
        left = unsent_units(line) if parcel is None else sent_units(line, parcel)
        count = asked.get(line.id, 0) if asked else len(left)
        if count > len(left):
            raise _nothing_left(line, count, len(left))
        if count:
            found.append(WantedUnits(line, left[:count]))
    if not found:
        raise NothingLeftToReturn("No unit is left that could be cancelled.", lines=[])
    return tuple(found)


def the_parcel(
    order: OrderRecord, cause: str, name: str | None, *, by_buyer: bool, now: datetime
) -> ParcelRecord | None:
    """The parcel that is meant; None before dispatch.

    Raises:
        DoesNotFit: no such parcel, none named where one has to be, or one named in vain.
        Conflict: the parcel is not in a state in which this can be.
    """
    if cause == BEFORE_DISPATCH:
        if name is not None:
            raise unfit("Before dispatch there is no parcel.")
        return None
    if name is None:
        raise unfit("Say which parcel of the order is meant.")
    found = next((parcel for parcel in order.parcels if parcel.external_id == name), None)
    if found is None or found.shipped_at is None or found.cancelled:
        raise unfit("No such parcel of the order was sent.")
    if cause in GOODS_TO_COME and found.delivered_at is not None:
        raise Conflict("This parcel was delivered: its goods can be returned.", parcel=name)
    if cause == NOT_RECEIVED and by_buyer and found.delivered_at is None:
        since = found.shipped_at + PRESUMED_DELIVERED_AFTER
        if now < since:
            raise Conflict(
                "This parcel is on its way; wait until then.",
                parcel=name,
                since=since.isoformat(),
            )
    return found


def _nothing_left(line: LineRecord, asked: int, left: int) -> NothingLeftToReturn:
    return NothingLeftToReturn(
        f"{asked} asked, {left} left: {line.shipped} sent, {line.claimed} in returns,"
        f" {line.cancelled} cancelled, {line.outside_returned} returned elsewhere,"
        f" {line.outside_cancelled} cancelled elsewhere.",
        line=ids.encode("li", line.id),
        shipped=line.shipped,
        claimed=line.claimed,
        cancelled=line.cancelled,
        returned_elsewhere=line.outside_returned,
        cancelled_elsewhere=line.outside_cancelled,
        left=left,
    )
