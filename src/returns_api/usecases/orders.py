"""Orders: one put by a shop without a platform, one read whole, a list of heads."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from returns_api.db import order_intake
from returns_api.db import orders as rows
from returns_api.db.engine import Row
from returns_api.domain.access import Principal
from returns_api.domain.errors import Conflict, Forbidden, PreconditionFailed
from returns_api.domain.order_document_reading import check
from returns_api.domain.order_documents import OrderDocument
from returns_api.domain.order_record import OrderRecord
from returns_api.domain.people import normalise_order_number
from returns_api.usecases._documents import Outcome, known_source, put_document
from returns_api.usecases._loading import visible_order
from returns_api.usecases._prepared_orders import prepare
from returns_api.usecases.context import Context

_KNOWN: Final = {
    Outcome.OLDER: "A later document of this order is known.",
    Outcome.CLASH: "Another document of this order with the same time is known: say a later one.",
}


async def view_order(ctx: Context, principal: Principal, order_id: UUID) -> OrderRecord:
    """The order as stored. Raises ``NotFound`` for an unknown or foreign one."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await visible_order(tx, principal, order_id)


async def put_order(
    ctx: Context, shop: UUID, source: str, document: OrderDocument, seen: int | None
) -> tuple[bool, OrderRecord]:
    """Create or renew an order; whether it is new, and what is stored now.

    The same document again changes nothing. ``seen`` is the version that the caller read.

    Raises:
        Invalid: an order that no arithmetic can repair.
        DoesNotFit: parts of it contradict each other, or no orders come from ``source``.
        PreconditionFailed: another version than ``seen`` is stored, or none.
        Conflict: a later document is known, or another one of the same time.
    """
    check(document)
    made = prepare(ctx, document)
    async with ctx.database.transaction(shop) as tx:
        await known_source(tx, source)
        if seen is not None:
            _, head = await order_intake.begin(tx, source, document.external_id)
            if head is None or head.version != seen:
                raise PreconditionFailed("The order changed since you read it.")
        outcome = await put_document(tx, ctx, source, made)
        _, head = await order_intake.begin(tx, source, document.external_id, money=False)
        assert head is not None
        if outcome in {Outcome.OLDER, Outcome.CLASH}:
            raise Conflict(_KNOWN[outcome], known=head.platform_updated_at.isoformat())
        stored = await rows.load_order(tx, head.id)
    assert stored is not None
    ctx.wake()
    return outcome is Outcome.CREATED, stored


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
