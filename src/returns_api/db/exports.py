"""Exports as runs, the parts of their files, and which orders and returns come next.

A part lies here only until its export is forgotten: it holds what the buyers' orders hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Uuid, any_, delete, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.order_intake import PERSON
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.runs import Runs, named
from returns_api.db.tables import export_parts as _p
from returns_api.db.tables import exports as _t
from returns_api.db.tables import order_people, orders, returns
from returns_api.domain.exports import ORDERS, RETURNS

RUNS: Final = Runs(
    _t,
    new=("kind", "requested_by", "forget_at"),
    carried={
        "done": _t.c.done + given("lines", Integer),
        "parts": _t.c.parts + 1,
        "size": _t.c.size + given("bytes", _t.c.size.type),
        **named(_t, ("cursor",)),
    },
    hidden=frozenset({"cursor"}),
)
_TABLES: Final = {ORDERS: orders, RETURNS: returns}
_COUNTS: Final = {
    kind: Query(select(func.count()).select_from(table).where(here(table)))
    for kind, table in _TABLES.items()
}
_NEXT: Final = {
    kind: Query(
        select(table.c.id)
        .where(here(table), table.c.id > given("after"))
        .order_by(table.c.id)
        .limit(given("limit"))
    )
    for kind, table in _TABLES.items()
}
_PEOPLE: Final = Query(
    select(order_people.c.order_id, *(order_people.c[name] for name in PERSON)).where(
        here(order_people),
        order_people.c.order_id == any_(given("order_ids", ARRAY(Uuid))),
        order_people.c.erased_at.is_(None),
    )
)
_ADD_PART: Final = Query(
    insert(_p).values(shop_id=SHOP, **named(_p, ("export_id", "no", "lines", "body")))
)
_PART: Final = Query(
    select(_p.c.no, _p.c.lines, _p.c.body).where(
        here(_p), _p.c.export_id == given("export_id"), _p.c.no == given("no")
    )
)
_FORGET: Final = Query(
    delete(_t).where(here(_t), _t.c.id == given("id"), _t.c.forget_at <= given("now"))
)
_FORGET_ALL: Final = Query(delete(_t).where(here(_t)))
OLD: Final = Query(
    select(_t.c.shop_id, _t.c.id)
    .where(_t.c.forget_at <= given("now"))
    .order_by(_t.c.forget_at)
    .limit(given("limit"))
)
"""Exports that nobody may fetch any more, for ``Database.sweep``."""


async def count(tx: Transaction, kind: str) -> int:
    """How many lines there will be, as things stand."""
    return int(await tx.value(_COUNTS[kind]))


async def following(tx: Transaction, kind: str, after: UUID, limit: int) -> list[UUID]:
    """The next orders, or returns, by their ids."""
    return [row["id"] for row in await tx.all(_NEXT[kind], after=after, limit=limit)]


async def people(tx: Transaction, order_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """The buyers of these orders, those that are kept."""
    rows = await tx.all(_PEOPLE, order_ids=list(order_ids))
    return {row["order_id"]: {name: row[name] for name in PERSON} for row in rows}


async def add_part(tx: Transaction, **values: Any) -> None:
    """Whole lines of a file."""
    await tx.run(_ADD_PART, **values)


async def part(tx: Transaction, export_id: UUID, no: int) -> Row | None:
    """One part by its number, from 1."""
    return await tx.first(_PART, export_id=export_id, no=no)


async def forget(tx: Transaction, export_id: UUID, now: datetime) -> None:
    """Drop one whose time is over, with its file."""
    await tx.run(_FORGET, id=export_id, now=now)


async def forget_all(tx: Transaction) -> None:
    """Drop every export of the shop: somebody in it has to be forgotten."""
    await tx.run(_FORGET_ALL)
