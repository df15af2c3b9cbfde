"""What a shop knows about the buyer of an order, in one statement.

Owns which orders count and what is counted; refuses to own what it makes of a decision
(``domain.policy``). A person is known by a keyed hash.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    CHAR,
    BigInteger,
    DateTime,
    Select,
    Text,
    any_,
    cast,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Transaction
from returns_api.db.listings import standing
from returns_api.db.query import Query, among, given, here
from returns_api.db.tables import (
    inspected_units,
    order_lines,
    orders,
    outside_facts,
    recoveries,
    return_lines,
    returns,
)
from returns_api.domain.order_record import BuyerHistory, OrderRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.policy import rollout_place
from returns_api.domain.reviewing import NOT_COUNTED, USED

HISTORY_ORDERS: Final = 500
"""How many of a buyer's newest orders are looked at for the history."""
_CUSTOMER: Final = given("customer_key", orders.c.customer_key.type)
_MOMENT: Final = DateTime(timezone=True)


def _newest(*columns: Any) -> Select[Any]:
    """The buyer's newest orders."""
    return (
        select(*columns)
        .where(here(orders), orders.c.customer_key == _CUSTOMER)
        .order_by(orders.c.placed_at.desc())
        .limit(HISTORY_ORDERS)
    )


def _sum(column: Any) -> Any:
    return select(func.coalesce(func.sum(column), 0)).scalar_subquery()


_THEIRS: Final = (
    _newest(orders.c.id, orders.c.placed_at, orders.c.cancelled_at)
    .where(orders.c.placed_at < given("before"))
    .cte("theirs")
)
_CAME_BACK: Final = literal(
    ["approved", "in_transit", "received", "inspected", "refunding", "completed"], ARRAY(Text)
)
_BACK: Final = (
    select(returns.c.order_id)
    .where(
        here(returns),
        returns.c.order_id.in_(select(_THEIRS.c.id)),
        returns.c.state == any_(_CAME_BACK),
    )
    .cte("back")
)
_UNITS: Final = (
    select(
        order_lines.c.order_id,
        (order_lines.c.ordered - order_lines.c.removed).label("bought"),
        (order_lines.c.claimed + order_lines.c.outside_returned).label("returned"),
        order_lines.c.outside_returned,
    )
    .where(
        here(order_lines),
        order_lines.c.order_id.in_(select(_THEIRS.c.id)),
        order_lines.c.kind == LineKind.GOODS.value,
    )
    .cte("units")
)
_KEPT: Final = (
    _THEIRS.c.cancelled_at.is_(None)
    & ~exists().where(_BACK.c.order_id == _THEIRS.c.id)
    & ~exists().where(_UNITS.c.order_id == _THEIRS.c.id, _UNITS.c.outside_returned > 0)
)
_EVERY: Final = _newest(orders.c.id).cte("every")
_DISPUTES: Final = select(func.count()).where(
    here(outside_facts),
    outside_facts.c.kind == "dispute",
    outside_facts.c.order_id.in_(select(_EVERY.c.id)),
)
_CLAWBACKS: Final = select(func.count()).where(
    here(recoveries),
    recoveries.c.order_id.in_(select(_EVERY.c.id)),
    recoveries.c.cause != "lost",
    ~among(recoveries.c.state, ("cleared", "waived")),
)
_OPENED: Final = (
    select(returns.c.created_at, returns.c.currency, returns.c.expected_minor)
    .where(
        here(returns),
        returns.c.order_id.in_(select(_EVERY.c.id)),
        returns.c.created_at > given("month_ago", _MOMENT),
        ~among(returns.c.state, NOT_COUNTED),
    )
    .cte("opened")
)
_RECENT: Final = {
    "returns_1_day": func.count().filter(_OPENED.c.created_at > given("day_ago", _MOMENT)),
    "returns_30_days": func.count(),
    "returned_value_30_days_minor": cast(  # a sum of bigint is numeric
        func.coalesce(
            func.sum(_OPENED.c.expected_minor).filter(
                _OPENED.c.currency == given("currency", CHAR(3))
            ),
            0,
        ),
        BigInteger,
    ),
}
_CAME_USED: Final = (
    exists()
    .where(here(return_lines), return_lines.c.return_id == returns.c.id)
    .where(
        here(inspected_units),
        inspected_units.c.return_line_id == return_lines.c.id,
        among(inspected_units.c.grade, USED),
    )
)
_USED_LATE: Final = (
    select(func.count())
    .select_from(returns)
    .where(
        here(returns),
        returns.c.order_id.in_(select(_EVERY.c.id)),
        returns.c.terms["late"].astext == "true",
        _CAME_USED,
    )
)
_this = orders.alias("this")
_ADDRESS: Final = select(_this.c.email_key).where(here(_this), _this.c.id == given("order_id"))
_HISTORY: Final = Query(
    select(
        func.count().label("orders"),
        func.count().filter(_KEPT).label("orders_kept"),
        func.min(_THEIRS.c.placed_at).label("first_order_at"),
        select(func.count()).select_from(_BACK).scalar_subquery().label("returns"),
        _sum(_UNITS.c.bought).label("units_bought"),
        _sum(_UNITS.c.returned).label("units_returned"),
        _DISPUTES.scalar_subquery().label("chargebacks"),
        _CLAWBACKS.scalar_subquery().label("clawbacks"),
        *(
            select(count).select_from(_OPENED).scalar_subquery().label(name)
            for name, count in _RECENT.items()
        ),
        _USED_LATE.scalar_subquery().label("used_late"),
        standing(_CUSTOMER, _ADDRESS.scalar_subquery()).label("listed"),
    ).select_from(_THEIRS)
)


async def load_history(tx: Transaction, order: OrderRecord, now: datetime) -> BuyerHistory:
    """What this order's customer did before it was placed, what of their money went wrong and what
    they sent back until now, the list they are on, and their place in the shop's roll-outs."""
    if order.customer_key is None:
        return BuyerHistory()
    row = await tx.first(
        _HISTORY,
        order_id=order.id,
        customer_key=order.customer_key,
        currency=order.currency,
        before=order.placed_at,
        now=now,
        day_ago=now - timedelta(days=1),
        month_ago=now - timedelta(days=30),
    )
    place = rollout_place(str(tx.shop), order.customer_key.hex())
    return BuyerHistory(**dict(row or {}), rollout_ppm=place)
