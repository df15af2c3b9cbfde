"""Address changes: rows to facts. How they are added and moved is ``db.moves``'s."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, any_, null, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db import deadlines as deadline_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import address_changes as _t
from returns_api.db.tables import orders
from returns_api.domain.address_changes import AddressChangeRecord

_JOINED: Final = {"deadlines", "order_external_id"}
_FIELDS: Final = tuple(
    name for name in AddressChangeRecord.__dataclass_fields__ if name not in _JOINED
)
_shown = (
    select(
        *(_t.c[name] for name in _FIELDS),
        orders.c.external_id.label("order_external_id"),
        deadline_rows.shown(_t.c.order_id, _t.c.id, "order_id").label("deadlines"),
    )
    .select_from(_t)
    .join(orders, and_(orders.c.shop_id == _t.c.shop_id, orders.c.id == _t.c.order_id))
)
_order, _state = given("order_id", Uuid), given("state", Text)
_some: Final = given("order_ids", ARRAY(Uuid))
_ONE: Final = Query(_shown.where(here(_t), _t.c.id == given("id")))
_PAGE: Final = Query(
    _shown.where(
        here(_t),
        _t.c.id < given("before"),
        or_(_order.is_(None), _t.c.order_id == _order),
        or_(_state.is_(None), _t.c.state == _state),
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_KEPT: Final = Query(
    select(_t.c.order_id, _t.c.address, _t.c.state, _t.c.created_at)
    .where(here(_t), _t.c.order_id == any_(_some), _t.c.address.is_not(None))
    .order_by(_t.c.id)
)
_FORGET: Final = Query(
    update(_t)
    .where(here(_t), _t.c.order_id == any_(_some), _t.c.address.is_not(None))
    .values(address=null())
)


async def one(tx: Transaction, change_id: UUID) -> AddressChangeRecord | None:
    """The order's lock is the change's."""
    return _record(await tx.first(_ONE, id=change_id))


async def page(tx: Transaction, **filters: Any) -> list[AddressChangeRecord]:
    """Newest first; ``before``, ``limit`` and the optional order_id and state."""
    found = (_record(row) for row in await tx.all(_PAGE, **filters))
    return [record for record in found if record is not None]


async def of_orders(tx: Transaction, order_ids: Sequence[UUID]) -> list[Row]:
    """The addresses that are kept with these orders."""
    return await tx.all(_KEPT, order_ids=list(order_ids))


async def forget(tx: Transaction, order_ids: Sequence[UUID]) -> None:
    """That an address was to be changed stays; the address goes."""
    await tx.run(_FORGET, order_ids=list(order_ids))


def _record(row: Row | None) -> AddressChangeRecord | None:
    if row is None:
        return None
    return AddressChangeRecord(
        **{name: row[name] for name in (*_FIELDS, "order_external_id")},
        deadlines=deadline_rows.records(row["deadlines"]),
    )
