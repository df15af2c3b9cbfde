"""Units of an order that end without a return: asked for, answered, paid back.

The shop learns of every request by its event (``cancellation.requested``), and answers. Lock order:
the order's payments, where the step pays, then the order, whose lock is the cancellation's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from returns_api.db import cancellations as rows
from returns_api.db import orders as order_rows
from returns_api.db import reservations
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.domain.access import Principal, Role
from returns_api.domain.cancellations import (
    OF_BUYERS,
    CancellationRecord,
    plan_act,
    unfit,
)
from returns_api.domain.cancelled_units import plan_units, the_parcel
from returns_api.domain.errors import Conflict, NotFound
from returns_api.domain.events import By
from returns_api.usecases._acting import Acting, require_seen
from returns_api.usecases._cancellations import begin_cancellation, save
from returns_api.usecases._loading import NO_SUCH_THING, visible_order
from returns_api.usecases.context import Context

_GUARDS: Final = frozenset({"pk_unit_claims", "cancellation_lines_unsent"})
"""The order's lock keeps others away; the database says the same again."""
_PAYING: Final = frozenset({"confirm", "receive"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be cancelled: ``lines`` (units by line) of an order or of one of its parcels, or
    all of it where no line is named."""

    cause: str
    parcel: str | None
    lines: Mapping[UUID, int]


async def open_cancellation(
    tx: Transaction, ctx: Context, principal: Principal, by: By, order_id: UUID, wish: Wish
) -> CancellationRecord:
    """Hold the units and ask the shop; nothing is paid before it answered, or let its time pass.

    Raises:
        NotFound.
        DoesNotFit: a line or a parcel that is not the order's, or a cause that is not the caller's.
        NothingLeftToReturn: fewer units are left that were not sent, returned or cancelled.
        Conflict: the parcel was delivered, or is still on its way.
    """
    if not principal.sees_order(order_id):
        raise NotFound(NO_SUCH_THING)
    by_buyer = principal.role is Role.BUYER
    if by_buyer and wish.cause not in OF_BUYERS:
        raise unfit("The shop records this, not the buyer.", "cause")
    await order_rows.lock(tx, order_id)
    order, now = await visible_order(tx, principal, order_id), ctx.clock()
    parcel = the_parcel(order, wish.cause, wish.parcel, by_buyer=by_buyer, now=now)
    wanted = plan_units(order, parcel, wish.lines)
    try:
        return await begin_cancellation(tx, ctx, order, parcel, wish.cause, wanted, by)
    except (asyncpg.UniqueViolationError, asyncpg.CheckViolationError) as taken:
        if taken.constraint_name not in _GUARDS:
            raise
        raise Conflict("Units of this order were taken meanwhile; read it again.") from taken


async def get_cancellation(
    ctx: Context, principal: Principal, cancellation_id: UUID
) -> CancellationRecord:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await _visible(tx, principal, cancellation_id)


async def list_cancellations(
    ctx: Context, principal: Principal, **filters: Any
) -> list[CancellationRecord]:
    """Newest first; ``before``, ``limit`` and the optional order_id and state."""
    if principal.order_id is not None:
        filters["order_id"] = principal.order_id
    async with ctx.database.transaction(principal.shop) as tx:
        return await rows.page(tx, **filters)


async def act(
    tx: Transaction,
    ctx: Context,
    who: Acting,
    action: str,
    *,
    stopped: Mapping[UUID, int] | None = None,
    reason: str | None = None,
) -> CancellationRecord:
    """Answer or end it: ``confirm``, ``turn_back``, ``decline``, ``receive`` or ``withdraw``.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        DoesNotFit: other lines, or more units, than it holds.
    """
    known = await _visible(tx, who.principal, who.target)
    if action in _PAYING:
        await reservations.lock_payments(tx, known.order_id)
    await order_rows.lock(tx, known.order_id)
    found = await _visible(tx, who.principal, who.target)
    require_seen("cancellation", found.sequence, who.seen)
    change = plan_act(found, action, who.actor, ctx.clock(), stopped=stopped, reason=reason)
    await emit(tx, *await save(tx, ctx, change, who.by))
    return await _found(tx, found.id)


async def _found(tx: Transaction, cancellation_id: UUID) -> CancellationRecord:
    found = await rows.one(tx, cancellation_id)
    if found is None:
        raise NotFound(NO_SUCH_THING)
    return found


async def _visible(
    tx: Transaction, principal: Principal, cancellation_id: UUID
) -> CancellationRecord:
    found = await _found(tx, cancellation_id)
    if not principal.sees_order(found.order_id):
        raise NotFound(NO_SUCH_THING)
    return found
