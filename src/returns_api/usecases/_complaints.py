"""Steps of a complaint, inside the transaction of their caller, who holds the complaint's lock."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.db import complaints as rows
from returns_api.db import moves
from returns_api.db import policies as policy_rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Transaction
from returns_api.db.tables import complaints as table
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.calendars import WorkingDays, find_zone
from returns_api.domain.complaints import Calendar, Clock, ComplaintChange, ComplaintRecord
from returns_api.domain.errors import NotFound
from returns_api.domain.events import By, Event
from returns_api.domain.shops import AfterSales
from returns_api.usecases._loading import NO_SUCH_THING, visible_return
from returns_api.usecases._policies import compiled
from returns_api.usecases.context import Context

OF: Final = "complaint"


async def visible_complaint(
    tx: Transaction, principal: Principal, complaint_id: UUID
) -> ComplaintRecord:
    """Raises ``NotFound`` for an unknown one and, alike, for one that is not the caller's, or about
    a return that is not."""
    found = await rows.one(tx, complaint_id)
    if found is None or not principal.sees_order(found.order_id):
        raise NotFound(NO_SUCH_THING)
    if principal.order_id is not None and found.return_id is not None:
        await visible_return(tx, principal, found.return_id, lock=False)
    return found


async def clock_of(tx: Transaction, ctx: Context) -> Clock:
    """What the shop promises from now on, by its calendar: the weekend, holidays and zone of the
    policy in force, or the shop's own zone and the usual weekend before there is one."""
    shop, now = await shop_rows.one(tx), ctx.clock()
    row = await policy_rows.in_force(tx, now, ctx.policies.keys())
    zone, working = ZoneInfo(shop["timezone"]), WorkingDays()
    if row is not None:
        policy = compiled(ctx, row)
        zone = find_zone(policy.document.timezone) or zone
        working = policy.working
    days = AfterSales(**shop["after_sales"]).complaint_answer_days
    return Clock(now, Calendar(zone, working), days)


async def save(
    tx: Transaction, ctx: Context, change: ComplaintChange, by: By, **more: Any
) -> tuple[ComplaintRecord, Event]:
    """Write a planned change; ``more`` goes into what is told of it.

    Raises:
        Conflict: somebody moved the complaint meanwhile; nothing is written.
    """
    before = change.before
    await moves.move(
        tx,
        table,
        OF,
        before.id,
        before.sequence,
        ctx.clock(),
        change.deadlines,
        state=change.state,
        **change.values,
    )
    after = await rows.one(tx, before.id)
    assert after is not None
    return after, complaint_event(ctx, after, change.event, by, **more)


def complaint_event(
    ctx: Context, complaint: ComplaintRecord, type_: str, by: By, **more: Any
) -> Event:
    """What happened to a complaint, which is as it is now; none of the words."""
    promised, return_id = complaint.promised_by, complaint.return_id
    return Event(
        id=ctx.new_id(),
        type=type_,
        resource_type=OF,
        resource_id=complaint.id,
        sequence=complaint.sequence,
        at=ctx.clock(),
        by=by,
        order_id=complaint.order_id,
        return_id=return_id,
        data={
            "complaint": ids.encode("cpl", complaint.id),
            "order": ids.encode("ord", complaint.order_id),
            "return": None if return_id is None else ids.encode("ret", return_id),
            "state": complaint.state,
            "category": complaint.category,
            "promised_by": None if promised is None else promised.isoformat(),
            "score": complaint.score,
            **more,
        },
    )
