"""Money that both sides agreed on, or that a ruling awards: what was advanced counts first.

Lock order: payments, the return, then what its advance needs (``_advances``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from returns_api.db import reservations
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job
from returns_api.domain.errors import Conflict
from returns_api.domain.events import By, Event
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.refunds import DUE_WITHIN, PlannedTransfer
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases._advances import set_against, standing
from returns_api.usecases._refunds import NewRefund, reserve_and_store
from returns_api.usecases.context import Context

_ON_ITS_WAY: Final = "The fast refund of this return is still on its way; try again once it is not."

Plan = Callable[[Sequence[PaymentRecord], int], Sequence[PlannedTransfer]]


@dataclass(frozen=True, slots=True)
class Paid:
    """What of an agreed amount goes out now: ``rest_minor``, by the refund; the buyer had what is
    missing from it."""

    rest_minor: int
    refund_id: UUID | None
    events: Sequence[Event]
    jobs: Sequence[Job]


async def pay_agreed(
    tx: Transaction,
    ctx: Context,
    by: By,
    ret: ReturnRecord,
    amount_minor: int,
    *,
    reason: str,
    plan: Plan,
) -> Paid:
    """Reserve an amount on the payments of a locked return's order; it was promised, so nothing
    holds it. ``plan`` says what happens where the payments have less.

    Raises:
        Conflict: the money of an advance is on its way.
    """
    before = await standing(tx, ctx, ret, by)
    if before.waits:
        raise Conflict(_ON_ITS_WAY)
    worth = [{"kind": "manual", "amount": amount_minor}]
    paid = await set_against(tx, ctx, before, worth, amount_minor, by)
    if not paid.rest_minor:
        return Paid(0, None, paid.events, ())
    payments = await reservations.lock_payments(tx, ret.order_id)
    new = NewRefund(
        order_id=ret.order_id,
        return_id=ret.id,
        kind="manual",
        amount_minor=paid.rest_minor,
        currency=ret.currency,
        transfers=plan(payments, paid.rest_minor),
        parts=paid.parts,
        reason=reason,
        due_by=ctx.clock() + DUE_WITHIN,
    )
    written = await reserve_and_store(tx, ctx, new, by)
    return Paid(paid.rest_minor, written.id, [*paid.events, *written.events], written.jobs)
