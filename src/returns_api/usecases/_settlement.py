"""The moment money is due for a return: units and grades in, refund out, once.

Lock order: the order's payments, then the return. What is due is the accepted quote's own sum over
the units that came back, cut by the certificate that the quote was made from, with the deductions
of their grades, never more than the quote announced. What no payment covers stays due: the refund
is not complete until it arrived or finance gave it up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.db import exchanges as exchange_rows
from returns_api.db import ledger, reservations
from returns_api.db import returns as rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job
from returns_api.domain.events import By, Event
from returns_api.domain.exchange_money import Left, all_in, keeps_order, left_over
from returns_api.domain.exchanges import IN_GOODS
from returns_api.domain.ledger import ReturnRef, return_settled
from returns_api.domain.made_good import ELSEWHERE
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.receiving import due_for_settlement, plan_settle
from returns_api.domain.refunds import PlannedTransfer, plan_cover
from returns_api.domain.repair_prices import BY_REPAIR
from returns_api.domain.returns import Change, ReturnRecord
from returns_api.usecases._advances import Set, set_against, standing
from returns_api.usecases._approvals import hold_for_return
from returns_api.usecases._books import stamp
from returns_api.usecases._crediting import Plan, destinations, settle_credit
from returns_api.usecases._due import claims_of, what_is_due
from returns_api.usecases._exchanging import Goods, give_goods
from returns_api.usecases._refunds import NewRefund, reserve_and_store
from returns_api.usecases._repairing import take_in
from returns_api.usecases._returns import save
from returns_api.usecases._transport_claims import claim_freight
from returns_api.usecases.context import Context


async def settle_if_due(
    tx: Transaction, ctx: Context, return_id: UUID, by: By
) -> tuple[list[Event], list[Job]]:
    """Refund what the policy's moment has made due; nothing when it has not come or has passed.

    Where the buyer chose goods, they are given instead (``_exchanging``), or mended
    (``_repairing``). What was paid, or given in goods, in advance
    is set against what is due first; while that money is on its way, nothing is settled. The caller
    has locked the order's payments already (``reservations.lock_payments``).
    """
    ret = await rows.lock_whole(tx, return_id)
    if ret is None or not due_for_settlement(ret):
        return [], []
    give = take_in if ret.resolution == BY_REPAIR else give_goods
    goods = await give(tx, ctx, ret, by)
    if goods.in_money is None:
        return [*goods.events], [*goods.jobs]
    before = await standing(tx, ctx, ret, by)
    if before.waits:
        return [], [*before.jobs]
    payments = await reservations.lock_payments(tx, ret.order_id)
    left = await _left(tx, ret, payments, goods)
    paid = await set_against(tx, ctx, before, left.parts, left.total_minor, by)
    change = _told(plan_settle(ret, ctx.clock(), paid.rest_minor), left.parts)
    events, jobs = await save(tx, ctx, change, by)
    insured = await claim_freight(tx, ctx, ret, left.freight_minor, by)
    events = [*goods.events, *events, *paid.events, *insured]
    jobs = [*goods.jobs, *jobs]
    if paid.rest_minor:
        ways = left.along(paid.rest_minor)
        told, further = await _pay(tx, ctx, ret, payments, paid, ways, _refund_by(change), by)
        return [*events, *told], [*jobs, *further]
    if left.drawn_minor:
        ref = ReturnRef(ret.id, ret.order_id, ret.currency)
        await ledger.post(tx, return_settled(stamp(ctx, by), ref, paid.parts))
    return events, jobs


def _told(change: Change, parts: Sequence[Mapping[str, Any]]) -> Change:
    """With how many units count zero because somebody gave them back without us: where nothing is
    refunded, no parts say so."""
    found = Counter(part.get("because", {}).get("settled_by") for part in parts)[ELSEWHERE]
    return replace(change, data={**change.data, ELSEWHERE: found}) if found else change


async def _left(
    tx: Transaction, ret: ReturnRecord, payments: Sequence[PaymentRecord], goods: Goods
) -> Left:
    """What is due in money, beside goods that were given."""
    decided = goods.decided
    claims = await claims_of(tx, ret, decided)
    in_goods = goods.given or (bool(decided) and keeps_order(decided, claims))
    settlement = await what_is_due(tx, ret, payments, claims, in_goods=in_goods)
    if decided:
        return left_over(settlement, decided)
    assert goods.in_money is not None
    return all_in(settlement, goods.in_money)


async def _pay(
    tx: Transaction,
    ctx: Context,
    ret: ReturnRecord,
    payments: Sequence[PaymentRecord],
    paid: Set,
    ways: Mapping[str, int],
    due_by: datetime | None,
    by: By,
) -> tuple[list[Event], list[Job]]:
    """The one refund of a return: back along the payments, as store credit, or some of each."""
    plan = await _routes(tx, ctx, ret, payments, ways, by)
    hold = await hold_for_return(tx, paid.rest_minor, ret.currency)
    new = NewRefund(
        order_id=ret.order_id,
        kind="return",
        amount_minor=paid.rest_minor,
        currency=ret.currency,
        transfers=plan.transfers,
        parts=paid.parts,
        return_id=ret.id,
        reason="return",
        due_by=due_by,
        hold_reason=hold,
    )
    written = await reserve_and_store(tx, ctx, new, by)
    if ret.resolution in IN_GOODS:
        await exchange_rows.refund_rest(tx, ret.id, written.id)
    if plan.credits:
        await settle_credit(tx, ctx, written.id, by)
    return [*plan.events, *written.events], [*written.jobs]


async def _routes(
    tx: Transaction,
    ctx: Context,
    ret: ReturnRecord,
    payments: Sequence[PaymentRecord],
    ways: Mapping[str, int],
    by: By,
) -> Plan:
    """The transfers of each way, the first along the payments first; what none covers stays due."""
    gift = ret.id if ret.gift_receipt_id else None
    transfers: list[PlannedTransfer] = []
    events: list[Event] = []
    for way, amount in ways.items():
        moves = plan_cover(payments, amount, ret.currency)
        plan = await destinations(tx, ctx, by, ret.order_id, ret.currency, moves, way, gift)
        transfers, events = [*transfers, *plan.transfers], [*events, *plan.events]
        taken = {move.payment.id: move.amount_minor for move in moves if move.payment is not None}
        payments = [replace(p, reserved=p.reserved + taken.get(p.id, 0)) for p in payments]
    return Plan(tuple(transfers), tuple(events))


def _refund_by(change: Change) -> datetime | None:
    return next((each.due_at for each in change.deadlines if each.kind == "refund"), None)
