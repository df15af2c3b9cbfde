"""Withdrawals and their acknowledgements: added, moved under a lock, listed, forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    func,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import withdrawal_acknowledgements as _acks
from returns_api.db.tables import withdrawals as _t

_ADDED: Final = ("id", "order_id", "state", "name", "contact", "lines", "language")
_MOVED: Final = ("state", "confirmed_at", "confirmed_by", "return_id", "problem", "due_at")

_ADD: Final = Query(
    insert(_t).values(
        shop_id=SHOP,
        created_at=given("now"),
        updated_at=given("now"),
        **{name: given(name) for name in _ADDED},
    )
)
_LOCK: Final = Query(select(_t).where(here(_t), _t.c.id == given("id")).with_for_update())
_MOVE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"))
    .values(
        sequence=_t.c.sequence + 1,
        updated_at=given("now"),
        **{name: given(name, _t.c[name].type) for name in _MOVED},
    )
)
_PUT_OFF: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.state == "confirmed")
    .values(due_at=given("due_at", DateTime(timezone=True)))
)
_ACKNOWLEDGE: Final = Query(
    insert(_acks).values(
        shop_id=SHOP, **{name: given(name) for name in ("withdrawal_id", "at", "body", "seal")}
    )
)
_shown = select(
    _t,
    _acks.c.at.label("acknowledged_at"),
    _acks.c.body,
    _acks.c.seal,
).outerjoin(_acks, and_(_acks.c.shop_id == _t.c.shop_id, _acks.c.withdrawal_id == _t.c.id))
_ONE: Final = Query(_shown.where(here(_t), _t.c.id == given("id")))
_PAGE: Final = Query(
    _shown.where(
        here(_t),
        _t.c.id < given("before"),
        or_(given("order_id", Uuid).is_(None), _t.c.order_id == given("order_id", Uuid)),
        or_(given("state", Text).is_(None), _t.c.state == given("state", Text)),
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit", Integer))
)
_WAITING: Final = Query(
    select(func.count())
    .select_from(_t)
    .where(here(_t), _t.c.order_id == given("order_id"), _t.c.state == "submitted")
)
DUE: Final = Query(
    select(_t.c.shop_id, _t.c.id)
    .where(_t.c.due_at <= given("now", DateTime(timezone=True)))
    .order_by(_t.c.due_at, _t.c.id)
    .limit(given("limit"))
)
_of_orders = _t.c.order_id == any_(given("order_ids", ARRAY(Uuid)))
_OF_ORDERS: Final = Query(
    select(_t.c.order_id, _t.c.id, _t.c.name, _t.c.contact, _t.c.state, _t.c.confirmed_at)
    .where(here(_t), _of_orders)
    .order_by(_t.c.order_id, _t.c.id)
)
_FORGET: Final = Query(
    update(_t)
    .where(here(_t), _of_orders, or_(_t.c.name.is_not(None), _t.c.contact.is_not(None)))
    .values(name=null(), contact=null())
)


async def add(tx: Transaction, now: datetime, **values: Any) -> None:
    await tx.run(_ADD, now=now, **values)


async def lock(tx: Transaction, withdrawal_id: UUID) -> Row | None:
    return await tx.first(_LOCK, id=withdrawal_id)


async def move(tx: Transaction, row: Row, now: datetime, **changed: Any) -> int:
    """Set columns of a locked withdrawal; the others stay. The new sequence."""
    values = {name: changed.get(name, row[name]) for name in _MOVED}
    await tx.run(_MOVE, id=row["id"], now=now, **values)
    return int(row["sequence"]) + 1


async def put_off(tx: Transaction, withdrawal_id: UUID, due_at: datetime) -> None:
    """Look again later, if it still waits for its return."""
    await tx.run(_PUT_OFF, id=withdrawal_id, due_at=due_at)


async def acknowledge(tx: Transaction, **values: Any) -> None:
    """Write the acknowledgement; there is one, and it never changes."""
    await tx.run(_ACKNOWLEDGE, **values)


async def one(tx: Transaction, withdrawal_id: UUID) -> Row | None:
    """With its acknowledgement, whose columns are null before it is confirmed."""
    return await tx.first(_ONE, id=withdrawal_id)


async def page(tx: Transaction, **filters: Any) -> list[Row]:
    """Newest first; ``before``, ``limit`` and the optional ``order_id`` and ``state``."""
    return await tx.all(_PAGE, **filters)


async def waiting(tx: Transaction, order_id: UUID) -> int:
    """Statements of an order that nobody confirmed yet."""
    return int(await tx.value(_WAITING, order_id=order_id))


async def of_orders(tx: Transaction, order_ids: Sequence[UUID]) -> list[Row]:
    """What the person of these orders said here."""
    return await tx.all(_OF_ORDERS, order_ids=list(order_ids))


async def forget(tx: Transaction, order_ids: Sequence[UUID]) -> None:
    """The person was erased; that there was a withdrawal, of what and when, stays."""
    await tx.run(_FORGET, order_ids=list(order_ids))
