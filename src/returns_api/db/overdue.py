"""When an open refund makes itself heard: the next reminder stands in its row.

Refuses to own the refund's state: whatever settles or reopens it (``refunds``) clears or sets the
time along.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import refunds as _t

_LOCK: Final = Query(
    select(_t.c.remind_at, _t.c.reminders)
    .where(here(_t), _t.c.id == given("id"), _t.c.remind_at <= given("now"))
    .with_for_update()
)
_REMIND: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.remind_at == given("before"))
    .values(
        remind_at=given("later"),
        reminders=_t.c.reminders + 1,
        overdue_since=func.coalesce(_t.c.overdue_since, _t.c.due_by),
        sequence=_t.c.sequence + 1,
        updated_at=given("now"),
    )
    .returning(_t)
)
DUE: Final = Query(
    select(_t.c.shop_id, _t.c.id)
    .where(_t.c.remind_at <= given("now"))
    .order_by(_t.c.remind_at)
    .limit(given("limit"))
)


async def lock_due(tx: Transaction, refund_id: UUID, now: datetime) -> Row | None:
    """The refund's reminder, or None when its time has not come."""
    return await tx.first(_LOCK, id=refund_id, now=now)


async def remind(
    tx: Transaction, refund_id: UUID, before: datetime, now: datetime, later: datetime
) -> Row | None:
    """Count one reminder and set the next; None when the refund moved meanwhile."""
    return await tx.first(_REMIND, id=refund_id, before=before, now=now, later=later)
