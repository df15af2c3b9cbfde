"""Facts that several use cases start from, read in the open transaction of their caller."""

from __future__ import annotations

from uuid import UUID

from returns_api.db import orders as order_rows
from returns_api.db import policies as policy_rows
from returns_api.db import returns as return_rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.access import Principal
from returns_api.domain.errors import Conflict, NotFound
from returns_api.domain.order_record import OrderRecord
from returns_api.domain.policy import Policy
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases._policies import compiled
from returns_api.usecases.context import Context

NO_SUCH_THING = "There is no such thing here, or it is not yours to see."


async def visible_order(tx: Transaction, principal: Principal, order_id: UUID) -> OrderRecord:
    """Raises ``NotFound`` for an unknown order and, alike, for one that is not the caller's."""
    order = await order_rows.load_order(tx, order_id) if principal.sees_order(order_id) else None
    if order is None:
        raise NotFound(NO_SUCH_THING)
    return order


async def visible_return(
    tx: Transaction, principal: Principal, return_id: UUID, *, lock: bool
) -> ReturnRecord:
    """Raises ``NotFound`` for an unknown return and, alike, for one that is not the caller's."""
    read = return_rows.lock_whole if lock else return_rows.one
    found = await read(tx, return_id)
    if found is None or not principal.sees_return(found.order_id, found.gift_receipt_id):
        raise NotFound(NO_SUCH_THING)
    return found


async def policy_of(tx: Transaction, ctx: Context, order: OrderRecord) -> tuple[Row, Policy]:
    """The version in force when the order was placed, compiled.

    Raises:
        Conflict: the shop has not published a policy yet.
    """
    row = await policy_rows.in_force(tx, order.placed_at, ctx.policies.keys())
    if row is None:
        raise Conflict("This shop has not published a return policy yet.")
    return row, compiled(ctx, row)
