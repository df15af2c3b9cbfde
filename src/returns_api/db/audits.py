"""Audits as jobs: queued, held, carried on, ended, with the end of the chain that each one saw.

What they look for is ``db.checks``'s.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    DateTime,
    and_,
    func,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import audits as _t

ANCHORS: Final = 1_000
"""Ends of the chain that earlier audits saw, as many as a later one compares."""

_now = given("now", DateTime(timezone=True))
_free = or_(_t.c.leased_until.is_(None), _t.c.leased_until <= _now)
_held = and_(
    here(_t),
    _t.c.id == given("id"),
    _t.c.attempt == given("attempt"),
    _t.c.state == "running",
)
_SHOWN: Final = tuple(c for c in _t.c if c.name not in {"place", "report"})
_ADD: Final = Query(
    insert(_t)
    .values(
        shop_id=SHOP,
        state="queued",
        **{
            name: given(name, _t.c[name].type)
            for name in ("id", "total", "requested_by", "due_at", "created_at")
        },
    )
    .returning(*_t.c)
)
_COUNT_OPEN: Final = Query(
    select(func.count()).select_from(_t).where(here(_t), among(_t.c.state, ("queued", "running")))
)
_ONE: Final = Query(select(*_t.c).where(here(_t), _t.c.id == given("id")))
_LIST: Final = Query(
    select(*_SHOWN)
    .where(here(_t), _t.c.id < given("before"))
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_CLAIM: Final = Query(
    update(_t)
    .where(
        here(_t),
        _t.c.id == given("id"),
        among(_t.c.state, ("queued", "running")),
        _t.c.due_at <= _now,
        _free,
    )
    .values(state="running", attempt=_t.c.attempt + 1, leased_until=given("until"))
    .returning(*_t.c)
)
_CARRY: Final = Query(
    update(_t)
    .where(_held)
    .values(
        done=given("done"),
        breaches=given("breaches"),
        place=given("place", JSONB),
        report=given("report", JSONB),
        leased_until=given("until", DateTime(timezone=True)),
    )
)
_FINISH: Final = Query(
    update(_t)
    .where(_held)
    .values(
        state=given("state"),
        done=given("done"),
        breaches=given("breaches"),
        report=given("report", JSONB(none_as_null=True)),
        position=given("position"),
        digest=given("digest", _t.c.digest.type),
        failure=given("failure", _t.c.failure.type),
        finished_at=_now,
        place=null(),
        due_at=null(),
        leased_until=null(),
    )
    .returning(*_t.c)
)
_ANCHORS: Final = Query(
    select(_t.c.position, _t.c.digest)
    .where(here(_t), _t.c.digest.is_not(None), _t.c.position > 0)
    .order_by(_t.c.position.desc())
    .limit(ANCHORS)
)
DUE: Final = Query(
    select(_t.c.shop_id, _t.c.id)
    .where(_t.c.due_at <= _now, _free)
    .order_by(_t.c.due_at)
    .limit(given("limit"))
)


async def add(tx: Transaction, **values: Any) -> Row:
    row = await tx.first(_ADD, **values)
    assert row is not None
    return row


async def count_open(tx: Transaction) -> int:
    """How many wait or run. The shop must be locked for a limit to hold."""
    return int(await tx.value(_COUNT_OPEN))


async def one(tx: Transaction, audit_id: UUID) -> Row | None:
    """With its report so far."""
    return await tx.first(_ONE, id=audit_id)


async def page(tx: Transaction, *, before: UUID, limit: int) -> list[Row]:
    """Newest first, without reports."""
    return await tx.all(_LIST, before=before, limit=limit)


async def claim(tx: Transaction, audit_id: UUID, now: datetime, until: datetime) -> Row | None:
    """Take a due one until then; None when it is not due or held."""
    return await tx.first(_CLAIM, id=audit_id, now=now, until=until)


async def carry(tx: Transaction, audit_id: UUID, attempt: int, **values: Any) -> bool:
    """Keep what was found and hold it until then (None: let go). False when another attempt has it
    by now."""
    return bool(await tx.run(_CARRY, id=audit_id, attempt=attempt, **values))


async def finish(tx: Transaction, audit_id: UUID, attempt: int, **values: Any) -> Row | None:
    """End it. None when another attempt holds it by now."""
    return await tx.first(_FINISH, id=audit_id, attempt=attempt, **values)


async def anchors(tx: Transaction) -> dict[int, bytes]:
    """The ends of the chain that earlier audits saw, by position."""
    return {row["position"]: row["digest"] for row in await tx.all(_ANCHORS)}
