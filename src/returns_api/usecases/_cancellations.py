"""Steps of a cancellation, inside the transaction of their caller.

The caller holds the locks: the order's payments, where the change pays, then the order, whose lock
is the cancellation's. What goes back is cut by the newest certificate that has the units. What
parcels say is ``_cancelled_parcels``'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from returns_api.db import cancellation_searches as searches
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
    newest_cut,
    opening,
)
from returns_api.domain.cancelled_units import WantedUnits
from returns_api.domain.events import By, Event
from returns_api.domain.made_good import ELSEWHERE
from returns_api.domain.order_record import LineRecord, OrderRecord, ParcelRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.refunds import DUE_WITHIN, plan_cover, tenders
from returns_api.domain.settlement import Claim, Terms, plan_settlement
from returns_api.usecases._approvals import hold_for_return
from returns_api.usecases._crediting import destinations, settle_credit
from returns_api.usecases._refunds import NewRefund, reserve_and_store
from returns_api.usecases.context import Context

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


async def _refund(tx: Transaction, ctx: Context, cancellation_id: UUID, by: By) -> Paid:
    """What was paid for the units that it holds; with the last unit of an order, what was charged
    beside the goods as well. What no payment covers stays due."""
    found = await rows.one(tx, cancellation_id)
    assert found is not None
    order = await order_rows.load_order(tx, found.order_id)
    assert order is not None
    stored = await order_rows.certificate(tx, order.id, found.certificate_version)
    certificate = newest_cut(from_json(stored), from_json(order.certificate), found)
    whole = await searches.is_whole(tx, order.id)
    claims = _goods(order, found, await searches.waiting(tx, order.id))
    if whole:
        claims += await _charges(tx, ctx, order, found.id, certificate)
    shipping = await refund_rows.shipping_refunded(tx, order.id)
    payments = await reservations.lock_payments(tx, order.id)
    terms = Terms(refund_original_shipping=whole, shipping_refunded=shipping)
    settlement = plan_settlement(
        certificate, claims, terms, tenders(payments, certificate.currency)
    )
    if not settlement.total_minor:
        return Paid()
    transfers = plan_cover(payments, settlement.total_minor, settlement.currency)
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


def _goods(
    order: OrderRecord, found: CancellationRecord, waiting: Mapping[UUID, tuple[int, int]]
) -> list[Claim]:
    """Its units, less those that the platform made good by itself meanwhile.

    Units that others hold which nobody has confirmed are left out of the sum, so that a unit made
    good elsewhere is taken off once: off the last that are confirmed.
    """
    claims = []
    for line in found.lines:
        record, elsewhere = order.line(line.order_line_id), 0
        if record is not None:
            claimed, cancelled = waiting.get(record.id, (0, 0))
            settled = replace(
                record, claimed=record.claimed - claimed, cancelled=record.cancelled - cancelled
            )
            elsewhere = _made_good(settled, found.cause)
        for place, unit in enumerate(line.units):
            by = ELSEWHERE if place < elsewhere else None
            claims.append(Claim(line.external_id, unit, settled_by=by))
    return claims


def _made_good(line: LineRecord, cause: str) -> int:
    """Units of a line beyond what it has: given back here and elsewhere."""
    back = line.claimed + line.outside_returned
    if cause == BEFORE_DISPATCH:
        # What was sent is not what the platform gave back as never sent.
        unsent = min(line.outside_cancelled, line.shipped - line.wanted)
        return max(back - line.wanted, unsent, 0)
    return max(back - min(line.wanted, line.shipped), 0)


async def _charges(
    tx: Transaction, ctx: Context, order: OrderRecord, cancellation_id: UUID, cut: Certificate
) -> list[Claim]:
    """Duties, tips and fees, claimed like goods, so that nobody gives them back a second time.

    Platforms tell some of them as sent with a parcel: what was counts as such.
    """
    lines, claims = [], []
    for line in order.lines:
        if line.kind not in _CHARGES or not cut.has_line(line.external_id):
            continue
        live = range(1, min(cut.line_units(line.external_id), line.ordered - line.removed) + 1)
        free = [unit for unit in live if unit not in set(line.claimed_units)]
        gone = max(line.shipped, line.claimed + line.outside_returned)
        unsent = len(live) - gone - line.cancelled - line.outside_cancelled
        units = free[: max(line.left, unsent)]
        if units:
            lines.append(
                {
                    "id": ctx.new_id(),
                    "order_line_id": line.id,
                    "dispatched": line.left > unsent,
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
