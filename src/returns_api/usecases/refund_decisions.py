"""What a person decides about a refund that stands: set it free, take it up again, give it up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from returns_api.db import approvals as approval_rows
from returns_api.db import ledger, transfer_changes
from returns_api.db import refunds as rows
from returns_api.db import returns as return_rows
from returns_api.db import transfers as transfer_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain.access import Principal
from returns_api.domain.errors import (
    ActionNotAllowed,
    ApprovalChanged,
    NothingLeftToRefund,
    OwnApproval,
)
from returns_api.domain.events import By
from returns_api.domain.ledger import refund_given_up, refund_taken_up
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.refunds import HOLDING, REFUND, TRANSFER
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.refunds import (
    OVERDRAWN,
    PlannedTransfer,
    after_cancel,
    missing,
    plan_cover,
)
from returns_api.usecases._approvals import held_binding, releases
from returns_api.usecases._books import debt_of, refund_ref, stamp
from returns_api.usecases._crediting import Plan, destinations, settle_credit
from returns_api.usecases._moves import follow_transfers, moved_entry
from returns_api.usecases._refund_views import RefundView, locked, view_of
from returns_api.usecases._refunds import add_transfers
from returns_api.usecases.context import Context

_UNSENT: Final = frozenset({"on_hold", "queued", "needs_review"})


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
    head, payments, moves = await locked(tx, principal, refund_id)
    actor = Actor(principal.role.value)
    REFUND.require(head["state"], "approve", actor)
    held = [move for move in moves if move["state"] == "on_hold"]
    _require_second_person(head, held, principal, binding)
    now = ctx.clock()
    await _approved(tx, ctx, principal, head, binding, releases(held), now)
    of_payment = {payment.id: payment for payment in payments}
    jobs = [
        await _release(tx, move, of_payment.get(move["payment_id"]), actor, now) for move in held
    ]
    wanted = [job for job in jobs if job is not None]
    await follow_transfers(tx, ctx, refund_id, by, "approved", wanted)
    if any(move["store_credit_id"] is not None for move in held):
        await settle_credit(tx, ctx, refund_id, by)
    return await view_of(tx, refund_id)


def _require_second_person(
    head: Row, held: Sequence[Row], principal: Principal, binding: str
) -> None:
    """Something waits, another person asked for it, and it is what this one saw."""
    now_bound = held_binding(head, held)
    if now_bound is None:
        raise _nothing_waits(head["state"])
    if head["requested_by"] == principal.credential_id:
        raise OwnApproval("You asked for this refund; another person has to approve it.")
    if now_bound != binding:
        raise ApprovalChanged("The refund is another than the one you saw.", binding=now_bound)


async def _approved(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    head: Row,
    binding: str,
    released: list[dict[str, Any]],
    now: datetime,
) -> None:
    """Who said yes to what, for ever, and on the refund itself."""
    await approval_rows.add(
        tx,
        id=ctx.new_id(),
        refund_id=head["id"],
        requester_id=head["requested_by"],
        approver_id=principal.credential_id,
        amount_minor=head["amount_minor"],
        currency=head["currency"],
        binding=binding,
        releases=released,
        at=now,
    )
    await rows.set_approved(tx, head["id"], principal.credential_id, now)


async def _release(
    tx: Transaction, move: Row, payment: PaymentRecord | None, actor: Actor, now: datetime
) -> Job | None:
    """As if it started now: to the provider, to store credit, or to a person where there is no one
    to call."""
    credit = move["store_credit_id"]
    start, code = PlannedTransfer(payment, move["amount_minor"], credit).state, None
    if start != "queued":
        code = "no_provider_connection"
    elif credit is not None and _is_gone(payment):
        start, code = "needs_review", OVERDRAWN
    state = TRANSFER.step("on_hold", "release", actor, to=start)
    sent = state == "queued" and credit is None
    await transfer_changes.put_in_line(
        tx, move["id"], "on_hold", state, now if sent else None, now, code
    )
    return Job("send_transfer", move["id"]) if sent else None


def _is_gone(payment: PaymentRecord | None) -> bool:
    """Whether the money that a transfer draws on left meanwhile, by a chargeback or a refund made
    elsewhere: store credit for it would pay twice. A worker asks the same before it sends."""
    return payment is not None and payment.overdrawn > 0


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
        head, payments, moves = await locked(tx, principal, refund_id)
        actor = Actor(principal.role.value)
        REFUND.require(head["state"], "retry", actor)
        if not may_retry(head):
            raise _judged_by_goods(head["state"], actor)
        stuck = [move for move in moves if move["state"] == "needs_review"]
        jobs = await _take_up_all(tx, ctx, stuck, payments, actor)
        rest = missing(head["amount_minor"], [transfer_rows.record(move) for move in moves])
        planned = plan_cover(payments, rest, head["currency"])
        if not stuck and not planned:
            raise NothingLeftToRefund(
                "The payments have nothing left for this refund.", requested=rest, remaining=0
            )
        if head["given_up"]:
            await rows.give_up(tx, refund_id, ctx.clock(), given_up=False)
            await ledger.post(tx, refund_taken_up(stamp(ctx, by), refund_ref(head), rest))
        plan = await _route(tx, ctx, by, head, planned)
        jobs += await add_transfers(tx, ctx, head, plan.transfers, by)
        await emit(tx, plan.events)
        await follow_transfers(tx, ctx, refund_id, by, "retried", jobs)
        if plan.credits or any(move["store_credit_id"] is not None for move in stuck):
            await settle_credit(tx, ctx, refund_id, by)
        view = await view_of(tx, refund_id)
    ctx.wake()
    return view


async def _route(
    tx: Transaction, ctx: Context, by: By, head: Row, planned: Sequence[PlannedTransfer]
) -> Plan:
    """The way that the buyer chose for the return, or its recipient as a gift."""
    ret = None if head["return_id"] is None else await return_rows.one(tx, head["return_id"])
    gift = None if ret is None or ret.gift_receipt_id is None else ret.id
    way = "refund" if ret is None else ret.resolution
    return await destinations(tx, ctx, by, head["order_id"], head["currency"], planned, way, gift)


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


async def _take_up_all(
    tx: Transaction,
    ctx: Context,
    stuck: Sequence[Row],
    payments: Sequence[PaymentRecord],
    actor: Actor,
) -> list[Job]:
    """To the provider again; to store credit only where the money is there again."""
    of_payment, jobs = {payment.id: payment for payment in payments}, []
    for move in stuck:
        if move["store_credit_id"] is None:
            jobs.append(await _take_up(tx, ctx, move, actor))
        elif not _is_gone(of_payment.get(move["payment_id"])):
            state = TRANSFER.step(move["state"], "retry", actor, to="queued")
            await transfer_changes.put_in_line(
                tx, move["id"], move["state"], state, None, ctx.clock()
            )
    return jobs


async def _take_up(tx: Transaction, ctx: Context, move: Row, actor: Actor) -> Job:
    to = "queued" if move["first_sent_at"] is None else "unknown"
    state, now = TRANSFER.step(move["state"], "retry", actor, to=to), ctx.clock()
    await transfer_changes.adopt_provider(tx, move["id"])
    await transfer_changes.put_in_line(tx, move["id"], move["state"], state, now, now)
    return Job("send_transfer", move["id"])


async def cancel_refund(ctx: Context, principal: Principal, by: By, refund_id: UUID) -> RefundView:
    """Give up what was never sent and what did not arrive; reserved amounts are refundable again.

    Raises:
        NotFound.
        ActionNotAllowed: money may be on its way, or all of it arrived.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        head, _, moves = await locked(tx, principal, refund_id)
        actor, now = Actor(principal.role.value), ctx.clock()
        REFUND.require(head["state"], "cancel", actor)
        held = [move for move in moves if move["state"] in HOLDING]
        if any(m["state"] not in _UNSENT or m["first_sent_at"] is not None for m in held):
            raise _on_its_way(head["state"], actor)
        owed = await debt_of(tx, head)
        for move in held:
            transfer = transfer_rows.record(move)
            change = after_cancel(transfer, actor)
            await transfer_changes.apply_change(tx, transfer, change, now)
            await ledger.post(tx, moved_entry(ctx, head, owed, transfer, change, by))
        await _give_up(tx, ctx, head, by)
        await follow_transfers(tx, ctx, refund_id, by, "given_up")
        return await view_of(tx, refund_id)


async def _give_up(tx: Transaction, ctx: Context, head: Row, by: By) -> None:
    """Nobody is going to pay what is missing of a locked refund."""
    if head["given_up"]:
        return
    await rows.give_up(tx, head["id"], ctx.clock(), given_up=True)
    moves = await transfer_rows.lock_of_refund(tx, head["id"])
    rest = missing(head["amount_minor"], [transfer_rows.record(move) for move in moves])
    await ledger.post(tx, refund_given_up(stamp(ctx, by), await debt_of(tx, head), rest))


def _on_its_way(state: str, actor: Actor) -> ActionNotAllowed:
    allowed = [action for action in REFUND.allowed(state, actor) if action != "cancel"]
    return ActionNotAllowed(
        "Money may be on its way already: it has to come to an end first.",
        object="refund",
        state=state,
        action="cancel",
        allowed=allowed,
    )
