"""Reading orders: one whole, or a list of heads."""

from __future__ import annotations

from uuid import UUID

from returns_api.db import orders as rows
from returns_api.db.engine import Row
from returns_api.domain.access import Principal
from returns_api.domain.errors import Forbidden
from returns_api.domain.order_record import OrderRecord
from returns_api.domain.people import normalise_order_number
from returns_api.usecases._loading import visible_order
from returns_api.usecases.context import Context


async def view_order(ctx: Context, principal: Principal, order_id: UUID) -> OrderRecord:
    """The order as stored. Raises ``NotFound`` for an unknown or foreign one."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await visible_order(tx, principal, order_id)


async def list_orders(
    ctx: Context, principal: Principal, *, number: str | None, before: UUID, limit: int
) -> list[Row]:
    """Heads of orders, newest first; ``number`` as a person types it (``#1001``, ``1001``).

    Raises:
        Forbidden: a buyer's token is bound to one order and lists none.
    """
    if principal.order_id is not None:
        raise Forbidden("A buyer's token is for one order; read that one.")
    key = None if number is None else normalise_order_number(number)
    async with ctx.database.transaction(principal.shop) as tx:
        return await rows.page(tx, number_key=key, before=before, limit=limit)
