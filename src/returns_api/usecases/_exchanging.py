"""The moment goods are due for a return: units and grades in, new goods out, once for each line.

Owns judging every exchange of a return together, and giving the new goods of each as soon as it
has them: one line does not wait for the difference or the choice of another. Refuses to own the
settlement (``_settlement``): that of the whole return, once, when every exchange is decided.

Lock order: the order's payments, then the return. What the goods of a line count for is its share
of the accepted quote's own sum over the units that came back (``exchange_money``). The new ones
draw on it along the order's payments, so that the same money can never be refunded; what is left
over is refunded with the settlement, what is missing has to be paid before anything goes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from returns_api.db import exchanges as rows
from returns_api.db import ledger, reservations
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job
from returns_api.domain.errors import NothingLeftToRefund
from returns_api.domain.events import By, Event
from returns_api.domain.exchange_goods import Judged, balance, plan_judge, plan_recall
from returns_api.domain.exchange_money import share_out
from returns_api.domain.exchanges import (
    IN_GOODS,
    REPLACEMENT,
    ExchangeChange,
    ExchangeRecord,
    Wanted,
)
from returns_api.domain.ledger import (
    ExchangeRef,
    difference_paid,
    goods_advanced,
    goods_exchanged,
)
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.refunds import DUE_WITHIN, PlannedTransfer, plan_cover
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases._books import stamp
from returns_api.usecases._crediting import all_as_credit, settle_credit
from returns_api.usecases._due import claims_of, what_is_due
from returns_api.usecases._exchanges import open_exchange, save
from returns_api.usecases._refunds import NewRefund, reserve_and_store
from returns_api.usecases.context import Context


@dataclass(frozen=True, slots=True)
class Goods:
    """What became of the goods of a return that is due: ``in_money`` is the resolution by which it
    is to be settled, None where there is nothing more to do or somebody has to act first.
    ``decided``: its exchanges, each of which says by itself what of it is due in money. ``given``:
    the goods went before the old ones were seen, so that money is only for what these count for
    above them."""

    in_money: str | None
    events: Sequence[Event] = ()
    jobs: Sequence[Job] = ()
    given: bool = False
    decided: Sequence[ExchangeRecord] = ()


@dataclass(slots=True)
class Worth:
    """What came back counts for: the judgement of each exchange by its id, and the payments that
    hold it, as they are now."""

    judged: Mapping[UUID, Judged]
    payments: Sequence[PaymentRecord]


async def give_goods(tx: Transaction, ctx: Context, ret: ReturnRecord, by: By) -> Goods:
    """Give the goods that a judged return is due, ask for the differences, or say that it is to be
    settled. Asks nothing for a return whose buyer chose money."""
    if ret.resolution not in IN_GOODS:
        return Goods(ret.resolution)
    return await _give(tx, ctx, ret, by)


async def replace_goods(tx: Transaction, ctx: Context, ret: ReturnRecord, by: By) -> Goods:
    """The same goods again for judged ones that were to be repaired: given at once."""
    (line,) = ret.lines
    wanted = Wanted(variant=None, sku=line.sku)
    opened = await open_exchange(tx, ctx, ret, line, wanted, by, REPLACEMENT)
    given = await _give(tx, ctx, ret, by)
    return replace(given, events=[opened, *given.events])


async def _give(tx: Transaction, ctx: Context, ret: ReturnRecord, by: By) -> Goods:
    found = await rows.of_return(tx, ret.id)
    assert found, "they were opened with their return"
    if found[0].in_advance:
        return await _given_first(tx, ctx, ret, found[0], by)
    ready = [each for each in found if each.state == "awaiting_goods"]
    events: list[Event] = []
    if ready:
        worth = await worth_of(tx, ret, found)
        for each in ready:
            events += await _judge(tx, ctx, each, worth, by)
        found = await rows.of_return(tx, ret.id)
    if any(each.is_open for each in found):
        return Goods(None, events)
    gifts, jobs = await _add_gifts(tx, ctx, ret, found, by)
    return Goods(found[0].outcome or found[0].fallback, [*events, *gifts], jobs, decided=found)


async def _given_first(
    tx: Transaction, ctx: Context, ret: ReturnRecord, exchange: ExchangeRecord, by: By
) -> Goods:
    """Goods that went first are set against the old ones. If nothing came that earns new ones, and
    they were not sent yet, they stay."""
    given = Goods(exchange.fallback, given=True)
    if not exchange.unsent:
        return given
    if (await worth_of(tx, ret, [exchange])).judged[exchange.id].units:
        return given
    told = await recall(tx, ctx, exchange, by)
    return Goods(exchange.fallback, [told], decided=await rows.of_return(tx, ret.id))


async def _judge(
    tx: Transaction, ctx: Context, exchange: ExchangeRecord, worth: Worth, by: By
) -> list[Event]:
    change = plan_judge(exchange, worth.judged[exchange.id], ctx.clock())
    if change.state == "released":
        return [await release(tx, ctx, change, worth, by)]
    return [await save(tx, ctx, change, by)]


async def _add_gifts(
    tx: Transaction, ctx: Context, ret: ReturnRecord, found: Sequence[ExchangeRecord], by: By
) -> tuple[list[Event], list[Job]]:
    """The gifts that go with refunds, as store credit, in the transaction that settles the return:
    once. Goods that earn nothing earn no gift. Each was within somebody's limit when it was
    promised."""
    promised = [each for each in found if each.gift_minor is not None]
    worth = await worth_of(tx, ret, found) if promised else None
    events: list[Event] = []
    jobs: list[Job] = []
    for each in promised:
        if worth is not None and worth.judged[each.id].units:
            told, further = await _add_gift(tx, ctx, each, each.gift_minor or 0, by)
            events, jobs = [*events, *told], [*jobs, *further]
    return events, jobs


async def _add_gift(
    tx: Transaction, ctx: Context, exchange: ExchangeRecord, amount: int, by: By
) -> tuple[Sequence[Event], Sequence[Job]]:
    order_id, currency = exchange.order_id, exchange.currency
    moves = [PlannedTransfer(None, amount)]
    plan = await all_as_credit(tx, ctx, by, order_id, currency, moves)
    new = NewRefund(
        order_id=order_id,
        kind="goodwill",
        amount_minor=amount,
        currency=currency,
        transfers=plan.transfers,
        parts=[{"kind": "goodwill", "amount": amount}],
        reason="exchange_gift",
        due_by=ctx.clock() + DUE_WITHIN,
    )
    written = await reserve_and_store(tx, ctx, new, by)
    await rows.add_gift(tx, exchange, written.id, amount)
    await settle_credit(tx, ctx, written.id, by)
    return [*plan.events, *written.events], written.jobs


async def worth_of(tx: Transaction, ret: ReturnRecord, found: Sequence[ExchangeRecord]) -> Worth:
    """What the graded units of each line of a return count for; a unit that earns nothing earns no
    new one. The payments hold what the lines count for in their order, so that what was paid back
    elsewhere is missing from the last ones."""
    payments = await reservations.lock_payments(tx, ret.order_id)
    claims = await claims_of(tx, ret, found)
    due = await what_is_due(tx, ret, payments, claims, in_goods=True)
    shares, left = share_out(due.parts), sum(max(each.refundable, 0) for each in payments)
    judged = {}
    for each in found:
        line, credit = each.line_external, shares.of(each.line_external)
        passed = [c.unit for c in claims if c.line == line and c.earns]
        wanted = max(credit - each.drawn_minor, 0)
        held = min(wanted, left)
        left -= held
        judged[each.id] = Judged(passed, credit, wanted - held)
    return Worth(judged, payments)


async def release(
    tx: Transaction, ctx: Context, change: ExchangeChange, worth: Worth, by: By
) -> Event:
    """Draw what the goods cost, book it, tell the shop what to send.

    Raises:
        NothingLeftToRefund: the payments do not hold what came back counts for any more.
    """
    exchange = change.before
    judged = worth.judged[exchange.id]
    if judged.uncovered_minor or len(judged.units) < len(exchange.units or ()):
        raise NothingLeftToRefund(
            "What came back was paid back elsewhere meanwhile: cancel the exchange.",
            remaining=judged.credit_minor - judged.uncovered_minor,
        )
    found = balance(exchange, judged)
    worth.payments = await draw(tx, exchange, found.drawn_minor, worth.payments)
    paid = change.values.get("paid_minor", 0)
    await ledger.post(
        tx,
        difference_paid(stamp(ctx, by), _ref(exchange), paid) if paid else None,
        goods_exchanged(stamp(ctx, by), _ref(exchange), found.drawn_minor),
    )
    return await save(tx, ctx, change, by)


async def draw(
    tx: Transaction, exchange: ExchangeRecord, amount_minor: int, payments: Sequence[PaymentRecord]
) -> list[PaymentRecord]:
    """Take what goods cost from the payments in their order; the payments as they are after it."""
    drawn = {
        move.payment.id: move.amount_minor
        for move in plan_cover(payments, amount_minor, exchange.currency)
        if move.payment is not None
    }
    if drawn and not await rows.draw(tx, exchange.id, drawn):
        raise NothingLeftToRefund("The payments have less left than the new goods draw.")
    return [replace(each, exchanged=each.exchanged + drawn.get(each.id, 0)) for each in payments]


async def recall(tx: Transaction, ctx: Context, exchange: ExchangeRecord, by: By) -> Event:
    """Take goods back that went first and were not sent: what they drew is the payments' again.
    Payments and return must be locked."""
    await rows.undraw(tx, exchange.id)
    entry = goods_advanced(stamp(ctx, by), _ref(exchange), exchange.drawn_minor, recalled=True)
    await ledger.post(tx, entry)
    return await save(tx, ctx, plan_recall(exchange, ctx.clock()), by)


async def recall_unsent(tx: Transaction, ctx: Context, ret: ReturnRecord, by: By) -> list[Event]:
    """The same for all goods of a return whose old ones stay with the buyer."""
    found = await rows.of_return(tx, ret.id) if ret.terms.advance is not None else []
    return [await recall(tx, ctx, each, by) for each in found if each.unsent]


def _ref(exchange: ExchangeRecord) -> ExchangeRef:
    return ExchangeRef(exchange.id, exchange.order_id, exchange.currency)
