"""Goods mended: the shop quotes for its repair point, the buyer agrees or not, the goods go back.

How a buyer pays is the shop's: it gives a link and tells the payment's reference. A repair that
comes to nothing settles its return in money where the buyer takes money. Lock order: payments, then
the return, which is the repair's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.db import repairs as rows
from returns_api.db import reservations
from returns_api.db import returns as return_rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.domain.access import Principal
from returns_api.domain.errors import NotFound
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.repair_plans import (
    plan_accept,
    plan_choose,
    plan_complete,
    plan_decline,
    plan_finish,
    plan_give_up,
    plan_link,
    plan_pay,
    plan_quote,
    plan_ship,
    plan_waive,
)
from returns_api.domain.repair_prices import Asked, PriceList
from returns_api.domain.repairs import RepairChange, RepairRecord
from returns_api.usecases._acting import Acting, require_seen
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases._references import take_payment
from returns_api.usecases._repairing import give_back, pay
from returns_api.usecases._repairs import save
from returns_api.usecases._settlement import settle_if_due
from returns_api.usecases.context import Context

Plan = Callable[[RepairRecord, Actor, datetime], RepairChange]


async def get_repair(ctx: Context, principal: Principal, repair_id: UUID) -> RepairRecord:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await _visible(tx, principal, repair_id)


async def list_repairs(
    ctx: Context, principal: Principal, **filters: Any
) -> Sequence[RepairRecord]:
    """Newest first; ``before``, ``limit``, ``return_id``, ``states``. A buyer's own only."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await rows.page(tx, order_id=principal.order_id, **filters)


async def get_prices(ctx: Context, principal: Principal) -> PriceList:
    """What repairs cost in this shop where nobody covers them."""
    async with ctx.database.transaction(principal.shop) as tx:
        return PriceList.of(dict(await shop_rows.one(tx)))


async def act(tx: Transaction, ctx: Context, who: Acting, plan: Plan) -> RepairRecord:
    """Take one of the actions below, and settle the return where it is due by that.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed, DoesNotFit.
    """
    repair = await _locked(tx, who)
    events = [await save(tx, ctx, plan(repair, who.actor, ctx.clock()), who.by)]
    more, jobs = await settle_if_due(tx, ctx, repair.return_id, who.by)
    await emit(tx, [*events, *more], jobs)
    return await _visible(tx, who.principal, repair.id)


def declining(take: str) -> Plan:
    """No repair, but the goods as they are, or money."""
    return lambda repair, actor, now: plan_decline(repair, actor, now, take)


def choosing(take: str) -> Plan:
    """The goods that cannot be repaired, or money."""
    return lambda repair, actor, now: plan_choose(repair, actor, now, take)


def giving_up(cause: str) -> Plan:
    """The goods cannot be repaired."""
    return lambda repair, actor, now: plan_give_up(repair, actor, now, cause)


def linking(payment_url: str) -> Plan:
    """Where what is due can be paid."""
    return lambda repair, actor, now: plan_link(repair, actor, now, payment_url)


accepting: Plan = plan_accept
finishing: Plan = plan_finish
waiving: Plan = plan_waive
completing: Plan = plan_complete


async def quote(
    tx: Transaction, ctx: Context, who: Acting, asked: Sequence[Asked], note: str | None
) -> RepairRecord:
    """What the workshop says it takes, by the shop's price list of now.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed, DoesNotFit.
    """
    prices = PriceList.of(dict(await shop_rows.one(tx)))
    return await act(
        tx,
        ctx,
        who,
        lambda repair, actor, now: plan_quote(repair, actor, now, prices, asked, note),
    )


async def record_payment(
    tx: Transaction, ctx: Context, who: Acting, amount_minor: int, reference: str
) -> RepairRecord:
    """The shop was paid what is due; ``reference`` is the evidence and counts once, for ever.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        DoesNotFit: another amount is due.
        DuplicateReference: this payment was told before.
    """
    repair = await _locked(tx, who)
    change = plan_pay(repair, who.actor, ctx.clock(), amount_minor, reference)
    await take_payment(tx, ctx, reference, "repair", repair.id)
    await emit(tx, [await pay(tx, ctx, change, who.by)])
    return await _visible(tx, who.principal, repair.id)


async def ship(
    tx: Transaction, ctx: Context, who: Acting, carrier: str | None, tracking: str | None
) -> RepairRecord:
    """The goods leave for the buyer; the return is settled.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
    """
    repair = await _locked(tx, who)
    change = plan_ship(repair, who.actor, ctx.clock(), carrier, tracking)
    await emit(tx, *await give_back(tx, ctx, change, who.by))
    return await _visible(tx, who.principal, repair.id)


async def _visible(tx: Transaction, principal: Principal, repair_id: UUID) -> RepairRecord:
    found = await rows.one(tx, repair_id)
    if found is None or not principal.sees_order(found.order_id):
        raise NotFound(NO_SUCH_THING)
    return found


async def _locked(tx: Transaction, who: Acting) -> RepairRecord:
    """The repair under its return's lock; the payments before it."""
    known = await _visible(tx, who.principal, who.target)
    await reservations.lock_payments(tx, known.order_id)
    await return_rows.lock(tx, known.return_id)
    repair = await _visible(tx, who.principal, who.target)
    require_seen("repair", repair.sequence, who.seen)
    return repair
