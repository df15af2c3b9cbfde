"""Repairs: rows to facts. Adding and moving is ``db.moves``'s."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, any_, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db import deadlines as deadline_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import order_lines, orders, return_lines
from returns_api.db.tables import repairs as _t
from returns_api.domain.repairs import RepairRecord

_JOINED: Final = ("order_external", "order_number", "line_external", "sku", "title")
_FIELDS: Final = tuple(
    name for name in RepairRecord.__dataclass_fields__ if name not in {*_JOINED, "deadlines"}
)
_shown = select(
    *(_t.c[name] for name in _FIELDS),
    orders.c.external_id.label("order_external"),
    orders.c.number.label("order_number"),
    order_lines.c.external_id.label("line_external"),
    order_lines.c.sku,
    order_lines.c.title,
    deadline_rows.shown(_t.c.return_id, _t.c.id).label("deadlines"),
).select_from(
    _t.join(orders, and_(here(orders), orders.c.id == _t.c.order_id))
    .join(return_lines, and_(here(return_lines), return_lines.c.id == _t.c.return_line_id))
    .join(order_lines, and_(here(order_lines), order_lines.c.id == return_lines.c.order_line_id))
)
_ONE: Final = Query(_shown.where(here(_t), _t.c.id == given("id")))
_OF_RETURN: Final = Query(_shown.where(here(_t), _t.c.return_id == given("return_id")))
_PAGE: Final = Query(
    _shown.where(
        here(_t),
        _t.c.id < given("before"),
        or_(given("order_id", Uuid).is_(None), _t.c.order_id == given("order_id", Uuid)),
        or_(given("return_id", Uuid).is_(None), _t.c.return_id == given("return_id", Uuid)),
        or_(
            given("states", ARRAY(Text)).is_(None), _t.c.state == any_(given("states", ARRAY(Text)))
        ),
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)


async def one(tx: Transaction, repair_id: UUID) -> RepairRecord | None:
    """The return's lock is the repair's."""
    return _record(await tx.first(_ONE, id=repair_id))


async def of_return(tx: Transaction, return_id: UUID) -> RepairRecord | None:
    """The one repair of a return."""
    return _record(await tx.first(_OF_RETURN, return_id=return_id))


async def page(tx: Transaction, **filters: Any) -> list[RepairRecord]:
    """Newest first; ``before``, ``limit`` and the optional order_id, return_id and states."""
    found = (_record(row) for row in await tx.all(_PAGE, **filters))
    return [record for record in found if record is not None]


def _record(row: Row | None) -> RepairRecord | None:
    if row is None:
        return None
    values = {name: row[name] for name in (*_FIELDS, *_JOINED)}
    return RepairRecord(**values, deadlines=deadline_rows.records(row["deadlines"]))
