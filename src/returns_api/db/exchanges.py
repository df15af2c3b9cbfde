"""Exchanges: rows to facts, and what they draw on payments. Adding and moving is ``db.moves``'s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid, and_, any_, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db import deadlines as deadline_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here, json_rows
from returns_api.db.tables import exchange_draws as _d
from returns_api.db.tables import exchange_gifts as _g
from returns_api.db.tables import exchanges as _t
from returns_api.db.tables import order_lines, orders, payments, return_lines
from returns_api.domain.exchanges import ExchangeRecord
from returns_api.domain.lifecycle.exchanges import RELEASED

_JOINED: Final = ("order_external", "order_number", "line_external", "gift_refund_id")
_FIELDS: Final = tuple(
    name for name in ExchangeRecord.__dataclass_fields__ if name not in {*_JOINED, "deadlines"}
)
_shown = select(
    *(_t.c[name] for name in _FIELDS),
    orders.c.external_id.label("order_external"),
    orders.c.number.label("order_number"),
    order_lines.c.external_id.label("line_external"),
    _g.c.refund_id.label("gift_refund_id"),
    deadline_rows.shown(_t.c.return_id, _t.c.id).label("deadlines"),
).select_from(
    _t.join(orders, and_(here(orders), orders.c.id == _t.c.order_id))
    .join(return_lines, and_(here(return_lines), return_lines.c.id == _t.c.return_line_id))
    .join(order_lines, and_(here(order_lines), order_lines.c.id == return_lines.c.order_line_id))
    .outerjoin(_g, and_(here(_g), _g.c.exchange_id == _t.c.id))
)
_ONE: Final = Query(_shown.where(here(_t), _t.c.id == given("id")))
_OF_RETURN: Final = Query(
    _shown.where(here(_t), _t.c.return_id == given("return_id")).order_by(return_lines.c.position)
)
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
_wanted = json_rows("wanted", id=Uuid, amount=BigInteger)
_counted = (
    update(payments)
    .where(
        here(payments),
        payments.c.id == _wanted.c.id,
        payments.c.captured
        - payments.c.reserved
        - payments.c.refunded
        - payments.c.external
        - payments.c.disputed
        - payments.c.exchanged
        >= _wanted.c.amount,
    )
    .values(exchanged=payments.c.exchanged + _wanted.c.amount)
    .returning(payments.c.id, payments.c.order_id, _wanted.c.amount)
    .cte("counted")
)
_drawn = (
    insert(_d)
    .from_select(
        ["shop_id", "exchange_id", "payment_id", "order_id", "amount_minor"],
        select(
            SHOP,
            given("exchange_id", Uuid),
            _counted.c.id,
            _counted.c.order_id,
            _counted.c.amount,
        ),
    )
    .returning(_d.c.payment_id)
    .cte("drawn")
)
_DRAW: Final = Query(select(func.count()).select_from(_drawn))
_UNDRAW: Final = Query(
    update(payments)
    .where(
        here(payments),
        here(_d),
        _d.c.exchange_id == given("exchange_id"),
        _d.c.payment_id == payments.c.id,
    )
    .values(exchanged=payments.c.exchanged - _d.c.amount_minor)
)
_REFUND_REST: Final = Query(
    update(_t)
    .where(
        here(_t),
        _t.c.return_id == given("return_id"),
        among(_t.c.state, RELEASED),
        _t.c.credit_minor > _t.c.drawn_minor,
    )
    .values(refund_id=given("refund_id"))
)
_GIVE: Final = Query(
    insert(_g).values(
        shop_id=SHOP,
        exchange_id=given("exchange_id"),
        order_id=given("order_id"),
        refund_id=given("refund_id"),
        amount_minor=given("amount_minor", BigInteger),
    )
)


async def one(tx: Transaction, exchange_id: UUID) -> ExchangeRecord | None:
    """The return's lock is the exchange's."""
    return _record(await tx.first(_ONE, id=exchange_id))


async def of_return(tx: Transaction, return_id: UUID) -> list[ExchangeRecord]:
    """The exchanges of a return, one of each line, in the order of the lines."""
    return _records(await tx.all(_OF_RETURN, return_id=return_id))


async def page(tx: Transaction, **filters: Any) -> list[ExchangeRecord]:
    """Newest first; ``before``, ``limit`` and the optional order_id, return_id and states."""
    return _records(await tx.all(_PAGE, **filters))


async def draw(tx: Transaction, exchange_id: UUID, wanted: Mapping[UUID, int]) -> bool:
    """Take what new goods cost from payments, which must be locked; False when one has less left
    (the caller must roll back)."""
    rows = [{"id": payment, "amount": amount} for payment, amount in sorted(wanted.items())]
    return int(await tx.value(_DRAW, exchange_id=exchange_id, wanted=rows)) == len(rows)


async def undraw(tx: Transaction, exchange_id: UUID) -> None:
    """Give back what goods that were not sent took from payments, which must be locked. The draws
    stay: they count while their exchange is given."""
    await tx.run(_UNDRAW, exchange_id=exchange_id)


async def refund_rest(tx: Transaction, return_id: UUID, refund_id: UUID) -> None:
    """Say which refund pays back what given goods of a return cost less than the old ones counted
    for."""
    await tx.run(_REFUND_REST, return_id=return_id, refund_id=refund_id)


async def add_gift(
    tx: Transaction, exchange: ExchangeRecord, refund_id: UUID, amount_minor: int
) -> None:
    """Say which goodwill gave the gift of an exchange; the key refuses a second one."""
    await tx.run(
        _GIVE,
        exchange_id=exchange.id,
        order_id=exchange.order_id,
        refund_id=refund_id,
        amount_minor=amount_minor,
    )


def _records(rows: Iterable[Row]) -> list[ExchangeRecord]:
    found = (_record(row) for row in rows)
    return [record for record in found if record is not None]


def _record(row: Row | None) -> ExchangeRecord | None:
    if row is None:
        return None
    values = {name: row[name] for name in (*_FIELDS, *_JOINED)}
    return ExchangeRecord(**values, deadlines=deadline_rows.records(row["deadlines"]))
