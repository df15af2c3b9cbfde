"""What of an account is to be paid by a person: its pending transfers, with whom they go to.

Refuses to own what becomes of one (``transfers``) and the file (``api.payouts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import and_, select

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import order_people, orders, refunds, returns, transfers

_t = transfers
# In the order in which they were asked for: an id says when it was made.
_PENDING: Final = Query(
    select(
        _t.c.id,
        _t.c.payment_id,
        _t.c.amount_minor,
        _t.c.currency,
        _t.c.provider_refund_id,
        _t.c.created_at,
        refunds.c.due_by,
        orders.c.number.label("order"),
        returns.c.number.label("return"),
        order_people.c.name,
        order_people.c.email,
    )
    .join(refunds, and_(refunds.c.shop_id == _t.c.shop_id, refunds.c.id == _t.c.refund_id))
    .join(orders, and_(orders.c.shop_id == _t.c.shop_id, orders.c.id == _t.c.order_id))
    .outerjoin(
        returns, and_(returns.c.shop_id == _t.c.shop_id, returns.c.id == refunds.c.return_id)
    )
    .outerjoin(
        order_people,
        and_(order_people.c.shop_id == _t.c.shop_id, order_people.c.order_id == _t.c.order_id),
    )
    .where(
        here(_t),
        _t.c.account == given("account"),
        _t.c.state == "pending",
        _t.c.payment_id.is_not(None),
    )
    .order_by(_t.c.id)
    .limit(given("limit"))
)


async def pending(tx: Transaction, account: str, limit: int) -> Sequence[Row]:
    """The account's transfers that wait to be paid, oldest first."""
    return await tx.all(_PENDING, account=account, limit=limit)
