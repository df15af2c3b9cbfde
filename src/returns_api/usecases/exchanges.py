"""Goods instead of money: the shop answers, the buyer agrees or chooses, the difference is paid.

How a buyer pays is the shop's: it gives a link and tells the payment's reference. Whatever ends an
exchange without goods settles its return in money, in the same transaction where the goods were
judged already. Lock order: payments, then the return, which is the exchange's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.db import exchanges as rows
from returns_api.db import reservations
from returns_api.db import returns as return_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.domain.access import Principal
from returns_api.domain.errors import NotFound, unfit
from returns_api.domain.exchange_answers import (
    gift_offered,
    plan_accept,
    plan_cancel,
    plan_choose,
    plan_in_stock,
    plan_link,
    plan_out_of_stock,
)
from returns_api.domain.exchange_goods import plan_complete, plan_pay, plan_ship
from returns_api.domain.exchanges import Alternative, ExchangeChange, ExchangeRecord
from returns_api.domain.lifecycle.exchanges import EXCHANGE
from returns_api.domain.lifecycle.machine import Actor
from returns_api.usecases._acting import Acting, require_seen
from returns_api.usecases._approvals import hold_for_person
from returns_api.usecases._exchanges import save
from returns_api.usecases._exchanging import release, worth_of
from returns_api.usecases._granting import grant_if_reached
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases._references import take_payment
from returns_api.usecases._settlement import settle_if_due
from returns_api.usecases.context import Context

Plan = Callable[[ExchangeRecord, Actor, datetime], ExchangeChange]


async def get_exchange(ctx: Context, principal: Principal, exchange_id: UUID) -> ExchangeRecord:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await _visible(tx, principal, exchange_id)


async def list_exchanges(
    ctx: Context, principal: Principal, **filters: Any
) -> Sequence[ExchangeRecord]:
    """Newest first; ``before``, ``limit``, ``return_id``, ``states``. A buyer's own only."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await rows.page(tx, order_id=principal.order_id, **filters)


async def act(tx: Transaction, ctx: Context, who: Acting, plan: Plan) -> ExchangeRecord:
    """Take one of the actions below, and what follows from it for the return: new goods go out
    before the old ones are seen, or what is judged already is settled.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        DoesNotFit: it cannot be so, or a gift is more than the caller may promise alone.
    """
    exchange = await _locked(tx, who)
    change = plan(exchange, who.actor, ctx.clock())
    drawn = await _promise(tx, ctx, who, exchange, gift_offered(change))
    events = [await save(tx, ctx, change, who.by, gift_drawn_minor=drawn)]
    more, jobs = await settle_if_due(tx, ctx, exchange.return_id, who.by)
    if change.state == "awaiting_goods":
        first, further = await grant_if_reached(tx, ctx, exchange.return_id, who.by)
        more, jobs = [*more, *first], [*jobs, *further]
    await emit(tx, [*events, *more], jobs)
    return await _visible(tx, who.principal, exchange.id)


def in_stock(unit_price_minor: int | None, title: str | None, payment_url: str | None) -> Plan:
    """The shop has the goods, at a price that is its own."""
    return lambda exchange, actor, now: plan_in_stock(
        exchange,
        actor,
        now,
        unit_price_minor=unit_price_minor,
        title=title,
        payment_url=payment_url,
    )


def out_of_stock(alternatives: Sequence[Alternative]) -> Plan:
    """The shop does not have the goods, but perhaps others."""
    return lambda exchange, actor, now: plan_out_of_stock(exchange, actor, now, alternatives)


def choosing(number: int) -> Plan:
    """The buyer takes an alternative, by its number from 1."""
    return lambda exchange, actor, now: plan_choose(exchange, actor, now, number)


def linking(payment_url: str) -> Plan:
    """Where the difference can be paid."""
    return lambda exchange, actor, now: plan_link(exchange, actor, now, payment_url)


def shipping(carrier: str | None, tracking: str | None) -> Plan:
    """The new goods are on their way."""
    return lambda exchange, actor, now: plan_ship(exchange, actor, now, carrier, tracking)


accepting: Plan = plan_accept
canceling: Plan = plan_cancel
completing: Plan = plan_complete


async def record_payment(
    tx: Transaction, ctx: Context, who: Acting, amount_minor: int, reference: str
) -> ExchangeRecord:
    """The shop was paid the difference; ``reference`` is the evidence and counts once, for ever.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        DoesNotFit: another amount is due.
        DuplicateReference: this payment was told before.
        NothingLeftToRefund: what came back was paid back elsewhere meanwhile.
    """
    exchange = await _locked(tx, who)
    EXCHANGE.require(exchange.state, "pay", who.actor)
    ret = await return_rows.one(tx, exchange.return_id)
    assert ret is not None
    worth = await worth_of(tx, ret, await rows.of_return(tx, ret.id))
    judged = worth.judged[exchange.id]
    change = plan_pay(exchange, who.actor, ctx.clock(), judged, amount_minor, reference)
    await take_payment(tx, ctx, reference, "exchange", exchange.id)
    released = await release(tx, ctx, change, worth, who.by)
    events, jobs = await settle_if_due(tx, ctx, ret.id, who.by)
    await emit(tx, [released, *events], jobs)
    return await _visible(tx, who.principal, exchange.id)


async def _promise(
    tx: Transaction, ctx: Context, who: Acting, exchange: ExchangeRecord, gift_minor: int
) -> int:
    """Count a gift against what the caller may promise alone, as far as it was not yet; what is
    counted of this exchange then."""
    more = gift_minor - exchange.gift_drawn_minor
    if more <= 0:
        return exchange.gift_drawn_minor
    hold = await hold_for_person(tx, ctx, who.by, exchange.order_id, more, exchange.currency)
    if hold is not None:
        problem = f"The gift is more than you may promise alone ({hold})."
        raise unfit("alternatives", f"{problem} Let another person answer.")
    return gift_minor


async def _visible(tx: Transaction, principal: Principal, exchange_id: UUID) -> ExchangeRecord:
    found = await rows.one(tx, exchange_id)
    if found is None or not principal.sees_order(found.order_id):
        raise NotFound(NO_SUCH_THING)
    return found


async def _locked(tx: Transaction, who: Acting) -> ExchangeRecord:
    """The exchange under its return's lock; the payments before it."""
    known = await _visible(tx, who.principal, who.target)
    await reservations.lock_payments(tx, known.order_id)
    await return_rows.lock(tx, known.return_id)
    exchange = await _visible(tx, who.principal, who.target)
    require_seen("exchange", exchange.sequence, who.seen)
    return exchange
