"""Refunds that a person asks for, and what a person can do with a refund that got stuck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from returns_api.db import approvals as approval_rows
from returns_api.db import ledger, reservations
from returns_api.db import refunds as rows
from returns_api.db import transfers as transfer_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import (
    ActionNotAllowed,
    ApprovalChanged,
    DuplicateReference,
    NotFound,
    NothingLeftToRefund,
    OwnApproval,
    RefundableChanged,
)
from returns_api.domain.events import By
from returns_api.domain.ledger import refund_given_up, refund_taken_up
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.refunds import HOLDING, REFUND, TRANSFER
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.refunds import (
    DUE_WITHIN,
    STORE_CREDIT,
    PlannedTransfer,
    after_cancel,
    missing,
    plan_cover,
    plan_refund,
)
from returns_api.usecases._approvals import held_binding, hold_for_person, releases
from returns_api.usecases._books import debt_of, refund_ref, stamp
from returns_api.usecases._crediting import (
    destinations,
    plan_credit,
    require_credit_fits,
    settle_credit,
)
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases._moves import follow_transfers, moved_entry
from returns_api.usecases._refunds import NewRefund, Written, add_transfers, reserve_and_store
from returns_api.usecases.context import Context

_USED_BEFORE: Final = (
    "This client_reference was used before; a reference makes one refund, for ever."
)
PAYMENTS: Final = "payments"
"""Where a refund goes unless somebody says otherwise: back the way the money came."""
_UNSENT: Final = frozenset({"on_hold", "queued", "needs_review"})


@dataclass(frozen=True, slots=True)
class RefundView:
    """A refund and its movements of money."""

    refund: Row
    transfers: Sequence[Row]

    @property
    def binding(self) -> str | None:
        """What an approval is bound to; None when nothing of the refund waits for one."""
        return held_binding(self.refund, self.transfers)


async def create_refund(
    tx: Transaction,
    ctx: Context,
    by: By,
    order_id: UUID,
    *,
    amount_minor: int | None,
    client_reference: str | None,
    reason: str | None,
    expected_refundable: int | None,
    kind: str,
    to: str = PAYMENTS,
    buyer_agreed: bool = False,
) -> RefundView:
    """Reserve and record a refund; a worker sends it, once a second person approved it where the
    caller may not pay so much alone. ``amount_minor`` None means all that is left, computed under
    the lock. No unit of an order line is used up by it.

    ``to`` store credit pays at once. What is owed goes there only if the buyer agreed (Directive
    2011/83/EU, article 13(1)) and draws on the payments like any refund; a present does not.

    Raises:
        NotFound: no such order.
        DuplicateReference: the reference made a refund before, whatever became of it.
        RefundableChanged: something else is refundable than the caller believes; nothing is done.
        NothingLeftToRefund: more than is left.
        DoesNotFit: the buyer did not agree to store credit, or a present names no amount.
    """
    payments = await reservations.lock_payments(tx, order_id)
    if not payments and not await rows.order_exists(tx, order_id):
        raise NotFound(NO_SUCH_THING)
    if client_reference is not None:
        await _require_new(tx, client_reference)
    amount = _amount_of(payments, amount_minor, expected_refundable)
    if to == STORE_CREDIT:
        require_credit_fits(kind, amount_minor, agreed=buyer_agreed)
        plan = await plan_credit(tx, ctx, by, order_id, payments, amount, kind)
    else:
        planned = plan_refund(payments, amount)
        plan = await destinations(tx, ctx, by, order_id, payments[0].currency, planned)
    currency = payments[0].currency
    agreed = {"because": {"buyer_agreed": True}} if buyer_agreed else {}
    new = NewRefund(
        order_id=order_id,
        kind=kind,
        amount_minor=amount,
        currency=currency,
        transfers=plan.transfers,
        parts=[{"kind": kind, "amount": amount, **agreed}],
        client_reference=client_reference,
        reason=reason,
        due_by=ctx.clock() + DUE_WITHIN,
        hold_reason=await hold_for_person(tx, ctx, by, order_id, amount, currency),
    )
    written = await _store_once(tx, ctx, new, by)
    await emit(tx, [*plan.events, *written.events], written.jobs)
    if plan.credits:
        await settle_credit(tx, ctx, written.id, by)
    return await _view(tx, written.id)


def _amount_of(
    payments: Sequence[PaymentRecord], amount_minor: int | None, expected_refundable: int | None
) -> int:
    """What was asked for, or all that is left; checked against what the caller believes is left."""
    left = sum(payment.refundable for payment in payments)
    if expected_refundable is not None and expected_refundable != left:
        raise RefundableChanged(
            f"{left} is refundable now, not {expected_refundable} (minor units).",
            refundable=left,
            expected=expected_refundable,
        )
    amount = left if amount_minor is None else amount_minor
    if amount == 0 and payments:
        raise NothingLeftToRefund("Nothing is left to refund.", requested=0, remaining=0)
    return amount


async def _store_once(tx: Transaction, ctx: Context, new: NewRefund, by: By) -> Written:
    """Store it unless another order's refund took its reference at the same moment."""
    try:
        return await reserve_and_store(tx, ctx, new, by)
    except asyncpg.UniqueViolationError as taken:
        if taken.constraint_name != "uq_refunds_shop_id_client_reference":
            raise
        raise DuplicateReference(_USED_BEFORE) from taken


async def _require_new(tx: Transaction, reference: str) -> None:
    before = await rows.by_reference(tx, reference)
    if before is not None:
        raise DuplicateReference(_USED_BEFORE, refund=ids.encode("ref", before))


async def get_refund(ctx: Context, principal: Principal, refund_id: UUID) -> RefundView:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        view = await _view(tx, refund_id)
    if not principal.sees_order(view.refund["order_id"]):
        raise NotFound(NO_SUCH_THING)
    return view


async def list_refunds(ctx: Context, principal: Principal, **filters: Any) -> list[RefundView]:
    """Newest first; ``before``, ``limit``, ``order_id``, ``return_id``, ``state``, ``overdue``."""
    if principal.order_id is not None:
        filters["order_id"] = principal.order_id
    async with ctx.database.transaction(principal.shop) as tx:
        heads = await rows.page(tx, **filters)
        moves = await transfer_rows.of_refunds(tx, [head["id"] for head in heads]) if heads else []
    return [
        RefundView(head, [move for move in moves if move["refund_id"] == head["id"]])
        for head in heads
    ]


async def approve_refund(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    refund_id: UUID,
    binding: str,
) -> RefundView:
    """Set a refund's waiting transfers free, as the second person.

    ``binding`` stands for amount, currency and destinations as the approver saw them.

    Raises:
        NotFound.
        ActionNotAllowed: nothing of it waits for an approval.
        OwnApproval: the caller asked for it.
        ApprovalChanged: it is another amount, currency or destination than the caller saw.
    """
    head, payments, moves = await _locked(tx, principal, refund_id)
    actor = Actor(principal.role.value)
    REFUND.require(head["state"], "approve", actor)
    held = [move for move in moves if move["state"] == "on_hold"]
    now_bound = held_binding(head, held)
    if now_bound is None:
        raise _nothing_waits(head["state"])
    if head["requested_by"] == principal.credential_id:
        raise OwnApproval("You asked for this refund; another person has to approve it.")
    if now_bound != binding:
        raise ApprovalChanged("The refund is another than the one you saw.", binding=now_bound)
    now = ctx.clock()
    await approval_rows.add(
        tx,
        id=ctx.new_id(),
        refund_id=refund_id,
        requester_id=head["requested_by"],
        approver_id=principal.credential_id,
        amount_minor=head["amount_minor"],
        currency=head["currency"],
        binding=binding,
        releases=releases(held),
        at=now,
    )
    await rows.set_approved(tx, refund_id, principal.credential_id, now)
    of_payment = {payment.id: payment for payment in payments}
    jobs = [
        await _release(tx, move, of_payment.get(move["payment_id"]), actor, now) for move in held
    ]
    wanted = [job for job in jobs if job is not None]
    await follow_transfers(tx, ctx, refund_id, by, "approved", wanted)
    if any(move["store_credit_id"] is not None for move in held):
        await settle_credit(tx, ctx, refund_id, by)
    return await _view(tx, refund_id)


async def _release(
    tx: Transaction, move: Row, payment: PaymentRecord | None, actor: Actor, now: datetime
) -> Job | None:
    """As if it started now: to the provider, to store credit, or to a person where there is no one
    to call."""
    start = PlannedTransfer(payment, move["amount_minor"], move["store_credit_id"]).state
    state = TRANSFER.step("on_hold", "release", actor, to=start)
    sent = state == "queued" and move["store_credit_id"] is None
    code = None if state == "queued" else "no_provider_connection"
    await transfer_rows.put_in_line(
        tx, move["id"], "on_hold", state, now if sent else None, now, code
    )
    return Job("send_transfer", move["id"]) if sent else None


def _nothing_waits(state: str) -> ActionNotAllowed:
    return ActionNotAllowed(
        "Nothing of this refund waits for an approval.",
        object="refund",
        state=state,
        action="approve",
        allowed=[],
    )


async def retry_refund(ctx: Context, principal: Principal, by: By, refund_id: UUID) -> RefundView:
    """Take up what waits for a person, and send anew what did not arrive.

    A stuck transfer is looked up first if it was ever sent. What failed, was reversed or was not
    covered goes out as new transfers, as far as the payments have something left.

    Raises:
        NotFound, ActionNotAllowed.
        NothingLeftToRefund: nothing is stuck, and the payments have nothing left for the rest.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        head, payments, moves = await _locked(tx, principal, refund_id)
        actor = Actor(principal.role.value)
        REFUND.require(head["state"], "retry", actor)
        if not may_retry(head):
            raise _judged_by_goods(head["state"], actor)
        stuck = [move for move in moves if move["state"] == "needs_review"]
        jobs = [await _take_up(tx, ctx, move, actor) for move in stuck]
        rest = missing(head["amount_minor"], [transfer_rows.record(move) for move in moves])
        planned = plan_cover(payments, rest)
        if not stuck and not planned:
            raise NothingLeftToRefund(
                "The payments have nothing left for this refund.", requested=rest, remaining=0
            )
        if head["given_up"]:
            await rows.give_up(tx, refund_id, ctx.clock(), given_up=False)
            await ledger.post(tx, refund_taken_up(stamp(ctx, by), refund_ref(head), rest))
        plan = await destinations(tx, ctx, by, head["order_id"], head["currency"], planned)
        jobs += await add_transfers(tx, ctx, head, plan.transfers, by)
        await emit(tx, plan.events)
        await follow_transfers(tx, ctx, refund_id, by, "retried", jobs)
        if plan.credits:
            await settle_credit(tx, ctx, refund_id, by)
        view = await _view(tx, refund_id)
    ctx.wake()
    return view


def may_retry(head: Row) -> bool:
    """An advance that was given up is not taken up again: the goods say what is due."""
    return head["kind"] != "advance" or not head["given_up"]


def _judged_by_goods(state: str, actor: Actor) -> ActionNotAllowed:
    allowed = [action for action in REFUND.allowed(state, actor) if action != "retry"]
    return ActionNotAllowed(
        "This was paid before the goods were seen; what is missing of it was given up.",
        object="refund",
        state=state,
        action="retry",
        allowed=allowed,
    )


async def _take_up(tx: Transaction, ctx: Context, move: Row, actor: Actor) -> Job:
    to = "queued" if move["first_sent_at"] is None else "unknown"
    state, now = TRANSFER.step(move["state"], "retry", actor, to=to), ctx.clock()
    await transfer_rows.adopt_provider(tx, move["id"])
    await transfer_rows.put_in_line(tx, move["id"], move["state"], state, now, now)
    return Job("send_transfer", move["id"])


async def cancel_refund(ctx: Context, principal: Principal, by: By, refund_id: UUID) -> RefundView:
    """Give up what was never sent and what did not arrive; reserved amounts are refundable again.

    Raises:
        NotFound.
        ActionNotAllowed: money may be on its way, or all of it arrived.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        head, _, moves = await _locked(tx, principal, refund_id)
        actor, now = Actor(principal.role.value), ctx.clock()
        REFUND.require(head["state"], "cancel", actor)
        held = [move for move in moves if move["state"] in HOLDING]
        if any(m["state"] not in _UNSENT or m["first_sent_at"] is not None for m in held):
            raise _on_its_way(head["state"], actor)
        owed = await debt_of(tx, head)
        for move in held:
            transfer = transfer_rows.record(move)
            change = after_cancel(transfer, actor)
            await transfer_rows.apply_change(tx, transfer, change, now)
            await ledger.post(tx, moved_entry(ctx, head, owed, transfer, change, by))
        await _give_up(tx, ctx, head, by)
        await follow_transfers(tx, ctx, refund_id, by, "given_up")
        return await _view(tx, refund_id)


async def _give_up(tx: Transaction, ctx: Context, head: Row, by: By) -> None:
    """Nobody is going to pay what is missing of a locked refund."""
    if head["given_up"]:
        return
    await rows.give_up(tx, head["id"], ctx.clock(), given_up=True)
    moves = await transfer_rows.lock_of_refund(tx, head["id"])
    rest = missing(head["amount_minor"], [transfer_rows.record(move) for move in moves])
    await ledger.post(tx, refund_given_up(stamp(ctx, by), await debt_of(tx, head), rest))


async def _locked(
    tx: Transaction, principal: Principal, refund_id: UUID
) -> tuple[Row, list[PaymentRecord], list[Row]]:
    """The refund, its order's payments and its transfers. Payments are locked first, then the
    transfers: nobody moves them while we decide."""
    head = await rows.one(tx, refund_id)
    if head is None or not principal.sees_order(head["order_id"]):
        raise NotFound(NO_SUCH_THING)
    payments = await reservations.lock_payments(tx, head["order_id"])
    moves = await transfer_rows.lock_of_refund(tx, refund_id)
    return await rows.lock(tx, refund_id), payments, moves


def _on_its_way(state: str, actor: Actor) -> ActionNotAllowed:
    allowed = [action for action in REFUND.allowed(state, actor) if action != "cancel"]
    return ActionNotAllowed(
        "Money may be on its way already: it has to come to an end first.",
        object="refund",
        state=state,
        action="cancel",
        allowed=allowed,
    )


async def _view(tx: Transaction, refund_id: UUID) -> RefundView:
    head = await rows.one(tx, refund_id)
    if head is None:
        raise NotFound(NO_SUCH_THING)
    return RefundView(head, await transfer_rows.of_refunds(tx, [refund_id]))
