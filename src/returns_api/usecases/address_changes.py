"""Another address for what was not sent yet: asked for by the buyer, answered by the shop.

The shop learns of it by its event, which names no address; its systems read it here. The order's
lock is the change's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from returns_api.db import address_changes as rows
from returns_api.db import moves
from returns_api.db import orders as order_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.db.tables import address_changes as table
from returns_api.domain.access import Principal
from returns_api.domain.address_changes import (
    AddressChangeRecord,
    opening,
    plan_answer,
    require_changeable,
)
from returns_api.domain.errors import Conflict, NotFound
from returns_api.domain.events import By
from returns_api.usecases._acting import Acting, require_seen
from returns_api.usecases._address_changes import address_event, save
from returns_api.usecases._loading import NO_SUCH_THING, visible_order
from returns_api.usecases.context import Context


async def ask(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    order_id: UUID,
    address: Mapping[str, Any],
) -> AddressChangeRecord:
    """Ask the shop to send what is left to another address.

    Raises:
        NotFound.
        Conflict: everything was sent, or a change is asked for already.
        DoesNotFit: another country.
    """
    if not principal.sees_order(order_id):
        raise NotFound(NO_SUCH_THING)
    await order_rows.lock(tx, order_id)
    order, now = await visible_order(tx, principal, order_id), ctx.clock()
    require_changeable(order, address["country"])
    state, deadlines = opening(now)
    change_id = ctx.new_id()
    try:
        await moves.add(
            tx, table, "address_change", now, deadlines, id=change_id, order_id=order.id,
            state=state, asked_by=principal.role.value, address=dict(address),
        )  # fmt: skip
    except asyncpg.UniqueViolationError as taken:
        if taken.constraint_name != "uq_address_changes_open":
            raise
        raise Conflict("A change of this order's address is asked for already.") from taken
    made = await _found(tx, change_id)
    await emit(tx, [address_event(ctx, made, "address_change.requested", by)])
    return made


async def get_change(ctx: Context, principal: Principal, change_id: UUID) -> AddressChangeRecord:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await _visible(tx, principal, change_id)


async def list_changes(
    ctx: Context, principal: Principal, **filters: Any
) -> list[AddressChangeRecord]:
    """Newest first; ``before``, ``limit`` and the optional order_id and state."""
    if principal.order_id is not None:
        filters["order_id"] = principal.order_id
    async with ctx.database.transaction(principal.shop) as tx:
        return await rows.page(tx, **filters)


async def act(
    tx: Transaction, ctx: Context, who: Acting, action: str, reason: str | None = None
) -> AddressChangeRecord:
    """``apply``, ``decline`` for a reason, or ``withdraw``.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
    """
    known = await _visible(tx, who.principal, who.target)
    await order_rows.lock(tx, known.order_id)
    found = await _visible(tx, who.principal, who.target)
    require_seen("address change", found.sequence, who.seen)
    change = plan_answer(found, action, who.actor, ctx.clock(), reason)
    await emit(tx, [await save(tx, ctx, change, who.by)])
    return await _found(tx, found.id)


async def _found(tx: Transaction, change_id: UUID) -> AddressChangeRecord:
    found = await rows.one(tx, change_id)
    if found is None:
        raise NotFound(NO_SUCH_THING)
    return found


async def _visible(tx: Transaction, principal: Principal, change_id: UUID) -> AddressChangeRecord:
    found = await _found(tx, change_id)
    if not principal.sees_order(found.order_id):
        raise NotFound(NO_SUCH_THING)
    return found
