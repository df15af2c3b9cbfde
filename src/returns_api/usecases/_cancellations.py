"""Steps of a cancellation, inside the transaction of their caller.

The caller holds the locks: the order's payments, where the change pays, then the order, whose lock
is the cancellation's. What goes back is cut by the certificate that the units were asked from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from returns_api.db import cancellations as rows
from returns_api.db import moves, order_counts, reservations
from returns_api.db import orders as order_rows
from returns_api.db import refunds as refund_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job, emit
from returns_api.db.tables import cancellations as table
from returns_api.domain import ids
from returns_api.domain.allocation import Certificate, from_json
from returns_api.domain.cancellations import (
    BEFORE_DISPATCH,
    CancellationChange,
    CancellationRecord,
    lines_told,
    opening,
    plan_dispatched,
)
from returns_api.domain.cancelled_units import WantedUnits, plan_units, the_parcel
from returns_api.domain.errors import Conflict, DoesNotFit
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.order_record import LineRecord, OrderRecord, ParcelRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.refunds import DUE_WITHIN, plan_cover, tenders
from returns_api.domain.settlement import Claim, Terms, plan_settlement
from returns_api.usecases._approvals import hold_for_return
from returns_api.usecases._crediting import destinations, settle_credit
from returns_api.usecases._refunds import NewRefund, reserve_and_store
from returns_api.usecases.context import Context

ELSEWHERE: Final = "refunded_elsewhere"
"""What settled a unit that the shop platform made good by itself."""
_CHARGES: Final = frozenset({LineKind.DUTY, LineKind.TIP, LineKind.FEE})


@dataclass(frozen=True, slots=True)
class Paid:
    """The refund of a confirmed cancellation; nothing where nothing was paid for its units."""

    refund_id: UUID | None = None
    events: tuple[Event, ...] = ()
    jobs: tuple[Job, ...] = ()
    credits: bool = False


async def save(
    tx: Transaction, ctx: Context, change: CancellationChange, by: By
) -> tuple[list[Event], list[Job]]:
    """Write a planned change: release what it gives up, and refund what it confirms, once.

    Raises:
        Conflict: somebody moved the cancellation meanwhile; nothing is written.
    """
    before = change.before
    for line in before.lines:
        if units := change.release.get(line.order_line_id):
            await rows.release(tx, line, units, dispatched=before.cause != BEFORE_DISPATCH)
    if change.release:
        await order_counts.count_cancelled(tx, before.order_id)
    values: dict[str, Any] = {"state": change.state, **change.values}
    await moves.move(
        tx, table, "cancellation", before.id, before.sequence, ctx.clock(), change.deadlines,
        **values,
    )  # fmt: skip
    paid = await _refund(tx, ctx, before.id, by) if change.pays else Paid()
    after = await rows.one(tx, before.id)
    assert after is not None
    if paid.credits and paid.refund_id is not None:
        await settle_credit(tx, ctx, paid.refund_id, by)
    told = cancellation_event(ctx, after, change.event, by)
    return [told, *paid.events], [*paid.jobs]


async def begin_cancellation(
    tx: Transaction,
    ctx: Context,
    order: OrderRecord,
    parcel: ParcelRecord | None,
    cause: str,
    wanted: Sequence[WantedUnits],
    by: By,
) -> CancellationRecord:
    """Hold the units of a locked order, and tell the shop.

    Raises:
        NothingLeftToReturn: the units were taken since the order was read.
    """
    now, cancellation_id = ctx.clock(), ctx.new_id()
    state, deadlines = opening(cause, now)
    await moves.add(
        tx, table, "cancellation", now, deadlines, id=cancellation_id, order_id=order.id,
        parcel_id=None if parcel is None else parcel.id, cause=cause, state=state,
        asked_by=by.actor, certificate_version=order.certificate_version,
    )  # fmt: skip
    lines = [
        {
            "id": ctx.new_id(),
            "order_line_id": each.line.id,
            "dispatched": cause != BEFORE_DISPATCH,
            "quantity": len(each.units),
            "units": list(each.units),
        }
        for each in wanted
    ]
    await rows.add_lines(tx, cancellation_id, order.id, lines)
    await order_counts.count_cancelled(tx, order.id)
    made = await rows.one(tx, cancellation_id)
    assert made is not None
    await emit(tx, [cancellation_event(ctx, made, f"cancellation.{state}", by)])
    return made


async def follow_missed(
    tx: Transaction, ctx: Context, order_id: UUID, parcel: str, cause: str
) -> None:
    """A parcel of a locked order was refused or got lost: once, whatever came of it then. Nothing
    where it reached its buyer, or where its units are held already."""
    order = await order_rows.load_order(tx, order_id)
    assert order is not None
    try:
        found = the_parcel(order, cause, parcel, by_buyer=False, now=ctx.clock())
        wanted = plan_units(order, found, {})
    except (Conflict, DoesNotFit):
        return
    assert found is not None
    if not await rows.told_before(tx, order_id, found.id, cause):
        await begin_cancellation(tx, ctx, order, found, cause, wanted, SYSTEM)


async def follow_dispatch(
    tx: Transaction, ctx: Context, order_id: UUID, over: Mapping[UUID, int]
) -> None:
    """Units left the warehouse that are not to be sent, by line. The order is locked; requests give
    them up, the newest first, before anything confirmed is told about."""
    left = dict(over)
    for found in await rows.unsent(tx, order_id, BEFORE_DISPATCH, list(over)):
        change = plan_dispatched(found, left, ctx.clock())
        for line in found.lines:
            if line.order_line_id in left:
                left[line.order_line_id] -= min(left[line.order_line_id], len(line.units))
        if change is not None:
            await emit(tx, *await save(tx, ctx, change, SYSTEM))


async def _refund(tx: Transaction, ctx: Context, cancellation_id: UUID, by: By) -> Paid:
    """What was paid for the units that it holds; with the last unit of an order, what was charged
    beside the goods as well. What no payment covers stays due."""
    found = await rows.one(tx, cancellation_id)
    assert found is not None
    order = await order_rows.load_order(tx, found.order_id)
    assert order is not None
    stored = await order_rows.certificate(tx, order.id, found.certificate_version)
    certificate = from_json(stored)
    whole = await rows.is_whole(tx, order.id)
    claims = _goods(order, found)
    if whole:
        claims += await _charges(tx, ctx, order, found.id, certificate)
    shipping = await refund_rows.shipping_refunded(tx, order.id)
    payments = await reservations.lock_payments(tx, order.id)
    terms = Terms(refund_original_shipping=whole, shipping_refunded=shipping)
    settlement = plan_settlement(certificate, claims, terms, tenders(payments))
    if not settlement.total_minor:
        return Paid()
    transfers = plan_cover(payments, settlement.total_minor)
    plan = await destinations(tx, ctx, by, order.id, settlement.currency, transfers)
    new = NewRefund(
        order_id=order.id,
        kind="cancellation",
        amount_minor=settlement.total_minor,
        currency=settlement.currency,
        transfers=plan.transfers,
        parts=[part.as_dict() for part in settlement.parts],
        reason=found.cause,
        due_by=ctx.clock() + DUE_WITHIN,
        hold_reason=await hold_for_return(tx, settlement.total_minor, settlement.currency),
    )
    written = await reserve_and_store(tx, ctx, new, by)
    await rows.set_refund(tx, found.id, written.id)
    return Paid(written.id, (*plan.events, *written.events), written.jobs, plan.credits)


def _goods(order: OrderRecord, found: CancellationRecord) -> list[Claim]:
    """Its units, less those that the platform made good by itself meanwhile."""
    claims = []
    for line in found.lines:
        record = order.line(line.order_line_id)
        elsewhere = 0 if record is None else _made_good(record, found.cause)
        for place, unit in enumerate(line.units):
            by = ELSEWHERE if place < elsewhere else None
            claims.append(Claim(line.external_id, unit, settled_by=by))
    return claims


def _made_good(line: LineRecord, cause: str) -> int:
    """Units of a line beyond what it has: given back here and elsewhere."""
    live = line.ordered - line.removed
    if cause == BEFORE_DISPATCH:
        return max(line.claimed + line.outside_returned + line.cancelled - live, 0)
    bound = min(live - line.cancelled, line.shipped)
    return max(line.claimed + line.outside_returned - bound, 0)


async def _charges(
    tx: Transaction, ctx: Context, order: OrderRecord, cancellation_id: UUID, cut: Certificate
) -> list[Claim]:
    """Duties, tips and fees, claimed like goods, so that nobody gives them back a second time."""
    lines, claims = [], []
    for line in order.lines:
        if line.kind not in _CHARGES or not cut.has_line(line.external_id):
            continue
        live = range(1, min(cut.line_units(line.external_id), line.ordered - line.removed) + 1)
        free = [unit for unit in live if unit not in set(line.claimed_units)]
        units = free[: max(len(live) - line.outside_returned - line.cancelled, 0)]
        if units:
            lines.append(
                {
                    "id": ctx.new_id(),
                    "order_line_id": line.id,
                    "dispatched": False,
                    "quantity": len(units),
                    "units": units,
                }
            )
            claims += [Claim(line.external_id, unit) for unit in units]
    if lines:
        await rows.add_lines(tx, cancellation_id, order.id, lines)
        await order_counts.count_cancelled(tx, order.id)
    return claims


def cancellation_event(ctx: Context, found: CancellationRecord, type_: str, by: By) -> Event:
    """What happened to a cancellation, which is as it is now."""
    return Event(
        id=ctx.new_id(),
        type=type_,
        resource_type="cancellation",
        resource_id=found.id,
        sequence=found.sequence,
        at=ctx.clock(),
        by=by,
        order_id=found.order_id,
        reason=found.reason,
        data={
            "cancellation": ids.encode("can", found.id),
            "order": ids.encode("ord", found.order_id),
            "order_external_id": found.order_external_id,
            "parcel": found.parcel,
            "cause": found.cause,
            "state": found.state,
            "refund": None if found.refund_id is None else ids.encode("ref", found.refund_id),
            "overrun": found.overrun,
            "lines": lines_told(found.lines),
        },
    )
