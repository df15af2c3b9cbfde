"""Refunds that a person asks for, and what a person can do with a refund that got stuck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from returns_api.db import refunds as rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import (
    ActionNotAllowed,
    DuplicateReference,
    NotFound,
    NothingLeftToRefund,
    RefundableChanged,
)
from returns_api.domain.events import By
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.refunds import TRANSFER
from returns_api.domain.refunds import TransferChange, plan_refund
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases._refunds import (
    NewRefund,
    follow_transfers,
    move_transfer,
    reserve_and_store,
)
from returns_api.usecases.context import Context


@dataclass(frozen=True, slots=True)
class RefundView:
    """A refund and its movements of money."""

    refund: Row
    transfers: Sequence[Row]


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
) -> RefundView:
    """Reserve and record a refund; a worker sends it. ``amount_minor`` None means all that is left,
    computed under the lock.

    Raises:
        NotFound: no such order.
        DuplicateReference: the reference made a refund before, whatever became of it.
        RefundableChanged: something else is refundable than the caller believes; nothing is done.
        NothingLeftToRefund: more than is left.
    """
    payments = await rows.lock_payments(tx, order_id)
    if not payments and not await rows.order_exists(tx, order_id):
        raise NotFound(NO_SUCH_THING)
    if client_reference is not None:
        await _require_new(tx, client_reference)
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
    plan = plan_refund(payments, amount)
    new = NewRefund(
        order_id=order_id,
        kind=kind,
        currency=payments[0].currency,
        transfers=plan,
        parts=[{"kind": kind, "amount": amount}],
        client_reference=client_reference,
        reason=reason,
    )
    written = await reserve_and_store(tx, ctx, new, by)
    await emit(tx, written.events, written.jobs)
    return await _view(tx, written.id)


async def _require_new(tx: Transaction, reference: str) -> None:
    before = await rows.by_reference(tx, reference)
    if before is not None:
        raise DuplicateReference(
            "This client_reference was used before; a reference makes one refund, for ever.",
            refund=ids.encode("ref", before),
        )


async def get_refund(ctx: Context, principal: Principal, refund_id: UUID) -> RefundView:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        view = await _view(tx, refund_id)
    if not principal.sees_order(view.refund["order_id"]):
        raise NotFound(NO_SUCH_THING)
    return view


async def list_refunds(ctx: Context, principal: Principal, **filters: Any) -> list[RefundView]:
    """Newest first; ``before``, ``limit``, ``order_id``, ``return_id``, ``state``."""
    if principal.order_id is not None:
        filters["order_id"] = principal.order_id
    async with ctx.database.transaction(principal.shop) as tx:
        heads = await rows.page(tx, **filters)
        moves = await rows.transfers_of(tx, [head["id"] for head in heads]) if heads else []
    return [
        RefundView(head, [move for move in moves if move["refund_id"] == head["id"]])
        for head in heads
    ]


async def retry_refund(ctx: Context, principal: Principal, by: By, refund_id: UUID) -> RefundView:
    """Take the transfers that wait for a person up again: looked up first if ever sent.

    Raises:
        NotFound, ActionNotAllowed.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        view = await _locked(tx, principal, refund_id)
        stuck = [move for move in view.transfers if move["state"] == "needs_review"]
        if not stuck:
            raise _refused(view, "retry", principal)
        now = ctx.clock()
        for move in stuck:
            to = "queued" if move["first_sent_at"] is None else "unknown"
            state = TRANSFER.step(move["state"], "retry", Actor(principal.role.value), to=to)
            await rows.put_in_line(tx, move["id"], move["state"], state, now, now)
        events = await follow_transfers(tx, ctx, refund_id, by, "retried")
        await emit(tx, events, [Job("send_transfer", move["id"]) for move in stuck])
        view = await _view(tx, refund_id)
    ctx.wake()
    return view


async def cancel_refund(ctx: Context, principal: Principal, by: By, refund_id: UUID) -> RefundView:
    """Give up what was never sent; the reserved amounts become refundable again.

    Raises:
        NotFound.
        ActionNotAllowed: money may have moved already.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        view = await _locked(tx, principal, refund_id)
        waiting = [
            move
            for move in view.transfers
            if move["state"] in {"queued", "needs_review"} and move["first_sent_at"] is None
        ]
        if not waiting or len(waiting) < len(view.transfers):
            raise _refused(view, "cancel", principal)
        for move in waiting:
            state = TRANSFER.step(move["state"], "cancel", Actor(principal.role.value))
            transfer = rows.record(move)
            change = TransferChange(state, None, transfer.lookups, -transfer.amount_minor, 0)
            events, _ = await move_transfer(tx, ctx, transfer, change, by=by)
            await emit(tx, events)
        return await _view(tx, refund_id)


async def _locked(tx: Transaction, principal: Principal, refund_id: UUID) -> RefundView:
    """Payments first, then read: nobody moves these transfers while we decide."""
    head = await rows.one(tx, refund_id)
    if head is None or not principal.sees_order(head["order_id"]):
        raise NotFound(NO_SUCH_THING)
    await rows.lock_payments(tx, head["order_id"])
    return await _view(tx, refund_id)


def _refused(view: RefundView, action: str, principal: Principal) -> ActionNotAllowed:
    actor = Actor(principal.role.value)
    allowed = {a for move in view.transfers for a in TRANSFER.allowed(move["state"], actor)}
    return ActionNotAllowed(
        f"'{action}' is not possible while the refund is '{view.refund['state']}'.",
        object="refund",
        state=view.refund["state"],
        action=action,
        allowed=sorted(allowed - {action}),
    )


async def _view(tx: Transaction, refund_id: UUID) -> RefundView:
    head = await rows.one(tx, refund_id)
    if head is None:
        raise NotFound(NO_SUCH_THING)
    return RefundView(head, await rows.transfers_of(tx, [refund_id]))
