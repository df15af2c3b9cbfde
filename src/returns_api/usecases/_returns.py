"""Steps that several use cases of a return share, inside the transaction of their caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.db import advances as advance_rows
from returns_api.db import recoveries as recovery_rows
from returns_api.db import refunds as refund_rows
from returns_api.db import returns as rows
from returns_api.db import shipments as shipment_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job
from returns_api.domain import ids
from returns_api.domain.advances import AdvanceRecord
from returns_api.domain.errors import Conflict
from returns_api.domain.events import By, Event
from returns_api.domain.exchanges import IN_GOODS
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.repair_prices import BY_REPAIR
from returns_api.domain.returns import Change, ReturnRecord
from returns_api.domain.shipments import ShipmentRecord, plan_void
from returns_api.usecases import _pickups
from returns_api.usecases._exchanges import lapse_exchanges
from returns_api.usecases._offers import lapse
from returns_api.usecases._repairs import lapse_repair
from returns_api.usecases.context import Context

ENDED = frozenset({"rejected", "canceled", "expired"})
AGREED = "return.agreed"
"""The event of a return that is settled without its goods."""
_UNBOUGHT = frozenset({"label_due", "label_failed"})


async def save(
    tx: Transaction, ctx: Context, change: Change, by: By, *, keep_offer: bool = False
) -> tuple[list[Event], list[Job]]:
    """Write a planned change where the return is still as the plan saw it.

    An offer that stands lapses where none may be made any more, unless the caller ends it itself.

    Raises:
        Conflict: somebody moved it meanwhile; nothing is written.
    """
    now, before = ctx.clock(), change.before
    sequence = await rows.move(
        tx,
        before.id,
        before.sequence,
        now,
        deadlines=change.deadlines,
        closing=change.state == "completed",
        state=change.state,
        **change.values,
    )
    if sequence is None:
        raise Conflict("The return changed meanwhile; read it again.")
    await rows.save_lines(tx, change.lines)
    told = return_event(ctx, change, sequence, by)
    events, jobs = await _parcel_follows(tx, ctx, change, by)
    more, further = await _what_ends(tx, ctx, change, now, keep_offer=keep_offer)
    return [told, *events, *more], [*jobs, *further]


async def _parcel_follows(
    tx: Transaction, ctx: Context, change: Change, by: By
) -> tuple[list[Event], list[Job]]:
    """Its label is bought or given up where the return came to a state that says so."""
    before = change.before
    if change.state != before.state and change.state in {"approved", "received", *ENDED}:
        return await _follow_with_label(tx, ctx, before, change.state, by)
    if change.event == AGREED:
        return await _follow_with_label(tx, ctx, before, "agreed", by)
    return [], []


async def _what_ends(
    tx: Transaction, ctx: Context, change: Change, now: datetime, *, keep_offer: bool
) -> tuple[list[Event], list[Job]]:
    """What stands beside the return and has nothing to wait for any more: its offer, its goods, its
    repair, its courier, its money in advance."""
    before, events, jobs = change.before, list[Event](), list[Job]()
    nothing_comes = change.state in ENDED or change.event == AGREED
    if not keep_offer and before.offer_stands and (change.state, "agree") not in RETURN.rules:
        events += await lapse(tx, ctx, before.id)
    if before.resolution in IN_GOODS:
        events += await lapse_exchanges(tx, ctx, before.id, _gone(change, whole=nothing_comes))
    if before.resolution == BY_REPAIR and nothing_comes:
        events += await lapse_repair(tx, ctx, before.id)
    if before.method == _pickups.METHOD and nothing_comes:
        more, further = await _pickups.follow(tx, ctx, before.id, "cancel")
        events, jobs = [*events, *more], [*jobs, *further]
    if change.state in ENDED and before.terms.advance is not None:
        due = await advance_rows.hurry(tx, before.id, now)
        jobs += [] if due is None else [Job("carry_advance", due)]
    return events, jobs


def _gone(change: Change, *, whole: bool) -> set[UUID]:
    """The lines of which nothing comes any more: all of them, or those that were refused or of
    which nothing was in the parcel."""
    if whole:
        return {line.id for line in change.before.lines}
    return {each.line.id for each in change.lines if each.state in ENDED}


def return_event(ctx: Context, change: Change, sequence: int, by: By) -> Event:
    before = change.before
    return Event(
        id=ctx.new_id(),
        type=change.event,
        resource_type="return",
        resource_id=before.id,
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        order_id=before.order_id,
        return_id=before.id,
        reason=change.reason,
        data={
            "return": ids.encode("ret", before.id),
            "order": ids.encode("ord", before.order_id),
            "state": change.state,
            **change.data,
        },
    )


async def _follow_with_label(
    tx: Transaction, ctx: Context, ret: ReturnRecord, state: str, by: By
) -> tuple[list[Event], list[Job]]:
    """The parcel follows the return: buy the label once approved, void it when it all ends.

    Goods that came without a label need none any more; a label that was bought may still be the one
    they came with, so it is kept.
    """
    shipment = await shipment_rows.lock_of_return(tx, ret.id)
    if shipment is None:
        return [], []
    if state == "approved":
        await shipment_rows.want(tx, shipment.id, ctx.clock())
        return [], [Job("carry_label", shipment.id)]
    if state == "received" and shipment.state not in _UNBOUGHT:
        return [], []
    return await void(tx, ctx, shipment, ret.order_id, by)


async def void(
    tx: Transaction, ctx: Context, shipment: ShipmentRecord, order_id: UUID, by: By
) -> tuple[list[Event], list[Job]]:
    """Give up a locked label that nobody needs; a job asks the carrier for the money back."""
    state, now = plan_void(shipment), ctx.clock()
    if state is None:
        return [], []
    due_at = now if state == "void_due" else None
    sequence = await shipment_rows.move(
        tx, shipment.id, shipment.sequence, now, state=state, due_at=due_at, tries=0
    )
    assert sequence is not None
    jobs = [] if due_at is None else [Job("carry_label", shipment.id)]
    return [shipment_event(ctx, shipment, order_id, state, sequence, by)], jobs


def shipment_event(
    ctx: Context,
    shipment: ShipmentRecord,
    order_id: UUID,
    state: str,
    sequence: int,
    by: By,
    data: Mapping[str, Any] | None = None,
) -> Event:
    return Event(
        id=ctx.new_id(),
        type=f"shipment.{state}",
        resource_type="shipment",
        resource_id=shipment.id,
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        order_id=order_id,
        return_id=shipment.return_id,
        data={
            "shipment": ids.encode("shm", shipment.id),
            "return": ids.encode("ret", shipment.return_id),
            "state": state,
            **(data or {}),
        },
    )


@dataclass(frozen=True, slots=True)
class Early:
    """What was paid before the goods were seen, or why nothing was, and what has to come back."""

    advance: AdvanceRecord
    recovery_id: UUID | None


async def early_of(tx: Transaction, found: Sequence[ReturnRecord]) -> dict[UUID, Early]:
    """Advances by return, for views; nothing is asked where no policy lets money go out early."""
    keys = [ret.id for ret in found if ret.terms.advance is not None]
    if not keys:
        return {}
    advances = await advance_rows.of_returns(tx, keys)
    recoveries = await recovery_rows.of_advances(tx, [each.id for each in advances.values()])
    return {key: Early(each, recoveries.get(each.id)) for key, each in advances.items()}


async def refunds_of(tx: Transaction, return_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Refund heads by return, for views."""
    found: dict[UUID, list[Any]] = {}
    for row in await refund_rows.of_returns(tx, return_ids):
        found.setdefault(row["return_id"], []).append(row)
    return found
