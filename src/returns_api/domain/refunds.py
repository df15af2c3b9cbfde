"""Money back: how a refund is split into transfers, and what each outcome of a try means.

Owns the pure decisions: the plan of a refund, the plan after a provider's answer, when to ask
again. Refuses to own the amounts of a return (``settlement``) and every call (``usecases``).

Sources: promises S6-S9 of the reliability notes; the wait table is S8's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from returns_api.domain.errors import DoesNotFit
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.refunds import HOLDING, TRANSFER
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.refundable import require_refundable
from returns_api.domain.tenders import Tender, drain

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

HEARD_AFTER: Final = 3
"""Look-ups in vain after which an unknown outcome makes itself heard (S12): by then a quarter of an
hour has passed, in which a provider that is well would have told it."""

SEND_AGAIN: Final = tuple(timedelta(seconds=s) for s in (1, 2, 5, 15, 60, 300, 900, 3600))
"""Waits before a request that certainly did not act is sent again; the last one repeats."""

ASK_PENDING: Final = timedelta(minutes=15)
"""How often a pending refund is looked up: the sweep behind lost webhooks (S16)."""
MAX_SENDS: Final = 500
"""Sends of one transfer before a person must look; an outage of weeks stays below it."""
DUE_WITHIN: Final = timedelta(days=5)
"""When a refund that a person asked for is due: the house's own promise, since no policy and no law
names a day for it. That of a return is due as its policy says, within its law."""
REMIND: Final = tuple(timedelta(days=days) for days in (1, 2, 4, 7))
"""Waits between reminders of an overdue refund; the last one repeats until it is settled."""


def remind_in(reminders: int) -> timedelta:
    """The wait for the next reminder, after so many before this one."""
    return REMIND[min(reminders, len(REMIND) - 1)]


OVERDRAWN: Final = "payment_overdrawn"
"""Why a transfer waits for a person: money went elsewhere since it was reserved."""
STORE_CREDIT: Final = "store_credit"
"""What stands for a provider where a transfer ends in our own books."""


@dataclass(frozen=True, slots=True)
class PlannedTransfer:
    """Money to send back along one payment, or as ``store_credit``: then the payment, whose money
    stays in the shop, is only drawn on. A present that becomes store credit draws on none."""

    payment: PaymentRecord | None
    amount_minor: int
    store_credit: UUID | None = None

    @property
    def state(self) -> str:
        """Without a provider that we can call, a person has to move the money."""
        payment = self.payment
        callable_ = payment is not None and payment.provider_payment_id is not None
        return "queued" if callable_ or self.store_credit is not None else "needs_review"


def plan_refund(
    payments: Sequence[PaymentRecord], amount_minor: int
) -> tuple[PlannedTransfer, ...]:
    """Spread exactly ``amount_minor`` over the order's payments in their order.

    Raises:
        NothingLeftToRefund: more than is left on all of them together.
        DoesNotFit: the order has no payment, or they are in different currencies.
    """
    require_one_currency(payments)
    require_refundable(amount_minor, sum(payment.refundable for payment in payments))
    return plan_cover(payments, amount_minor, payments[0].currency)


def plan_cover(
    payments: Sequence[PaymentRecord], amount_minor: int, currency: str
) -> tuple[PlannedTransfer, ...]:
    """Spread as much of ``amount_minor`` over the payments in their order as they have left.

    What they do not cover stays due: a person decides about it.
    """
    by_id = {str(payment.id): payment for payment in payments}
    transfers, _ = drain(amount_minor, tenders(payments, currency))
    return tuple(PlannedTransfer(by_id[t.tender], t.amount_minor) for t in transfers)


def require_one_currency(payments: Sequence[PaymentRecord]) -> None:
    """Raises ``DoesNotFit`` for an order without payments, or with several currencies."""
    if not payments:
        raise DoesNotFit("Nothing was captured for this order.", errors=[{"field": "order"}])
    if len({payment.currency for payment in payments}) > 1:
        detail = "The order was paid in several currencies."
        raise DoesNotFit(detail, errors=[{"field": "order", "problem": detail}])


def tenders(payments: Sequence[PaymentRecord], currency: str) -> list[Tender]:
    """The payments of a currency in the order in which they are drained. No unit's share is cut of
    one in another currency (``allocation``), so nothing goes back along it either."""
    ours = [payment for payment in payments if payment.currency == currency]
    ordered = sorted(ours, key=lambda payment: (payment.position, payment.id))
    return [Tender(str(payment.id), payment.refundable) for payment in ordered]


@dataclass(frozen=True, slots=True)
class TransferRecord:
    """One movement of money as the database has it."""

    id: UUID
    refund_id: UUID
    payment_id: UUID | None
    """None for a present that becomes store credit."""
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
    unsent: bool = False
    """The provider certainly has nothing: the next send counts as the first one again."""
    unsettled: bool = False
    """It has been unknown for so long that somebody should know: told once."""


def missing(amount_minor: int, transfers: Sequence[TransferRecord]) -> int:
    """What of a refund neither arrived nor is on its way (minor units)."""
    under_way = sum(
        transfer.amount_minor
        for transfer in transfers
        if transfer.state in HOLDING or transfer.state == "succeeded"
    )
    return max(amount_minor - under_way, 0)


def after_fact(
    transfer: TransferRecord, status: str, now: datetime, failure_code: str | None = None
) -> TransferChange | None:
    """The provider's own evidence: the only way to ``succeeded``, ``failed`` or ``reversed``.

    None when it changes nothing: what ended stays ended, and ``pending`` after ``succeeded`` is an
    old message.
    """
    before = transfer.state
    if before in TRANSFER.terminal or (
        before == "succeeded" and status in {"succeeded", "pending", "requires_action"}
    ):
        return None
    waiting = status in {"pending", "requires_action"}
    return _moved(
        transfer, "fact", status, due_at=now + ASK_PENDING if waiting else None, code=failure_code
    )


def can_be_named(state: str) -> bool:
    """Whether a refund that the provider names for the first time can be a transfer's own.

    What waits for an approval was never sent, and what ended unnamed moved no money: whatever else
    carries its reference moved money beside it, and has to count.
    """
    return state != "on_hold" and state not in TRANSFER.terminal


def after_silence(transfer: TransferRecord, now: datetime) -> TransferChange:
    """No answer, or one that cannot be read: unknown, the money stays reserved, ask later."""
    if transfer.lookups >= len(ASK_AGAIN):
        return give_up(transfer, "outcome_unknown")
    change = _moved(
        transfer,
        "lose",
        "unknown",
        due_at=now + ASK_AGAIN[transfer.lookups],
        lookups=transfer.lookups + 1,
        code="outcome_unknown",
    )
    return replace(change, unsettled=transfer.lookups == HEARD_AFTER)


def after_refused_connection(
    transfer: TransferRecord, now: datetime, retry_after: float | None
) -> TransferChange:
    """It certainly did not act: send the same again later, never failed by an outage (S8)."""
    if transfer.attempt >= MAX_SENDS:
        return give_up(transfer, "provider_unavailable")
    wait = SEND_AGAIN[min(max(transfer.attempt, 1), len(SEND_AGAIN)) - 1]
    if retry_after is not None:
        wait = max(wait, timedelta(seconds=min(retry_after, 86_400)))
    return _moved(transfer, "put_back", "queued", due_at=now + wait, code="provider_unavailable")


def after_absence(transfer: TransferRecord, now: datetime) -> TransferChange:
    """The provider certainly has nothing under our reference: send again, with the same key."""
    return _moved(transfer, "put_back", "queued", due_at=now, unsent=True)


def still_waiting(transfer: TransferRecord, now: datetime) -> TransferChange:
    """A look-up of a pending refund told nothing new: it stays pending and is asked again."""
    return _moved(transfer, "wait", transfer.state, due_at=now + ASK_PENDING)


def give_up(transfer: TransferRecord, code: str) -> TransferChange:
    """It cannot go on by itself. The money stays reserved until a person looked."""
    return _moved(transfer, "give_up", "needs_review", due_at=None, code=code)


def after_cancel(transfer: TransferRecord, actor: Actor) -> TransferChange:
    """A person gives up what was never sent; its amount is refundable again.

    Raises:
        ActionNotAllowed: it may have been sent, or not for this actor.
    """
    state = TRANSFER.step(transfer.state, "cancel", actor)
    return _change(transfer, state, due_at=None, lookups=transfer.lookups)


def _moved(
    transfer: TransferRecord,
    action: str,
    to: str,
    *,
    due_at: datetime | None,
    lookups: int | None = None,
    code: str | None = None,
    unsent: bool = False,
) -> TransferChange:
    state = TRANSFER.step(transfer.state, action, Actor.SYSTEM, to=to)
    asked = transfer.lookups if lookups is None else lookups
    return _change(transfer, state, due_at=due_at, lookups=asked, code=code, unsent=unsent)


def _change(
    transfer: TransferRecord,
    state: str,
    *,
    due_at: datetime | None,
    lookups: int,
    code: str | None = None,
    unsent: bool = False,
) -> TransferChange:
    held = (state in HOLDING) - (transfer.state in HOLDING)
    paid = (state == "succeeded") - (transfer.state == "succeeded")
    return TransferChange(
        state=state,
        due_at=due_at,
        lookups=lookups,
        reserved_delta=held * transfer.amount_minor,
        refunded_delta=paid * transfer.amount_minor,
        failure_code=code,
        unsent=unsent,
    )


def next_try(
    transfer: TransferRecord,
    now: datetime,
    *,
    idempotency_window: timedelta | None,
    can_look_up: bool,
) -> str:
    """What a due transfer does next, so that it never acts twice (S7): ``send``, ``look_up``,
    ``wait`` or ``give_up``.

    What was never sent is sent. What may have been sent is looked up; only while it is queued or
    was being sent, and the provider surely still knows our key, it is sent again under that key. A
    provider that can neither be asked nor remembers keys needs a person, unless it has accepted the
    refund and will tell by itself.
    """
    if transfer.first_sent_at is None:
        return "send"
    elapsed = now - transfer.first_sent_at
    remembered = idempotency_window is not None and elapsed <= idempotency_window * 0.8
    undecided = transfer.state in {"queued", "sending"}
    if remembered and (undecided or (transfer.state == "unknown" and not can_look_up)):
        return "send"
    if can_look_up:
        return "look_up"
    return "wait" if transfer.state in {"pending", "requires_action"} else "give_up"
