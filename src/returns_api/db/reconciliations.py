"""Reconciliations: runs that are claimed and carried on, the other book's lines, differences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, Text, and_, delete, exists, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import connections
from returns_api.db.tables import reconciliation_differences as _d
from returns_api.db.tables import reconciliation_lines as _l
from returns_api.db.tables import reconciliations as _t

OPEN: Final = ("queued", "running")

_now = given("now", DateTime(timezone=True))
_free = or_(_t.c.leased_until.is_(None), _t.c.leased_until <= _now)
_held = and_(
    here(_t),
    _t.c.id == given("id"),
    _t.c.attempt == given("attempt"),
    _t.c.state == "running",
)
_NEW = (
    "id",
    "source",
    "origin",
    "whole",
    "since",
    "until",
    "phase",
    "total",
    "due_at",
    "requested_by",
    "created_at",
)
_ADD: Final = Query(
    insert(_t)
    .values(shop_id=SHOP, state="queued", **{name: given(name, _t.c[name].type) for name in _NEW})
    .returning(_t)
)
_COUNT_OPEN: Final = Query(
    select(func.count())
    .select_from(_t)
    .where(here(_t), among(_t.c.state, OPEN), _t.c.origin != "sweep")
)
_OPEN_SWEEP: Final = Query(
    select(_t.c.id)
    .where(
        here(_t),
        _t.c.source == given("source"),
        _t.c.origin == "sweep",
        among(_t.c.state, OPEN),
    )
    .limit(1)
)
_LAST: Final = Query(
    select(
        func.max(_t.c.until).label("until"),
        func.max(_t.c.until).filter(_t.c.whole).label("whole_until"),
    ).where(
        here(_t),
        _t.c.source == given("source"),
        _t.c.origin != "statement",
        _t.c.state == "succeeded",
    )
)
_ONE: Final = Query(select(_t).where(here(_t), _t.c.id == given("id")))
_PAGE: Final = Query(
    select(_t)
    .where(
        here(_t),
        _t.c.id < given("before"),
        or_(given("source", Text).is_(None), _t.c.source == given("source", Text)),
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_CLAIM: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), among(_t.c.state, OPEN), _t.c.due_at <= _now, _free)
    .values(state="running", attempt=_t.c.attempt + 1, leased_until=given("until"))
    .returning(_t)
)
_CARRY: Final = Query(
    update(_t)
    .where(_held)
    .values(
        phase=given("phase"),
        cursor=given("cursor", Text),
        total=_t.c.total + given("total", _t.c.total.type),
        done=_t.c.done + given("done", _t.c.done.type),
        unmatched=_t.c.unmatched + given("unmatched", _t.c.unmatched.type),
        tries=0,
        leased_until=given("leased_until", DateTime(timezone=True)),
    )
)
_POSTPONE: Final = Query(
    update(_t)
    .where(_held)
    .values(
        state="queued",
        tries=_t.c.tries + 1,
        due_at=given("due_at"),
        leased_until=null(),
        failure=given("failure"),
    )
)
_FINISH: Final = Query(
    update(_t)
    .where(_held)
    .values(
        state=given("state"),
        failure=given("failure", Text),
        finished_at=_now,
        phase="over",
        cursor=null(),
        due_at=null(),
        leased_until=null(),
    )
    .returning(_t)
)
DUE: Final = Query(
    select(_t.c.shop_id, _t.c.id)
    .where(_t.c.due_at <= _now, _free)
    .order_by(_t.c.due_at)
    .limit(given("limit"))
)

DUE_CONNECTIONS: Final = Query(
    select(connections.c.shop_id, connections.c.id)
    .where(connections.c.reconcile_at <= _now)
    .order_by(connections.c.reconcile_at)
    .limit(given("limit"))
)
_TAKE_CONNECTION: Final = Query(
    select(connections)
    .where(here(connections), connections.c.id == given("id"), connections.c.reconcile_at <= _now)
    .with_for_update(skip_locked=True)
)
_NEXT_SWEEP: Final = Query(
    update(connections)
    .where(here(connections), connections.c.id == given("id"))
    .values(reconcile_at=given("at", DateTime(timezone=True)))
)

_LINE_FIELDS = tuple(c.name for c in _l.c if c.name != "shop_id")
_ADD_LINE: Final = Query(
    insert(_l)
    .values(shop_id=SHOP, **{name: given(name, _l.c[name].type) for name in _LINE_FIELDS})
    .on_conflict_do_nothing()
)
_FORGET_LINES: Final = Query(
    delete(_l).where(here(_l), _l.c.reconciliation_id == given("reconciliation_id"))
)
_DIFFERENCE_FIELDS = tuple(c.name for c in _d.c if c.name != "shop_id")
_ADD_DIFFERENCE: Final = Query(
    insert(_d)
    .values(shop_id=SHOP, **{name: given(name, _d.c[name].type) for name in _DIFFERENCE_FIELDS})
    .on_conflict_do_nothing()
)
_DIFFERENCES: Final = Query(
    select(_d)
    .where(
        here(_d),
        _d.c.reconciliation_id == given("reconciliation_id"),
        _d.c.id < given("before"),
        or_(given("kind", Text).is_(None), _d.c.kind == given("kind", Text)),
    )
    .order_by(_d.c.id.desc())
    .limit(given("limit"))
)
_REPORT: Final = Query(
    select(_d.c.subject, _d.c.kind, _d.c.proposal, _d.c.applied, func.count().label("count"))
    .where(here(_d), _d.c.reconciliation_id == given("reconciliation_id"))
    .group_by(_d.c.subject, _d.c.kind, _d.c.proposal, _d.c.applied)
    .order_by(_d.c.subject, _d.c.kind, _d.c.proposal, _d.c.applied)
)
_FORGET_RUNS: Final = Query(
    delete(_t).where(
        here(_t),
        _t.c.origin == "sweep",
        _t.c.state == "succeeded",
        _t.c.finished_at < given("before", DateTime(timezone=True)),
        ~exists().where(_d.c.shop_id == _t.c.shop_id, _d.c.reconciliation_id == _t.c.id),
    )
)


async def add(tx: Transaction, **values: Any) -> Row:
    """A queued run."""
    row = await tx.first(_ADD, **values)
    assert row is not None
    return row


async def count_open(tx: Transaction) -> int:
    """How many that people asked for wait or run. The shop must be locked for a limit to hold."""
    return int(await tx.value(_COUNT_OPEN))


async def sweep_is_open(tx: Transaction, source: str) -> bool:
    """Whether the sweep before is still under way."""
    return await tx.value(_OPEN_SWEEP, source=source) is not None


async def last(tx: Transaction, source: str) -> Row:
    """``until`` of the newest run that succeeded, and ``whole_until`` of the newest whole one."""
    row = await tx.first(_LAST, source=source)
    assert row is not None
    return row


async def one(tx: Transaction, reconciliation_id: UUID) -> Row | None:
    return await tx.first(_ONE, id=reconciliation_id)


async def page(tx: Transaction, *, before: UUID, limit: int, source: str | None) -> list[Row]:
    """Newest first."""
    return await tx.all(_PAGE, before=before, limit=limit, source=source)


async def claim(tx: Transaction, run_id: UUID, now: datetime, until: datetime) -> Row | None:
    """Take a due one until then; None when it is not due or held."""
    return await tx.first(_CLAIM, id=run_id, now=now, until=until)


async def carry(tx: Transaction, run: Row, **values: Any) -> bool:
    """Say how far it is: the new phase and cursor, and what to add to the counters.

    ``leased_until`` None lets it go. False when another attempt holds it by now.
    """
    return bool(await tx.run(_CARRY, id=run["id"], attempt=run["attempt"], **values))


async def postpone(tx: Transaction, run: Row, due_at: datetime, failure: str) -> bool:
    """Try the same step again later. False when another attempt holds it by now."""
    done = await tx.run(
        _POSTPONE, id=run["id"], attempt=run["attempt"], due_at=due_at, failure=failure
    )
    return bool(done)


async def finish(
    tx: Transaction, run: Row, *, state: str, failure: str | None, now: datetime
) -> Row | None:
    """End it and drop its lines. None when another attempt holds it by now."""
    row = await tx.first(
        _FINISH, id=run["id"], attempt=run["attempt"], state=state, failure=failure, now=now
    )
    if row is not None:
        await tx.run(_FORGET_LINES, reconciliation_id=run["id"])
    return row


async def take_connection(tx: Transaction, connection_id: UUID, now: datetime) -> Row | None:
    """The connection whose sweep is due, locked; None when it is not or somebody has it."""
    return await tx.first(_TAKE_CONNECTION, id=connection_id, now=now)


async def next_sweep(tx: Transaction, connection_id: UUID, at: datetime | None) -> None:
    """When the connection is swept again; None for never."""
    await tx.run(_NEXT_SWEEP, id=connection_id, at=at)


async def add_lines(tx: Transaction, lines: Iterable[dict[str, Any]]) -> None:
    """Lines of the other book; one that is there already stays."""
    await tx.many(_ADD_LINE, lines)


async def add_differences(tx: Transaction, found: Sequence[dict[str, Any]]) -> None:
    """Differences; one that was found before is not added again."""
    await tx.many(_ADD_DIFFERENCE, found)


async def differences(tx: Transaction, **filters: Any) -> list[Row]:
    """Newest first; ``reconciliation_id``, ``before``, ``limit``, and ``kind`` or None."""
    return await tx.all(_DIFFERENCES, **filters)


async def report(tx: Transaction, reconciliation_id: UUID) -> list[Row]:
    """How many differences of each sort."""
    return await tx.all(_REPORT, reconciliation_id=reconciliation_id)


async def forget(tx: Transaction, before: datetime) -> None:
    """Drop old sweeps that found nothing."""
    await tx.run(_FORGET_RUNS, before=before)
