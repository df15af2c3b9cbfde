"""Money, or new goods, before the old ones are seen, inside the transaction of what causes it.

Owns: granting an advance at its moment, once. Refuses to own the counters that bound it
(``_exposure``), goods that go first (``_goods_first``), and what becomes of it (``_advances``).
Lock order: payments, the return, its advance, the counters of caps, then refund rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from returns_api.db import advances as rows
from returns_api.db import reservations
from returns_api.db import returns as return_rows
from returns_api.db import shipments as shipment_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job
from returns_api.domain.advances import covered, wanted
from returns_api.domain.events import By, Event
from returns_api.domain.exchanges import EXCHANGE_KIND
from returns_api.domain.refunds import PlannedTransfer, plan_cover
from returns_api.domain.returns import Change, ReturnRecord
from returns_api.domain.settlement import Settlement
from returns_api.domain.settlement_terms import claim
from returns_api.usecases import _exposure
from returns_api.usecases._due import not_elsewhere, what_is_due
from returns_api.usecases._goods_first import give_first
from returns_api.usecases._refunds import NewRefund, reserve_and_store
from returns_api.usecases._returns import save
from returns_api.usecases.context import Context

REQUEST, FIRST_SCAN = "request", "first_scan"
_WITH_THE_CARRIER = frozenset({"in_transit", "delivered"})


async def lock_if_due(tx: Transaction, return_id: UUID, moment: str) -> None:
    """Payments come before returns: lock them where the moment may grant an advance."""
    order_id = await rows.order_to_lock(tx, return_id, moment)
    if order_id is not None:
        await reservations.lock_payments(tx, order_id)


async def grant_if_due(
    tx: Transaction, ctx: Context, ret: ReturnRecord, state: str, moment: str, by: By
) -> tuple[list[Event], list[Job]]:
    """Grant the advance of this moment, or say why not; nothing when there is none or there was.

    ``state`` is where the locked return goes now. ``lock_if_due`` came before the return's lock.
    """
    terms = wanted(ret, state, moment)
    if terms is None or await rows.lock_of_return(tx, ret.id) is not None:
        return [], []
    if ret.resolution == EXCHANGE_KIND:
        return await give_first(tx, ctx, ret, terms, by), []
    payments = await reservations.lock_payments(tx, ret.order_id)
    units = [
        claim(line.external_id, unit, ret.terms.of_line(line.order_line_id))
        for line in ret.open_lines()
        for unit in line.units
    ]
    due = await what_is_due(tx, ret, payments, await not_elsewhere(tx, ret, units))
    if not due.total_minor:
        return [], []
    moves = plan_cover(payments, due.total_minor, due.currency)
    wanted_sum = await _exposure.exposure(tx, ctx, ret, terms, due.total_minor)
    paid_back = covered(moves, due.total_minor)
    reason = await _exposure.take(tx, wanted_sum, due.currency, covered=paid_back)
    if reason is not None:
        return [await _exposure.decline(tx, ctx, ret, wanted_sum, reason, by)], []
    written = await reserve_and_store(tx, ctx, _new_refund(ctx, ret, due, moves), by)
    granted = await _exposure.grant(tx, ctx, ret, wanted_sum, by, refund_id=written.id)
    return [granted, *written.events], [*written.jobs]


async def grant_if_reached(
    tx: Transaction, ctx: Context, return_id: UUID, by: By
) -> tuple[list[Event], list[Job]]:
    """The same after shop and buyer agreed on goods, where the policy's moment has passed already.

    The carrier's scan is that moment, never the buyer's word. Payments and return must be locked.
    """
    ret = await return_rows.one(tx, return_id)
    assert ret is not None
    terms = ret.terms.advance
    if terms is None or (terms.at == FIRST_SCAN and not await _scanned(tx, return_id)):
        return [], []
    return await grant_if_due(tx, ctx, ret, ret.state, terms.at, by)


async def _scanned(tx: Transaction, return_id: UUID) -> bool:
    parcels = await shipment_rows.of_returns(tx, [return_id])
    return any(parcel.state in _WITH_THE_CARRIER for parcel in parcels)


def _new_refund(
    ctx: Context, ret: ReturnRecord, due: Settlement, moves: Sequence[PlannedTransfer]
) -> NewRefund:
    within = ret.terms.refund_within_seconds
    return NewRefund(
        order_id=ret.order_id,
        kind="advance",
        amount_minor=due.total_minor,
        currency=due.currency,
        transfers=moves,
        parts=[part.as_dict() for part in due.parts],
        return_id=ret.id,
        reason="fast_refund",
        due_by=None if within is None else ctx.clock() + timedelta(seconds=within),
    )


async def save_and_grant(
    tx: Transaction, ctx: Context, change: Change, by: By
) -> tuple[list[Event], list[Job]]:
    """Save a change of a return, and grant what may go out once it is approved."""
    events, jobs = await save(tx, ctx, change, by)
    if change.before.terms.advance is None:
        return events, jobs
    ret = await return_rows.one(tx, change.before.id)
    assert ret is not None
    more, further = await grant_if_due(tx, ctx, ret, ret.state, REQUEST, by)
    return [*events, *more], [*jobs, *further]
