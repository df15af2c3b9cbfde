"""Deadlines as rows: written beside the change that moves them, found when their moment comes.

Owns the two books of deadlines: those of returns and of all that hangs on them, and those of what
may hang on an order alone. ``wake_at`` is the moment while a deadline runs, and nothing else is
swept. Refuses to own what a deadline means (``domain.lifecycle``).
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
    Table,
    Text,
    case,
    func,
    literal,
    null,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here, json_rows
from returns_api.db.tables import deadlines as _t
from returns_api.db.tables import order_deadlines as _o
from returns_api.domain.lifecycle.deadlines import KEPT, OPEN, PASSED, PAUSED, Deadline

_NOW: Final = given("now", DateTime(timezone=True))
_COLUMNS: Final = ("kind", "owner", "on_silence", "state", "due_at", "paused_at")
_BOOKS: Final = {"return_id": _t, "order_id": _o}


def anchor_of(table: Table) -> str:
    """What an object's deadlines are kept by: its return, or its order where it may have none."""
    has_return = "return_id" in table.c and not table.c.return_id.nullable
    return "return_id" if has_return else "order_id"


def written(of: str, head: FromClause, anchor: str = "return_id") -> CTE:
    """Write the deadlines of the parameter ``deadlines``, each in the place of the one before it.

    ``head`` has the object's ``id`` and its ``anchor``; without a row of it, nothing is written.
    """
    book = _BOOKS[anchor]
    wanted = json_rows("deadlines", **{name: _t.c[name].type for name in _COLUMNS})
    rows = select(
        SHOP,
        head.c[anchor],
        head.c.id,
        literal(of, Text),
        *wanted.c,
        case((wanted.c.state == OPEN, wanted.c.due_at), else_=null()),
        _NOW,
        case((among(wanted.c.state, (OPEN, PAUSED)), null()), else_=_NOW),
    ).select_from(head.join(wanted, true()))
    adding = insert(book).from_select(
        [
            "shop_id",
            anchor,
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
        index_elements=["shop_id", anchor, "object_id", "kind"],
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


def shown(
    key: ColumnElement[Any], of: ColumnElement[Any] | None = None, anchor: str = "return_id"
) -> Any:
    """All deadlines of a return or order, or those of one object, as a JSON list for another
    statement."""
    book = _BOOKS[anchor]
    names = ("object", "object_id", *_COLUMNS)
    fields = [part for name in names for part in (literal(name, Text), book.c[name])]
    one = [] if of is None else [book.c.object_id == of]
    return (
        select(func.jsonb_agg(func.jsonb_build_object(*fields)))
        .where(here(book), book.c[anchor] == key, *one)
        .scalar_subquery()
    )


def records(stored: Any) -> tuple[Deadline, ...]:
    """What ``shown`` gave of one object, in the order of their moments."""
    found = [Deadline.from_json(each) for each in stored or ()]
    return tuple(sorted(found, key=lambda each: (each.due_at, each.kind)))


def to_json(found: Sequence[Deadline]) -> list[dict[str, Any]]:
    return [each.to_json() for each in found]


def _due(anchor: str) -> Query:
    book = _BOOKS[anchor]
    return Query(
        select(book.c.shop_id, book.c[anchor])
        .where(book.c.wake_at <= given("now"))
        .order_by(book.c.wake_at, book.c[anchor])
        .limit(given("limit"))
    )


def _next(anchor: str) -> Query:
    book = _BOOKS[anchor]
    return Query(
        select(book.c.object, book.c.object_id, book.c.kind, book.c.wake_at)
        .where(here(book), book.c[anchor] == given("key"), book.c.wake_at <= given("now"))
        .order_by(book.c.wake_at, book.c.object_id, book.c.kind)
        .limit(1)
    )


DUE: Final = {anchor: _due(anchor) for anchor in _BOOKS}
_NEXT: Final = {anchor: _next(anchor) for anchor in _BOOKS}
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


async def next_of(
    tx: Transaction, key: UUID, now: datetime, anchor: str = "return_id"
) -> Row | None:
    """The deadline that passed first of all that stand on a return or an order; not locked."""
    return await tx.first(_NEXT[anchor], key=key, now=now)
