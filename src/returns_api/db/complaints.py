"""Complaints: rows to facts. How they are added and moved is ``db.moves``'s."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, FromClause, Text, Uuid, and_, any_, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db import deadlines as deadline_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.gifts import is_of_gift
from returns_api.db.query import Query, among, given, here
from returns_api.db.tables import complaints as _t
from returns_api.db.tables import message_texts
from returns_api.domain.complaints import UNDER_WAY, ComplaintRecord

_WORDS: Final = ("statement", "resolution", "comment")
"""What is said in the messages that a complaint names."""
_FIELDS: Final = tuple(
    name for name in ComplaintRecord.__dataclass_fields__ if name not in {"deadlines", *_WORDS}
)
_said: Final = {name: message_texts.alias(name) for name in _WORDS}


def _with_words() -> FromClause:
    """Each complaint with the words that it names, null where there are none any more."""
    rows: FromClause = _t
    for name, words in _said.items():
        same = and_(words.c.shop_id == _t.c.shop_id, words.c.message_id == _t.c[f"{name}_id"])
        rows = rows.outerjoin(words, same)
    return rows


_shown: Final = select(
    *(_t.c[name] for name in _FIELDS),
    *(words.c.text.label(name) for name, words in _said.items()),
    deadline_rows.shown(_t.c.order_id, _t.c.id, "order_id").label("deadlines"),
).select_from(_with_words())
_order, _return = given("order_id", Uuid), given("return_id", Uuid)
_state = given("state", Text)
_ONE: Final = Query(_shown.where(here(_t), _t.c.id == given("id")))
_LOCK: Final = Query(select(_t.c.id).where(here(_t), _t.c.id == given("id")).with_for_update())
_PAGE: Final = Query(
    _shown.where(
        here(_t),
        _t.c.id < given("before"),
        or_(_order.is_(None), _t.c.order_id == _order),
        or_(_return.is_(None), _t.c.return_id == _return),
        or_(_state.is_(None), _t.c.state == _state),
        or_(given("gifts", Boolean), ~is_of_gift(_t.c.return_id)),
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_UNDER_WAY: Final = Query(
    select(func.count())
    .select_from(_t)
    .where(here(_t), _t.c.order_id == given("order_id"), among(_t.c.state, UNDER_WAY))
)
_ABOUT: Final = Query(
    select(_t.c.id, _t.c.return_id).where(
        here(_t),
        _t.c.order_id == any_(given("order_ids", ARRAY(Uuid))),
        _t.c.return_id == any_(given("return_ids", ARRAY(Uuid))),
    )
)


async def one(tx: Transaction, complaint_id: UUID) -> ComplaintRecord | None:
    return _record(await tx.first(_ONE, id=complaint_id))


async def lock(tx: Transaction, complaint_id: UUID) -> None:
    """One at a time; a complaint is locked last."""
    await tx.first(_LOCK, id=complaint_id)


async def page(tx: Transaction, **filters: Any) -> list[ComplaintRecord]:
    """Newest first; ``before``, ``limit`` and the optional order_id, return_id and state;
    ``gifts``: those about returns by gift receipts too."""
    found = (_record(row) for row in await tx.all(_PAGE, **filters))
    return [record for record in found if record is not None]


async def about(
    tx: Transaction, order_ids: Sequence[UUID], return_ids: Sequence[UUID]
) -> dict[UUID, UUID]:
    """Complaints about these returns of the orders, each with its return."""
    found = await tx.all(_ABOUT, order_ids=list(order_ids), return_ids=list(return_ids))
    return {row["id"]: row["return_id"] for row in found}


async def under_way(tx: Transaction, order_id: UUID) -> int:
    """Complaints about an order that are not settled yet."""
    return int(await tx.value(_UNDER_WAY, order_id=order_id))


def _record(row: Row | None) -> ComplaintRecord | None:
    if row is None:
        return None
    values = {name: row[name] for name in (*_FIELDS, *_WORDS)}
    return ComplaintRecord(**values, deadlines=deadline_rows.records(row["deadlines"]))
