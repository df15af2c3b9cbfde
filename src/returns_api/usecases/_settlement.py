"""The moment money is due for a return: units and grades in, refund out, once.

Lock order: the order's payments, then the return. What is due is the accepted quote's own sum over
the units that came back, cut by the certificate that the quote was made from, with the deductions
of their grades, never more than the quote announced. What no payment covers stays due: the refund
is not complete until it arrived or finance gave it up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from returns_api.db import reservations
from returns_api.db import returns as rows
from returns_api.db import warehouse as warehouse_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job
from returns_api.domain.events import By, Event
from returns_api.domain.receiving import due_for_settlement, plan_settle
from returns_api.domain.refunds import PlannedTransfer, plan_cover
from returns_api.domain.repair_prices import BY_REPAIR
from returns_api.domain.returns import Change, ReturnRecord
from returns_api.domain.settlement import Settlement
from returns_api.usecases._advances import Set, set_against, standing
from returns_api.usecases._approvals import hold_for_return
from returns_api.usecases._crediting import destinations, settle_credit
from returns_api.usecases._due import came_back, what_is_due
from returns_api.usecases._exchanging import give_goods
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
    graded = await warehouse_rows.graded_units(tx, ret.id)
    claims = came_back(ret, graded)
    settlement = await what_is_due(tx, ret, payments, claims, in_goods=goods.given)
    parts = [part.as_dict() for part in settlement.parts]
    paid = await set_against(tx, ctx, before, parts, settlement.total_minor, by)
    change = plan_settle(ret, ctx.clock(), paid.rest_minor)
    events, jobs = await save(tx, ctx, change, by)
    freight = settlement.fees.return_freight_minor
    insured = await claim_freight(tx, ctx, ret, freight, by)
    events = [*goods.events, *events, *paid.events, *insured]
    if paid.rest_minor:
        moves = plan_cover(payments, paid.rest_minor)
        plan = await destinations(
            tx, ctx, by, ret.order_id, settlement.currency, moves, goods.in_money
        )
        hold = await hold_for_return(tx, paid.rest_minor, settlement.currency)
        new = _new_refund(ret, settlement, paid, plan.transfers, _refund_by(change), hold)
        written = await reserve_and_store(tx, ctx, new, by)
        events, jobs = [*events, *plan.events, *written.events], [*jobs, *written.jobs]
        if plan.credits:
            await settle_credit(tx, ctx, written.id, by)
    return events, jobs


def _refund_by(change: Change) -> datetime | None:
    return next((each.due_at for each in change.deadlines if each.kind == "refund"), None)


def _new_refund(
    ret: ReturnRecord,
    settlement: Settlement,
    paid: Set,
    moves: Sequence[PlannedTransfer],
    due_by: datetime | None,
    hold_reason: str | None,
) -> NewRefund:
    return NewRefund(
        order_id=ret.order_id,
        kind="return",
        amount_minor=paid.rest_minor,
        currency=settlement.currency,
        transfers=moves,
        parts=paid.parts,
        return_id=ret.id,
        reason="return",
        due_by=due_by,
        hold_reason=hold_reason,
    )
