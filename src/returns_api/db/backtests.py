"""Back-tests: queued, claimed for a while, carried on page by page, finished with a report."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, and_, func, insert, null, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import backtests as _t

OPEN: Final = ("queued", "running")

_SHOWN: Final = tuple(c for c in _t.c if c.name not in {"partial", "cursor", "report"})
_now = given("now", DateTime(timezone=True))
_free = or_(_t.c.leased_until.is_(None), _t.c.leased_until <= _now)
_held = and_(
    here(_t),
    _t.c.id == given("id"),
    _t.c.attempt == given("attempt"),
    _t.c.state == "running",
)

_ADD: Final = Query(
    insert(_t)
    .values(
        shop_id=SHOP,
        state="queued",
        **{
            name: given(name, _t.c[name].type)
            for name in (
                "id",
                "policy_version_id",
                "digest",
                "against_id",
                "opened_from",
                "opened_until",
                "total",
                "due_at",
                "created_at",
            )
        },
    )
    .returning(*_t.c)
)
_COUNT_OPEN: Final = Query(
    select(func.count()).select_from(_t).where(here(_t), among(_t.c.state, OPEN))
)
_ONE: Final = Query(select(*_t.c).where(here(_t), _t.c.id == given("id")))
_PAGE: Final = Query(
    select(*_SHOWN)
    .where(here(_t), _t.c.id < given("before"))
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_CLAIM: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), among(_t.c.state, OPEN), _t.c.due_at <= _now, _free)
    .values(state="running", attempt=_t.c.attempt + 1, leased_until=given("until"))
    .returning(*_t.c)
)
_SHOW: Final = Query(
    update(_t).where(_held).values(done=given("done"), leased_until=given("until"))
)
_CARRY: Final = Query(
    update(_t)
    .where(_held)
    .values(
        done=given("done"),
        cursor=given("cursor"),
        partial=given("partial", JSONB),
        leased_until=null(),
    )
)
_FINISH: Final = Query(
    update(_t)
    .where(_held)
    .values(
        state=given("state"),
        done=given("done"),
        report=given("report", JSONB(none_as_null=True)),
        failure=given("failure", _t.c.failure.type),
        finished_at=_now,
        partial=null(),
        cursor=null(),
        due_at=null(),
        leased_until=null(),
    )
    .returning(*_SHOWN)
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


async def one(tx: Transaction, backtest_id: UUID) -> Row | None:
    """With its report, once there is one."""
    return await tx.first(_ONE, id=backtest_id)


async def page(tx: Transaction, *, before: UUID, limit: int) -> list[Row]:
    """Newest first, without reports."""
    return await tx.all(_PAGE, before=before, limit=limit)


async def claim(tx: Transaction, backtest_id: UUID, now: datetime, until: datetime) -> Row | None:
    """Take a due one until then, with what was counted so far; None when it is not due or held."""
    return await tx.first(_CLAIM, id=backtest_id, now=now, until=until)


async def show(
    tx: Transaction, backtest_id: UUID, attempt: int, *, done: int, until: datetime
) -> bool:
    """Say how far it is and hold it longer. False when another attempt holds it by now."""
    return bool(await tx.run(_SHOW, id=backtest_id, attempt=attempt, done=done, until=until))


async def carry(tx: Transaction, backtest_id: UUID, attempt: int, **values: Any) -> bool:
    """Keep what was counted and let go. False when another attempt holds it by now."""
    return bool(await tx.run(_CARRY, id=backtest_id, attempt=attempt, **values))


async def finish(tx: Transaction, backtest_id: UUID, attempt: int, **values: Any) -> Row | None:
    """End it. None when another attempt holds it by now."""
    return await tx.first(_FINISH, id=backtest_id, attempt=attempt, **values)
