"""Imports as runs, with the parts of their files and the problems of their lines.

A part lies here only until its lines are done: it holds what the buyers' orders hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, delete, insert, select, update

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.runs import Runs, named
from returns_api.db.tables import import_parts as _p
from returns_api.db.tables import import_problems as _e
from returns_api.db.tables import imports as _t

COUNTERS: Final = ("done", "created", "updated", "unchanged", "rejected")

RUNS: Final = Runs(
    _t,
    new=("source", "requested_by"),
    carried={
        **{name: getattr(_t.c, name) + given(name, Integer) for name in COUNTERS},
        **named(_t, ("part", "line")),
    },
    first="open",
)
_GROW: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"))
    .values(
        parts=_t.c.parts + 1,
        size=_t.c.size + given("size", _t.c.size.type),
        total=_t.c.total + given("lines", Integer),
        due_at=given("due_at"),
    )
    .returning(_t)
)
_PART_COLUMNS: Final = ("import_id", "no", "first_byte", "lines", "digest", "body")
_ADD_PART: Final = Query(insert(_p).values(shop_id=SHOP, **named(_p, _PART_COLUMNS)))
_PART_AT: Final = Query(
    select(_p.c.no, _p.c.digest).where(
        here(_p), _p.c.import_id == given("import_id"), _p.c.first_byte == given("first_byte")
    )
)
_PART: Final = Query(
    select(_p.c.body).where(here(_p), _p.c.import_id == given("import_id"), _p.c.no == given("no"))
)
_DROP_PART: Final = Query(
    delete(_p).where(here(_p), _p.c.import_id == given("import_id"), _p.c.no <= given("no"))
)
_FORGET: Final = Query(delete(_p).where(here(_p)))
_ADD_PROBLEM: Final = Query(
    insert(_e).values(
        shop_id=SHOP,
        **named(_e, ("import_id", "line", "external_id", "errors")),
    )
)
_PROBLEMS: Final = Query(
    select(_e.c.line, _e.c.external_id, _e.c.errors)
    .where(here(_e), _e.c.import_id == given("import_id"), _e.c.line > given("after"))
    .order_by(_e.c.line)
    .limit(given("limit"))
)


async def add_part(tx: Transaction, import_id: UUID, **values: Any) -> None:
    """The next part of a locked import; ``grow`` counts it."""
    await tx.run(_ADD_PART, import_id=import_id, **values)


async def grow(tx: Transaction, import_id: UUID, **values: Any) -> Row:
    """Count a part: ``size`` bytes, ``lines``; nobody waits for the next one after ``due_at``."""
    row = await tx.first(_GROW, id=import_id, **values)
    assert row is not None
    return row


async def part_at(tx: Transaction, import_id: UUID, offset: int) -> Row | None:
    """``no`` and ``digest`` of the part that begins there and is not done yet."""
    return await tx.first(_PART_AT, import_id=import_id, first_byte=offset)


async def body(tx: Transaction, import_id: UUID, no: int) -> bytes | None:
    """The bytes of a part."""
    found: bytes | None = await tx.value(_PART, import_id=import_id, no=no)
    return found


async def drop_parts(tx: Transaction, import_id: UUID, upto: int) -> None:
    """Forget parts that are done."""
    await tx.run(_DROP_PART, import_id=import_id, no=upto)


async def forget_all(tx: Transaction) -> None:
    """Forget the parts of every import of the shop."""
    await tx.run(_FORGET)


async def add_problems(tx: Transaction, problems: Iterable[dict[str, Any]]) -> None:
    await tx.many(_ADD_PROBLEM, problems)


async def problems(tx: Transaction, import_id: UUID, *, after: int, limit: int) -> list[Row]:
    """In the order of the lines, behind a line."""
    return await tx.all(_PROBLEMS, import_id=import_id, after=after, limit=limit)
