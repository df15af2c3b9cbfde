"""What a shop knows about the buyer of an order, in one statement.

Owns which orders count and what is counted; refuses to own what it makes of a decision
(``domain.policy``). A person is known by a keyed hash.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Text, any_, bindparam, exists, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Transaction
from returns_api.db.query import Query, among, here
from returns_api.db.tables import order_lines, orders, outside_facts, recoveries, returns
from returns_api.domain.order_record import BuyerHistory, OrderRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.policy import rollout_place

HISTORY_ORDERS: Final = 500
"""How many of a buyer's newest orders are looked at for the history."""


def _history_statement() -> Query:
    theirs = (
        select(orders.c.id, orders.c.placed_at, orders.c.cancelled_at)
        .where(
            here(orders),
            orders.c.customer_key == bindparam("customer_key", required=True),
            orders.c.placed_at < bindparam("before", required=True),
        )
        .order_by(orders.c.placed_at.desc())
        .limit(HISTORY_ORDERS)
        .cte("theirs")
    )
    came_back = literal(
        ["approved", "in_transit", "received", "inspected", "refunding", "completed"], ARRAY(Text)
    )
    back = (
        select(returns.c.order_id)
        .where(
            here(returns),
            returns.c.order_id.in_(select(theirs.c.id)),
            returns.c.state == any_(came_back),
        )
        .cte("back")
    )
    units = (
        select(
            order_lines.c.order_id,
            (order_lines.c.ordered - order_lines.c.removed).label("bought"),
            (order_lines.c.claimed + order_lines.c.outside_returned).label("returned"),
            order_lines.c.outside_returned,
        )
        .where(
            here(order_lines),
            order_lines.c.order_id.in_(select(theirs.c.id)),
            order_lines.c.kind == LineKind.GOODS.value,
        )
        .cte("units")
    )
    every = (
        select(orders.c.id)
        .where(here(orders), orders.c.customer_key == bindparam("customer_key", required=True))
        .order_by(orders.c.placed_at.desc())
        .limit(HISTORY_ORDERS)
        .cte("every")
    )
    disputes = select(func.count()).where(
        here(outside_facts),
        outside_facts.c.kind == "dispute",
        outside_facts.c.order_id.in_(select(every.c.id)),
    )
    clawbacks = select(func.count()).where(
        here(recoveries),
        recoveries.c.order_id.in_(select(every.c.id)),
        recoveries.c.cause != "lost",
        ~among(recoveries.c.state, ("cleared", "waived")),
    )
    touched = exists().where(back.c.order_id == theirs.c.id)
    elsewhere = exists().where(units.c.order_id == theirs.c.id, units.c.outside_returned > 0)
    kept = theirs.c.cancelled_at.is_(None) & ~touched & ~elsewhere
    return Query(
        select(
            func.count().label("orders"),
            func.count().filter(kept).label("orders_kept"),
            func.min(theirs.c.placed_at).label("first_order_at"),
            select(func.count()).select_from(back).scalar_subquery().label("returns"),
            _sum(units.c.bought).label("units_bought"),
            _sum(units.c.returned).label("units_returned"),
            disputes.scalar_subquery().label("chargebacks"),
            clawbacks.scalar_subquery().label("clawbacks"),
        ).select_from(theirs)
    )


def _sum(column: Any) -> Any:
    return select(func.coalesce(func.sum(column), 0)).scalar_subquery()


_HISTORY: Final = _history_statement()


async def load_history(tx: Transaction, order: OrderRecord) -> BuyerHistory:
    """What this order's customer did before it was placed, what of their money went wrong until
    now, and their place in the shop's roll-outs."""
    if order.customer_key is None:
        return BuyerHistory()
    row = await tx.first(_HISTORY, customer_key=order.customer_key, before=order.placed_at)
    place = rollout_place(str(tx.shop), order.customer_key.hex())
    return BuyerHistory(**dict(row or {}), rollout_ppm=place)
