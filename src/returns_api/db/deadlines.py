"""Deadlines as rows: written beside the change that moves them, found when their moment comes.

Owns the table ``deadlines`` of returns and of all that hangs on them. ``wake_at`` is the moment
while a deadline runs, and nothing else is swept. Refuses to own what a deadline means
(``domain.lifecycle``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    DateTime,
    FromClause,
    Text,
    case,
    column,
    func,
    literal,
    null,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import deadlines as _t
from returns_api.domain.lifecycle.deadlines import KEPT, OPEN, PASSED, PAUSED, Deadline

_NOW: Final = given("now", DateTime(timezone=True))
_COLUMNS: Final = ("kind", "owner", "on_silence", "state", "due_at", "paused_at")


def written(of: str, head: FromClause) -> CTE:
    """Write the deadlines of the parameter ``deadlines``, each in the place of the one before it.

    ``head`` has the object's ``id`` and ``return_id``; without a row of it, nothing is written.
    """
    wanted = (
        func.jsonb_to_recordset(given("deadlines", JSONB))
        .table_valued(*(column(name, _t.c[name].type) for name in _COLUMNS))
        .render_derived(with_types=True)
    )
    rows = select(
        SHOP,
        head.c.return_id,
        head.c.id,
        literal(of, Text),
        *wanted.c,
        case((wanted.c.state == OPEN, wanted.c.due_at), else_=null()),
        _NOW,
        case((among(wanted.c.state, (OPEN, PAUSED)), null()), else_=_NOW),
    ).select_from(head.join(wanted, true()))
    adding = insert(_t).from_select(
        [
            "shop_id",
            "return_id",
            "object_id",
            "object",
            *_COLUMNS,
            "wake_at",
            "begun_at",
            "ended_at",
        ],
        rows,
    )
    after = adding.excluded
    changed = ("owner", "on_silence", "state", "due_at", "wake_at", "paused_at", "ended_at")
    return adding.on_conflict_do_update(
        index_elements=["shop_id", "return_id", "object_id", "kind"],
        set_={name: after[name] for name in changed},
    ).cte("timed")


def ending(head: FromClause, kind: str) -> CTE:
    """End one kind of deadline of a return, where it stands: what it was for was done."""
    return (
        update(_t)
        .where(
            here(_t),
            _t.c.return_id == head.c.id,
            _t.c.object_id == head.c.id,
            _t.c.kind == kind,
            _t.c.wake_at.is_not(None),
        )
        .values(state=KEPT, wake_at=null(), ended_at=_NOW)
        .cte("ended")
    )


def shown(return_id: ColumnElement[Any], of: ColumnElement[Any] | None = None) -> Any:
    """All deadlines of a return, or those of one object, as a JSON list for another statement."""
    names = ("object", "object_id", *_COLUMNS)
    fields = [part for name in names for part in (literal(name, Text), _t.c[name])]
    one = [] if of is None else [_t.c.object_id == of]
    return (
        select(func.jsonb_agg(func.jsonb_build_object(*fields)))
        .where(here(_t), _t.c.return_id == return_id, *one)
        .scalar_subquery()
    )


def records(stored: Any) -> tuple[Deadline, ...]:
    """What ``shown`` gave of one object, in the order of their moments."""
    found = [Deadline.from_json(each) for each in stored or ()]
    return tuple(sorted(found, key=lambda each: (each.due_at, each.kind)))


def to_json(found: Sequence[Deadline]) -> list[dict[str, Any]]:
    return [each.to_json() for each in found]


DUE: Final = Query(
    select(_t.c.shop_id, _t.c.return_id)
    .where(_t.c.wake_at <= given("now"))
    .order_by(_t.c.wake_at, _t.c.return_id)
    .limit(given("limit"))
)
_NEXT: Final = Query(
    select(_t.c.object, _t.c.object_id, _t.c.kind, _t.c.wake_at)
    .where(here(_t), _t.c.return_id == given("return_id"), _t.c.wake_at <= given("now"))
    .order_by(_t.c.wake_at, _t.c.object_id, _t.c.kind)
    .limit(1)
)


_PASS: Final = Query(
    update(_t)
    .where(
        here(_t),
        _t.c.return_id == given("return_id"),
        _t.c.object_id == given("object_id"),
        _t.c.kind == given("kind"),
        _t.c.wake_at <= _NOW,
    )
    .values(state=PASSED, wake_at=null(), ended_at=_NOW)
)


_given = {name: given(name, _t.c[name].type) for name in ("kind", "owner", "on_silence", "due_at")}
_SET: Final = Query(
    insert(_t)
    .values(
        shop_id=SHOP,
        return_id=given("return_id"),
        object_id=given("object_id"),
        object=given("of"),
        state=OPEN,
        wake_at=given("due_at", DateTime(timezone=True)),
        begun_at=_NOW,
        **_given,
    )
    .on_conflict_do_update(
        index_elements=["shop_id", "return_id", "object_id", "kind"],
        set_={
            "state": OPEN,
            "due_at": given("due_at", DateTime(timezone=True)),
            "wake_at": given("due_at", DateTime(timezone=True)),
            "paused_at": null(),
            "ended_at": null(),
        },
    )
)
_END: Final = Query(
    update(_t)
    .where(
        here(_t),
        _t.c.return_id == given("return_id"),
        _t.c.object_id == given("object_id"),
        _t.c.kind == given("kind"),
        _t.c.wake_at.is_not(None),
    )
    .values(state=KEPT, wake_at=null(), ended_at=_NOW)
)


async def set_one(
    tx: Transaction, return_id: UUID, of: str, object_id: UUID, begun: Deadline, now: datetime
) -> None:
    """Begin a deadline of an object, in the place of the one of its kind before."""
    values = {"kind": begun.kind, "owner": begun.owner, "on_silence": begun.on_silence}
    await tx.run(
        _SET, return_id=return_id, object_id=object_id, of=of, due_at=begun.due_at, now=now,
        **values,
    )  # fmt: skip


async def end_one(
    tx: Transaction, return_id: UUID, object_id: UUID, kind: str, now: datetime
) -> None:
    """End a deadline that stands: what it was for was done."""
    await tx.run(_END, return_id=return_id, object_id=object_id, kind=kind, now=now)


async def let_pass(tx: Transaction, return_id: UUID, late: Row, now: datetime) -> bool:
    """End a deadline whose silence moves nothing; False when it does not stand any more, or was
    put off."""
    return bool(
        await tx.run(
            _PASS, return_id=return_id, object_id=late["object_id"], kind=late["kind"], now=now
        )
    )


async def next_of(tx: Transaction, return_id: UUID, now: datetime) -> Row | None:
    """The deadline that passed first of all that stand on a return; not locked."""
    return await tx.first(_NEXT, return_id=return_id, now=now)
