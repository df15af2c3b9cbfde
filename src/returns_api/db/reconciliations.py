"""Reconciliations as runs, with the other book's lines and the differences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, Text, delete, exists, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.runs import OPEN, Runs, named
from returns_api.db.tables import connections
from returns_api.db.tables import reconciliation_differences as _d
from returns_api.db.tables import reconciliation_lines as _l
from returns_api.db.tables import reconciliations as _t

_now = given("now", DateTime(timezone=True))
RUNS: Final = Runs(
    _t,
    new=("source", "origin", "whole", "since", "until", "phase", "requested_by"),
    carried={
        **named(_t, ("phase", "cursor")),
        "total": _t.c.total + given("total", _t.c.total.type),
        "done": _t.c.done + given("done", _t.c.done.type),
        "unmatched": _t.c.unmatched + given("unmatched", _t.c.unmatched.type),
        "tries": 0,
    },
    ended={"phase": "over", "cursor": null()},
    asked=_t.c.origin != "sweep",
    only=[or_(given("source", Text).is_(None), _t.c.source == given("source", Text))],
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
_POSTPONE: Final = Query(
    update(_t)
    .where(RUNS.held)
    .values(
        state="queued",
        tries=_t.c.tries + 1,
        due_at=given("due_at"),
        leased_until=null(),
        failure=given("failure"),
    )
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


async def sweep_is_open(tx: Transaction, source: str) -> bool:
    """Whether the sweep before is still under way."""
    return await tx.value(_OPEN_SWEEP, source=source) is not None


async def last(tx: Transaction, source: str) -> Row:
    """``until`` of the newest run that succeeded, and ``whole_until`` of the newest whole one."""
    row = await tx.first(_LAST, source=source)
    assert row is not None
    return row


async def postpone(tx: Transaction, run: Row, due_at: datetime, failure: str) -> bool:
    """Try the same step again later. False when another attempt holds it by now."""
    done = await tx.run(
        _POSTPONE, id=run["id"], attempt=run["attempt"], due_at=due_at, failure=failure
    )
    return bool(done)


async def forget_lines(tx: Transaction, run_id: UUID) -> None:
    """Drop the other book of a run that has ended."""
    await tx.run(_FORGET_LINES, reconciliation_id=run_id)


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
