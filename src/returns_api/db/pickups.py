"""Pickups: rows to facts, claims for one try. How they are added and moved is ``db.moves``'s."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select, update

from returns_api.db import deadlines as deadline_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, among, given, here
from returns_api.db.tables import pickups as _t
from returns_api.domain.lifecycle.pickups import STANDING
from returns_api.domain.pickups import PickupRecord

_FIELDS: Final = tuple(name for name in PickupRecord.__dataclass_fields__ if name != "deadlines")
_shown = select(
    *(_t.c[name] for name in _FIELDS),
    deadline_rows.shown(_t.c.return_id, _t.c.id).label("deadlines"),
)
_free = or_(_t.c.leased_until.is_(None), _t.c.leased_until <= given("now"))
_ONE: Final = Query(_shown.where(here(_t), _t.c.id == given("id")))
_STANDING: Final = Query(
    _shown.where(here(_t), _t.c.return_id == given("return_id"), among(_t.c.state, STANDING))
)
_OF_RETURN: Final = Query(
    _shown.where(here(_t), _t.c.return_id == given("return_id"), _t.c.id < given("before"))
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_CLAIM: Final = Query(
    update(_t)
    .where(
        here(_t),
        _t.c.id == given("id"),
        among(_t.c.state, ("booking", "canceling")),
        _t.c.due_at <= given("now"),
        _free,
    )
    .values(attempt=_t.c.attempt + 1, tries=_t.c.tries + 1, leased_until=given("leased_until"))
    .returning(_t.c.id)
)
_POSTPONE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.attempt == given("attempt"))
    .values(due_at=given("due_at"), leased_until=None, last_error=given("error"))
)
DUE: Final = Query(
    select(_t.c.shop_id, _t.c.id)
    .where(_t.c.due_at <= given("now"), _free)
    .order_by(_t.c.due_at)
    .limit(given("limit"))
)


async def one(tx: Transaction, pickup_id: UUID) -> PickupRecord | None:
    """The return's lock is the pickup's."""
    return _record(await tx.first(_ONE, id=pickup_id))


async def standing(tx: Transaction, return_id: UUID) -> PickupRecord | None:
    """The one pickup of a return that has not ended."""
    return _record(await tx.first(_STANDING, return_id=return_id))


async def of_return(
    tx: Transaction, return_id: UUID, before: UUID, limit: int
) -> list[PickupRecord]:
    """Newest first."""
    rows = await tx.all(_OF_RETURN, return_id=return_id, before=before, limit=limit)
    return [found for row in rows if (found := _record(row)) is not None]


async def claim(
    tx: Transaction, pickup_id: UUID, now: datetime, until: datetime
) -> PickupRecord | None:
    """Take it for one try at the carrier, counted before it runs; None when it is not due."""
    if await tx.first(_CLAIM, id=pickup_id, now=now, leased_until=until) is None:
        return None
    return await one(tx, pickup_id)


async def postpone(tx: Transaction, held: PickupRecord, due_at: datetime, error: str) -> None:
    """Try again later; no transition, so no sequence. Nothing for a try that lost its lease."""
    await tx.run(_POSTPONE, id=held.id, attempt=held.attempt, due_at=due_at, error=error)


def _record(row: Row | None) -> PickupRecord | None:
    if row is None:
        return None
    values = {name: row[name] for name in _FIELDS}
    return PickupRecord(**values, deadlines=deadline_rows.records(row["deadlines"]))
