"""Steps that every money path shares, inside the transaction of its caller.

Owns: reserving and storing a refund with its transfers; moving a transfer by evidence; deriving the
refund's state and telling the return. Lock order: payments, then the return, then refund rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.db import ledger, reservations
from returns_api.db import refunds as rows
from returns_api.db import returns as return_rows
from returns_api.db import transfers as transfer_rows
from returns_api.db.attempts import Ended
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain import ids
from returns_api.domain.credit_notes import AT_REST
from returns_api.domain.errors import NothingLeftToRefund
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.ledger import (
    Entry,
    RefundRef,
    refund_requested,
    transfer_moved,
    transfers_added,
)
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.refunds import REFUND, is_settled, refund_state
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.refunds import (
    STORE_CREDIT,
    PlannedTransfer,
    TransferChange,
    TransferRecord,
)
from returns_api.usecases._books import debt_of, refund_ref, stamp
from returns_api.usecases.context import Context


@dataclass(frozen=True, slots=True)
class NewRefund:
    """What is to be paid back and why; the transfers say along which payments.

    They may cover less than ``amount_minor``: the rest stays due.
    """

    order_id: UUID
    kind: str
    amount_minor: int
    currency: str
    transfers: Sequence[PlannedTransfer]
    parts: Sequence[Mapping[str, Any]]
    return_id: UUID | None = None
    client_reference: str | None = None
    reason: str | None = None
    due_by: datetime | None = None
    hold_reason: str | None = None
    """Set when a second person has to approve it: its transfers wait until then."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the caller has to announce and enqueue in the same transaction."""

    id: UUID
    state: str
    events: tuple[Event, ...]
    jobs: tuple[Job, ...]


async def reserve_and_store(tx: Transaction, ctx: Context, new: NewRefund, by: By) -> Written:
    """Reserve each transfer's amount on its payment and store the refund.

    The payments must be locked. The guard stands in the statement and again in the database, so a
    plan made from stale numbers is refused here and nothing is written.

    Raises:
        NothingLeftToRefund: a payment has less left than the plan takes.
    """
    now, refund_id = ctx.clock(), ctx.new_id()
    held = new.hold_reason is not None
    moves = await _reserved(
        tx, ctx, refund_id, new.order_id, new.currency, new.transfers, held=held
    )
    state = refund_state([(m["state"], m["amount_minor"]) for m in moves], new.amount_minor)
    refund = {
        "id": refund_id,
        "order_id": new.order_id,
        "return_id": new.return_id,
        "kind": new.kind,
        "amount_minor": new.amount_minor,
        "currency": new.currency,
        "state": state,
        "client_reference": new.client_reference,
        "reason": new.reason,
        "parts": list(new.parts),
        "requested_by": by.credential_id,
        "hold_reason": new.hold_reason,
        "due_by": new.due_by,
        "created_at": now,
        "updated_at": now,
    }
    await rows.add(tx, refund)
    await transfer_rows.add(tx, moves)
    entry = refund_requested(stamp(ctx, by), refund_ref(refund), new.parts, _along(moves))
    await ledger.post(tx, entry)
    event = refund_event(ctx, refund, type_="requested", sequence=1, state=state, by=by)
    return Written(refund_id, state, (event,), _sending(moves))


async def add_transfers(
    tx: Transaction,
    ctx: Context,
    refund: Row,
    planned: Sequence[PlannedTransfer],
    by: By,
) -> tuple[Job, ...]:
    """Reserve and store further transfers of a refund, for what did not arrive.

    Where a second person had to approve the refund, they wait for one again: its approval was for
    other transfers. The payments must be locked. Raises ``NothingLeftToRefund`` like
    ``reserve_and_store``.
    """
    held = refund["hold_reason"] is not None
    moves = await _reserved(
        tx, ctx, refund["id"], refund["order_id"], refund["currency"], planned, held=held
    )
    await transfer_rows.add(tx, moves)
    await ledger.post(tx, transfers_added(stamp(ctx, by), refund_ref(refund), _along(moves)))
    return _sending(moves)


async def _reserved(
    tx: Transaction,
    ctx: Context,
    refund_id: UUID,
    order_id: UUID,
    currency: str,
    planned: Sequence[PlannedTransfer],
    *,
    held: bool,
) -> list[dict[str, Any]]:
    """The rows of new transfers, their amounts reserved."""
    wanted = {move.payment.id: move.amount_minor for move in planned if move.payment is not None}
    if not await reservations.reserve(tx, wanted):
        raise NothingLeftToRefund("The payments have less left than this refund needs.")
    now = ctx.clock()
    return [
        _transfer_row(ctx.new_id(), refund_id, order_id, currency, move, now, held=held)
        for move in planned
    ]


def _along(moves: Sequence[Mapping[str, Any]]) -> list[tuple[UUID, int]]:
    """Payment and amount of each transfer that draws on one."""
    drawing = [move for move in moves if move["payment_id"] is not None]
    return [(move["payment_id"], move["amount_minor"]) for move in drawing]


def _sending(moves: Sequence[Mapping[str, Any]]) -> tuple[Job, ...]:
    return tuple(Job("send_transfer", move["id"]) for move in moves if move["due_at"] is not None)


def _transfer_row(
    transfer_id: UUID,
    refund_id: UUID,
    order_id: UUID,
    currency: str,
    move: PlannedTransfer,
    now: datetime,
    *,
    held: bool,
) -> dict[str, Any]:
    """Store credit has no provider to be called: whoever made the plan carries it out, too."""
    payment, state = move.payment, "on_hold" if held else move.state
    ours = move.store_credit is not None
    return {
        "id": transfer_id,
        "refund_id": refund_id,
        "order_id": order_id,
        "payment_id": payment and payment.id,
        "store_credit_id": move.store_credit,
        "amount_minor": move.amount_minor,
        "currency": currency,
        "state": state,
        "provider": STORE_CREDIT if payment is None or ours else payment.provider,
        "account": STORE_CREDIT if payment is None or ours else payment.account,
        "provider_key": ids.encode("trf", transfer_id),
        "due_at": now if state == "queued" and not ours else None,
        "failure_code": "no_provider_connection" if state == "needs_review" else None,
        "created_at": now,
        "updated_at": now,
    }


async def move_transfer(
    tx: Transaction,
    ctx: Context,
    held: Row,
    change: TransferChange,
    *,
    provider_refund_id: str | None = None,
    ended: Ended | None = None,
    by: By = SYSTEM,
) -> None:
    """Apply a planned change to a transfer (``held``: by ``transfers.lock``) and everything that
    follows from it, told and enqueued; ``ended`` closes the try that led to it.

    Does nothing when the transfer moved meanwhile: a late worker or an old message changes no row.
    """
    now, transfer, refund = ctx.clock(), transfer_rows.record(held), transfer_rows.refund_of(held)
    moves = await transfer_rows.apply_change(tx, transfer, change, now, provider_refund_id, ended)
    if not moves:
        return
    jobs = []
    if change.due_at is not None:
        wait = max(0.0, (change.due_at - now).total_seconds())
        jobs.append(Job("send_transfer", transfer.id, wait))
    entry = moved_entry(ctx, refund, await debt_of(tx, refund), transfer, change, by)
    await _follow(tx, ctx, refund, moves, by, change.failure_code, entry, jobs)


def moved_entry(
    ctx: Context,
    refund: Mapping[str, Any] | Row,
    owed: RefundRef,
    transfer: TransferRecord,
    change: TransferChange,
    by: By,
) -> Entry | None:
    """The entry of a change, if it moves the payment's counters; a present draws on none. ``owed``
    is the refund by ``debt_of``."""
    if transfer.payment_id is None:
        return None
    return transfer_moved(
        stamp(ctx, by),
        owed,
        (transfer.id, transfer.payment_id),
        change.reserved_delta,
        change.refunded_delta,
        given_up=refund["given_up"],
    )


async def follow_transfers(
    tx: Transaction,
    ctx: Context,
    refund_id: UUID,
    by: By,
    reason: str | None = None,
    jobs: Sequence[Job] = (),
) -> None:
    """Derive the refund's state from its transfers, and what it means for its return: one event
    for each that changed, told with the caller's jobs."""
    refund = await rows.lock(tx, refund_id)
    moves = await transfer_rows.states(tx, refund_id)
    await _follow(tx, ctx, refund, moves, by, reason, None, jobs)


async def _follow(
    tx: Transaction,
    ctx: Context,
    refund: Mapping[str, Any] | Row,
    moves: Sequence[tuple[str, int]],
    by: By,
    reason: str | None,
    entry: Entry | None,
    jobs: Sequence[Job],
) -> None:
    """What the states of a locked refund's transfers make of it, with the entry of what moved."""
    step, events = _step(refund, moves), []
    if step.state != refund["state"]:
        event = refund_event(
            ctx,
            dict(refund),
            type_=step.state,
            sequence=step.sequence,
            state=step.state,
            by=by,
            reason=reason,
        )
        events.append(event)
    if refund["return_id"] is None:
        await rows.step(tx, refund, step, ctx.clock(), entry, events, jobs)
        return
    await rows.step(tx, refund, step, ctx.clock(), entry)
    events += await _follow_refund(tx, ctx, refund["return_id"])
    await emit(tx, events, jobs)


def _step(refund: Mapping[str, Any] | Row, moves: Sequence[tuple[str, int]]) -> rows.Step:
    """Where its transfers have brought a refund (pure). A number in its sequence is an event."""
    before, given_up = refund["state"], refund["given_up"]
    state = refund_state(moves, refund["amount_minor"], given_up=given_up)
    if state != before:
        REFUND.step(before, "follow", Actor.SYSTEM, to=state)
    return rows.Step(
        state=state,
        sequence=refund["sequence"] + (state != before),
        arrived_minor=sum(amount for transfer, amount in moves if transfer == "succeeded"),
        at_rest=state in AT_REST,
        settled=is_settled(state, given_up=given_up),
    )


async def _follow_refund(tx: Transaction, ctx: Context, return_id: UUID) -> list[Event]:
    """The return is complete when all its money arrived or finance gave up the rest, and open
    again when some went back."""
    head = await return_rows.lock(tx, return_id)
    assert head is not None
    arrived, all_done = await rows.return_totals(tx, return_id)
    action = {("refunding", True): "complete", ("completed", False): "reopen"}.get(
        (head["state"], all_done)
    )
    now = ctx.clock()
    if action is None:
        if arrived != head["refunded_minor"]:
            await return_rows.set_refunded(tx, return_id, arrived, now)
        return []
    state = RETURN.step(head["state"], action, Actor.SYSTEM)
    sequence = await return_rows.move(
        tx,
        return_id,
        head["sequence"],
        now,
        state=state,
        refunded_minor=arrived,
        ending="refund",
        closed_at=now if action == "complete" else None,
    )
    assert sequence is not None
    return [
        Event(
            id=ctx.new_id(),
            type="return.completed" if action == "complete" else "return.reopened",
            resource_type="return",
            resource_id=return_id,
            sequence=sequence,
            at=now,
            by=SYSTEM,
            order_id=head["order_id"],
            return_id=return_id,
            data={
                "return": ids.encode("ret", return_id),
                "state": state,
                "refunded": arrived,
                "currency": head["currency"],
            },
        )
    ]


def refund_event(
    ctx: Context,
    refund: Mapping[str, Any],
    *,
    type_: str,
    sequence: int,
    state: str,
    by: By,
    reason: str | None = None,
    **more: Any,
) -> Event:
    """What happened to a refund; ``more`` goes into its data."""
    return_id = refund["return_id"]
    return Event(
        id=ctx.new_id(),
        type=f"refund.{type_}",
        resource_type="refund",
        resource_id=refund["id"],
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        order_id=refund["order_id"],
        return_id=return_id,
        reason=reason,
        data={
            "refund": ids.encode("ref", refund["id"]),
            "order": ids.encode("ord", refund["order_id"]),
            "return": None if return_id is None else ids.encode("ret", return_id),
            "state": state,
            "amount": refund["amount_minor"],
            "currency": refund["currency"],
            **more,
        },
    )
