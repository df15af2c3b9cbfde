"""Money back: how a refund is split into transfers, and what each outcome of a try means.

Owns the pure decisions: the plan of a refund, the plan after a provider's answer, when to ask
again. Refuses to own the amounts of a return (``settlement``) and every call (``usecases``).

Sources: promises S6-S9 of the reliability notes; the wait table is S8's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from returns_api.domain.errors import Invalid, NothingLeftToRefund
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.refunds import HOLDING, TRANSFER
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.settlement import Tender, drain

ASK_AGAIN: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
    *(timedelta(days=1) for _ in range(7)),
)
"""Waits between look-ups of an unknown outcome; after the last one a person must look."""

SEND_AGAIN: Final = tuple(timedelta(seconds=s) for s in (1, 2, 5, 15, 60, 300, 900, 3600))
"""Waits before a request that certainly did not act is sent again; the last one repeats."""

ASK_PENDING: Final = timedelta(minutes=15)
"""How often a pending refund is looked up: the sweep behind lost webhooks (S16)."""

MAX_SENDS: Final = 500
"""Sends of one transfer before a person must look; an outage of weeks stays below it."""


@dataclass(frozen=True, slots=True)
class PlannedTransfer:
    """Money to send back along one payment."""

    payment: PaymentRecord
    amount_minor: int

    @property
    def state(self) -> str:
        """Without a provider that we can call, a person has to move the money."""
        return "queued" if self.payment.provider_payment_id else "needs_review"


def plan_refund(
    payments: Sequence[PaymentRecord], amount_minor: int
) -> tuple[PlannedTransfer, ...]:
    """Spread exactly ``amount_minor`` over the order's payments in their order.

    Raises:
        NothingLeftToRefund: more than is left on all of them together.
        Invalid: the order has no payment, or they are in different currencies.
    """
    if not payments:
        raise Invalid("Nothing was captured for this order.", errors=[{"field": "order"}])
    if len({payment.currency for payment in payments}) > 1:
        raise Invalid("The order was paid in several currencies.", errors=[{"field": "order"}])
    by_id = {str(payment.id): payment for payment in payments}
    transfers, uncovered = drain(amount_minor, tenders(payments))
    if uncovered:
        left = amount_minor - uncovered
        raise NothingLeftToRefund(
            f"{amount_minor} is asked, {left} is left (minor units).",
            requested=amount_minor,
            remaining=left,
        )
    return tuple(PlannedTransfer(by_id[t.tender], t.amount_minor) for t in transfers)


def tenders(payments: Sequence[PaymentRecord]) -> list[Tender]:
    """The payments in the order in which they are drained."""
    ordered = sorted(payments, key=lambda payment: (payment.position, payment.id))
    return [Tender(str(payment.id), payment.refundable) for payment in ordered]


@dataclass(frozen=True, slots=True)
class TransferRecord:
    """One movement of money as the database has it."""

    id: UUID
    refund_id: UUID
    payment_id: UUID
    amount_minor: int
    currency: str
    state: str
    attempt: int
    lookups: int
    first_sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class TransferChange:
    """What becomes of a transfer, and of the money reserved for it on the payment."""

    state: str
    due_at: datetime | None
    lookups: int
    reserved_delta: int
    refunded_delta: int
    failure_code: str | None = None


def after_fact(
    transfer: TransferRecord, status: str, now: datetime, failure_code: str | None = None
) -> TransferChange:
    """The provider's own evidence: the only way to ``succeeded``, ``failed`` or ``reversed``.

    ``pending`` after ``succeeded`` is an old message and changes nothing.
    """
    before = transfer.state
    if (before == "succeeded" and status in {"pending", "requires_action"}) or (
        before in TRANSFER.terminal
    ):
        return unchanged(transfer)
    state = TRANSFER.step(before, "fact", Actor.SYSTEM, to=status)
    waiting = state in {"pending", "requires_action"}
    return _moved(
        transfer,
        state,
        due_at=now + ASK_PENDING if waiting else None,
        lookups=transfer.lookups,
        failure_code=failure_code,
    )


def after_silence(transfer: TransferRecord, now: datetime) -> TransferChange:
    """No answer, or one that cannot be read: unknown, the money stays reserved, ask later."""
    if transfer.lookups >= len(ASK_AGAIN):
        return _moved(transfer, "needs_review", None, transfer.lookups, "outcome_unknown")
    wait = ASK_AGAIN[transfer.lookups]
    return _moved(transfer, "unknown", now + wait, transfer.lookups + 1, "outcome_unknown")


def after_refused_connection(
    transfer: TransferRecord, now: datetime, retry_after: float | None
) -> TransferChange:
    """It certainly did not act: send the same again later, never failed by an outage (S8)."""
    if transfer.attempt >= MAX_SENDS:
        return _moved(transfer, "needs_review", None, transfer.lookups, "provider_unavailable")
    wait = SEND_AGAIN[min(max(transfer.attempt, 1), len(SEND_AGAIN)) - 1]
    if retry_after is not None:
        wait = max(wait, timedelta(seconds=min(retry_after, 86_400)))
    return _moved(transfer, "queued", now + wait, transfer.lookups, "provider_unavailable")


def after_absence(transfer: TransferRecord, now: datetime) -> TransferChange:
    """The provider certainly has nothing under our reference: send again, with the same key."""
    return _moved(transfer, "queued", now, transfer.lookups, None)


def still_waiting(transfer: TransferRecord, now: datetime) -> TransferChange:
    """A look-up of a pending refund told nothing new: it stays pending and is asked again."""
    return _moved(transfer, transfer.state, now + ASK_PENDING, transfer.lookups, None)


def unchanged(transfer: TransferRecord) -> TransferChange:
    return TransferChange(transfer.state, None, transfer.lookups, 0, 0)


def _moved(
    transfer: TransferRecord,
    state: str,
    due_at: datetime | None,
    lookups: int,
    failure_code: str | None,
) -> TransferChange:
    held = (state in HOLDING) - (transfer.state in HOLDING)
    paid = (state == "succeeded") - (transfer.state == "succeeded")
    return TransferChange(
        state=state,
        due_at=due_at,
        lookups=lookups,
        reserved_delta=held * transfer.amount_minor,
        refunded_delta=paid * transfer.amount_minor,
        failure_code=failure_code,
    )


def must_look_up_first(
    transfer: TransferRecord, now: datetime, idempotency_window: timedelta | None
) -> bool:
    """Whether sending could act twice because the provider may have forgotten our key (S7)."""
    if transfer.first_sent_at is None:
        return False
    if idempotency_window is None:
        return True
    return now - transfer.first_sent_at > idempotency_window * 0.8
