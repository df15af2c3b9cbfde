"""Steps that move a dispute, inside the transaction of their caller.

The caller holds the locks: the order's payments, where the change pays, then the return.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from returns_api.db import contested, moves
from returns_api.db import returns as return_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job
from returns_api.db.tables import disputes as table
from returns_api.domain import ids
from returns_api.domain.disputes import DisputeChange, DisputeRecord
from returns_api.domain.events import By, Event
from returns_api.domain.lifecycle.disputes import DISPUTE
from returns_api.domain.refunds import plan_cover
from returns_api.usecases._agreed import pay_agreed
from returns_api.usecases.context import Context


async def save(
    tx: Transaction, ctx: Context, change: DisputeChange, by: By
) -> tuple[list[Event], list[Job]]:
    """Write a planned change; with a final ruling also the refund of what it awards, once. Without
    an award the goods of a rejected return can be returned again.

    Raises:
        Conflict: somebody moved the dispute meanwhile; nothing is written.
    """
    before, events, jobs = change.before, list[Event](), list[Job]()
    more: dict[str, Any] = {}
    if change.pays:
        ret = await return_rows.lock_whole(tx, before.return_id)
        assert ret is not None
        # What no payment covers stays due, for finance to see to.
        paid = await pay_agreed(
            tx,
            ctx,
            by,
            ret,
            change.pays,
            reason="dispute_ruled",
            plan=partial(plan_cover, currency=ret.currency),
        )
        events, jobs, more = [*paid.events], [*paid.jobs], {"refund_id": paid.refund_id}
    elif change.state in DISPUTE.terminal:
        await contested.free(tx, before.return_id)
    sequence = await moves.move(
        tx,
        table,
        "dispute",
        before.id,
        before.sequence,
        ctx.clock(),
        change.deadlines,
        state=change.state,
        **{**change.values, **more},
    )
    award = change.values.get("award_minor", before.award_minor)
    told = dispute_event(ctx, before, change.event, change.state, sequence, by, award)
    return [told, *events], jobs


def dispute_event(
    ctx: Context,
    dispute: DisputeRecord,
    type_: str,
    state: str,
    sequence: int,
    by: By,
    award_minor: int | None,
) -> Event:
    return Event(
        id=ctx.new_id(),
        type=type_,
        resource_type="dispute",
        resource_id=dispute.id,
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        order_id=dispute.order_id,
        return_id=dispute.return_id,
        data={
            "dispute": ids.encode("dsp", dispute.id),
            "return": ids.encode("ret", dispute.return_id),
            "order": ids.encode("ord", dispute.order_id),
            "state": state,
            "claimed": dispute.claimed_minor,
            "award": award_minor,
            "currency": dispute.currency,
        },
    )
