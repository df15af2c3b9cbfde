"""The moment goods are due for a return: units and grades in, new goods out, once.

Lock order: the order's payments, then the return. What the goods count for is the accepted quote's
own sum over the units that came back. The new ones draw on it along the order's payments, so that
the same money can never be refunded; what is left over is a refund, what is missing has to be paid
before anything goes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from returns_api.db import exchanges as rows
from returns_api.db import ledger, reservations
from returns_api.db import warehouse as warehouse_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job
from returns_api.domain.errors import NothingLeftToRefund
from returns_api.domain.events import By, Event
from returns_api.domain.exchange_goods import Judged, balance, plan_judge
from returns_api.domain.exchanges import (
    IN_GOODS,
    REPLACEMENT,
    ExchangeChange,
    ExchangeRecord,
    Wanted,
)
from returns_api.domain.ledger import (
    DRAWN_BY_GOODS,
    ExchangeRef,
    difference_paid,
    goods_exchanged,
)
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.receiving import plan_settle
from returns_api.domain.refunds import DUE_WITHIN, PlannedTransfer, plan_cover
from returns_api.domain.returns import Change, ReturnRecord
from returns_api.domain.settlement import PPM, Settlement
from returns_api.usecases import _returns
from returns_api.usecases._approvals import hold_for_return
from returns_api.usecases._books import stamp
from returns_api.usecases._crediting import all_as_credit, destinations, settle_credit
from returns_api.usecases._due import came_back, what_is_due
from returns_api.usecases._exchanges import open_exchange, save
from returns_api.usecases._refunds import NewRefund, reserve_and_store
from returns_api.usecases.context import Context


@dataclass(frozen=True, slots=True)
class Goods:
    """What became of the goods of a return that is due: ``in_money`` is the resolution by which it
    is to be settled, None where goods were given or somebody has to act first. ``given``: they went
    before the old ones were seen, so that money is only for what these count for above them."""

    in_money: str | None
    events: Sequence[Event] = ()
    jobs: Sequence[Job] = ()
    given: bool = False


@dataclass(frozen=True, slots=True)
class Worth:
    """What came back counts for: the judgement, its parts, and the payments that hold it."""

    judged: Judged
    settlement: Settlement
    payments: Sequence[PaymentRecord]


async def give_goods(tx: Transaction, ctx: Context, ret: ReturnRecord, by: By) -> Goods:
    """Give the goods that a judged return is due, ask for the difference, or say that it is to be
    settled in money. Asks nothing for a return whose buyer chose money."""
    if ret.resolution not in IN_GOODS:
        return Goods(ret.resolution)
    return await _give(tx, ctx, ret, by)


async def replace_goods(tx: Transaction, ctx: Context, ret: ReturnRecord, by: By) -> Goods:
    """The same goods again for judged ones that were to be repaired: given at once."""
    wanted = Wanted(variant=None, sku=ret.lines[0].sku)
    opened = await open_exchange(tx, ctx, ret, wanted, by, REPLACEMENT)
    given = await _give(tx, ctx, ret, by)
    return replace(given, events=[opened, *given.events])


async def _give(tx: Transaction, ctx: Context, ret: ReturnRecord, by: By) -> Goods:
    exchange = await rows.of_return(tx, ret.id)
    assert exchange is not None, "it was opened with its return"
    if exchange.in_advance:
        return Goods(exchange.fallback, given=True)
    if exchange.gift_minor is not None:
        return Goods(exchange.outcome, *await _add_gift(tx, ctx, ret, exchange, by))
    if exchange.state != "awaiting_goods":
        return Goods(exchange.outcome)
    worth = await worth_of(tx, ret)
    change = plan_judge(exchange, worth.judged, ctx.clock())
    if change.state == "released":
        return Goods(None, *await release(tx, ctx, ret, change, worth, by))
    return Goods(change.values.get("outcome"), [await save(tx, ctx, change, by)])


async def _add_gift(
    tx: Transaction, ctx: Context, ret: ReturnRecord, exchange: ExchangeRecord, by: By
) -> tuple[list[Event], list[Job]]:
    """The gift that goes with the refund, as store credit, in the transaction that settles the
    return: once. Goods that earn nothing earn no gift. It was within somebody's limit when it was
    promised."""
    amount = exchange.gift_minor
    worth = await worth_of(tx, ret)
    if amount is None or not worth.judged.units:
        return [], []
    moves = [PlannedTransfer(None, amount)]
    plan = await all_as_credit(tx, ctx, by, ret.order_id, ret.currency, moves)
    new = NewRefund(
        order_id=ret.order_id,
        kind="goodwill",
        amount_minor=amount,
        currency=ret.currency,
        transfers=plan.transfers,
        parts=[{"kind": "goodwill", "amount": amount}],
        reason="exchange_gift",
        due_by=ctx.clock() + DUE_WITHIN,
    )
    written = await reserve_and_store(tx, ctx, new, by)
    await rows.add_gift(tx, exchange, written.id, amount)
    await settle_credit(tx, ctx, written.id, by)
    return [*plan.events, *written.events], [*written.jobs]


async def worth_of(tx: Transaction, ret: ReturnRecord) -> Worth:
    """What the graded units of a return count for. A unit that earns nothing earns no new one."""
    payments = await reservations.lock_payments(tx, ret.order_id)
    claims = came_back(ret, await warehouse_rows.graded_units(tx, ret.id))
    due = await what_is_due(tx, ret, payments, claims, in_goods=True)
    passed = [each.unit for each in claims if each.came and each.deduction_ppm < PPM]
    return Worth(Judged(passed, due.total_minor, due.uncovered_minor), due, payments)


async def release(
    tx: Transaction, ctx: Context, ret: ReturnRecord, change: ExchangeChange, worth: Worth, by: By
) -> tuple[list[Event], list[Job]]:
    """Draw what the goods cost, settle the return, refund what is left over, tell the shop.

    Raises:
        NothingLeftToRefund: the payments do not hold what came back counts for any more.
    """
    exchange = change.before
    if worth.judged.uncovered_minor:
        raise NothingLeftToRefund(
            "What came back was paid back elsewhere meanwhile: cancel the exchange.",
            remaining=worth.judged.credit_minor - worth.judged.uncovered_minor,
        )
    found = balance(exchange, worth.judged)
    payments = await draw(tx, exchange, found.drawn_minor, worth.payments)
    if change.values.get("paid_minor"):
        paid = difference_paid(stamp(ctx, by), _ref(exchange), change.values["paid_minor"])
        await ledger.post(tx, paid)
    parts = [part.as_dict() for part in worth.settlement.parts]
    if found.drawn_minor:
        parts.append({"kind": DRAWN_BY_GOODS, "amount": -found.drawn_minor})
    settled = plan_settle(ret, ctx.clock(), found.rest_minor)
    events, jobs = await _returns.save(tx, ctx, settled, by)
    more: dict[str, Any] = {}
    if found.rest_minor:
        new = _rest(ret, settled, found.rest_minor, parts)
        refund, told, further = await _refund(tx, ctx, new, payments, exchange.fallback, by)
        more, events, jobs = {"refund_id": refund}, [*events, *told], [*jobs, *further]
    elif not exchange.free:
        await ledger.post(tx, goods_exchanged(stamp(ctx, by), _ref(exchange), parts))
    return [await save(tx, ctx, change, by, **more), *events], jobs


async def draw(
    tx: Transaction, exchange: ExchangeRecord, amount_minor: int, payments: Sequence[PaymentRecord]
) -> list[PaymentRecord]:
    """Take what goods cost from the payments in their order; the payments as they are after it."""
    drawn = {
        move.payment.id: move.amount_minor
        for move in (plan_cover(payments, amount_minor) if amount_minor else ())
        if move.payment is not None
    }
    if drawn and not await rows.draw(tx, exchange.id, drawn):
        raise NothingLeftToRefund("The payments have less left than the new goods draw.")
    return [replace(each, exchanged=each.exchanged + drawn.get(each.id, 0)) for each in payments]


def _rest(
    ret: ReturnRecord, settled: Change, rest_minor: int, parts: Sequence[Mapping[str, Any]]
) -> NewRefund:
    return NewRefund(
        order_id=ret.order_id,
        kind="return",
        amount_minor=rest_minor,
        currency=ret.currency,
        transfers=(),
        parts=parts,
        return_id=ret.id,
        reason="return",
        due_by=next((each.due_at for each in settled.deadlines if each.kind == "refund"), None),
    )


async def _refund(
    tx: Transaction,
    ctx: Context,
    new: NewRefund,
    payments: Sequence[PaymentRecord],
    resolution: str,
    by: By,
) -> tuple[Any, list[Event], list[Job]]:
    """Pay back what the new goods cost less, as any refund of a return, by the quote's fallback."""
    moves = plan_cover(payments, new.amount_minor)
    plan = await destinations(tx, ctx, by, new.order_id, new.currency, moves, resolution)
    hold = await hold_for_return(tx, new.amount_minor, new.currency)
    whole = replace(new, transfers=plan.transfers, hold_reason=hold)
    written = await reserve_and_store(tx, ctx, whole, by)
    if plan.credits:
        await settle_credit(tx, ctx, written.id, by)
    return written.id, [*plan.events, *written.events], [*written.jobs]


def _ref(exchange: ExchangeRecord) -> ExchangeRef:
    return ExchangeRef(exchange.id, exchange.order_id, exchange.currency)
