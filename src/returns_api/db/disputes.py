"""Disputes and their statements: rows to facts. How they are added and moved is ``db.moves``'s."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, Uuid, any_, func, insert, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db import deadlines as deadline_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import dispute_statements as _s
from returns_api.db.tables import disputes as _t
from returns_api.domain.disputes import DisputeRecord, Statement

_FIELDS: Final = tuple(
    name for name in DisputeRecord.__dataclass_fields__ if name not in {"deadlines", "statements"}
)
_SAID: Final = ("id", "party", "text", "at")
_said = (
    select(
        func.jsonb_agg(
            func.jsonb_build_object(
                *(part for name in _SAID for part in (literal(name, Text), _s.c[name]))
            )
        )
    )
    .where(here(_s), _s.c.dispute_id == _t.c.id)
    .scalar_subquery()
)
_shown = select(
    *(_t.c[name] for name in _FIELDS),
    _said.label("statements"),
    deadline_rows.shown(_t.c.return_id, _t.c.id).label("deadlines"),
)
_ONE: Final = Query(_shown.where(here(_t), _t.c.id == given("id")))
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
_SAY: Final = Query(
    insert(_s).values(
        shop_id=SHOP,
        **{name: given(name) for name in ("id", "dispute_id", "party", "author", "text", "at")},
    )
)


async def one(tx: Transaction, dispute_id: UUID) -> DisputeRecord | None:
    """The return's lock is the dispute's."""
    return _record(await tx.first(_ONE, id=dispute_id))


async def page(tx: Transaction, **filters: Any) -> list[DisputeRecord]:
    """Newest first; ``before``, ``limit`` and the optional order_id, return_id and states."""
    found = (_record(row) for row in await tx.all(_PAGE, **filters))
    return [record for record in found if record is not None]


async def say(tx: Transaction, **statement: Any) -> None:
    """Add what one side puts forward."""
    await tx.run(_SAY, **statement)


def _record(row: Row | None) -> DisputeRecord | None:
    if row is None:
        return None
    said = [
        Statement(UUID(each["id"]), each["party"], each["text"], datetime.fromisoformat(each["at"]))
        for each in row["statements"] or ()
    ]
    return DisputeRecord(
        **{name: row[name] for name in _FIELDS},
        statements=tuple(sorted(said, key=lambda each: each.id)),
        deadlines=deadline_rows.records(row["deadlines"]),
    )
