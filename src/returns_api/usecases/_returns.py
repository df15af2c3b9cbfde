"""Steps that several use cases of a return share, inside the transaction of their caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from returns_api.usecases._exchanges import lapse_exchange
from returns_api.usecases._offers import lapse
from returns_api.usecases._repairs import lapse_repair
from returns_api.usecases.context import Context

ENDED = frozenset({"rejected", "canceled", "expired"})
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
    events = [return_event(ctx, change, sequence, by)]
    jobs: list[Job] = []
    if change.state != before.state and change.state in {"approved", "received", *ENDED}:
        more, jobs = await _follow_with_label(tx, ctx, before, change.state, by)
        events += more
    elif change.event == "return.agreed":
        more, jobs = await _follow_with_label(tx, ctx, before, "agreed", by)
        events += more
    if not keep_offer and before.offer_stands and (change.state, "agree") not in RETURN.rules:
        events += await lapse(tx, ctx, before.id)
    nothing_comes = change.state in ENDED or change.event == "return.agreed"
    if before.resolution in IN_GOODS and nothing_comes:
        events += await lapse_exchange(tx, ctx, before.id)
    if before.resolution == BY_REPAIR and nothing_comes:
        events += await lapse_repair(tx, ctx, before.id)
    if before.method == _pickups.METHOD and nothing_comes:
        more, further = await _pickups.follow(tx, ctx, before.id, "cancel")
        events, jobs = [*events, *more], [*jobs, *further]
    if change.state in ENDED and before.terms.advance is not None:
        due = await advance_rows.hurry(tx, before.id, now)
        jobs = [*jobs, *([] if due is None else [Job("carry_advance", due)])]
    return events, jobs


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
