"""What follows when a transfer moves, inside the transaction of its caller.

Owns: moving a transfer by evidence; deriving the refund's state from its transfers; telling the
return. Lock order: payments, then the transfer, its refund and the return. Refuses to own what a
refund is to begin with (``_refunds``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from returns_api.db import refunds as rows
from returns_api.db import returns as return_rows
from returns_api.db import transfer_changes
from returns_api.db import transfers as transfer_rows
from returns_api.db.attempts import Ended
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain import ids
from returns_api.domain.credit_notes import AT_REST
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.ledger import (
    Entry,
    RefundRef,
    transfer_moved,
)
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.refunds import REFUND, is_settled, refund_state
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.refunds import (
    TransferChange,
    TransferRecord,
)
from returns_api.usecases._books import debt_of, stamp
from returns_api.usecases._refunds import refund_event
from returns_api.usecases.context import Context

UNSETTLED: Final = "unsettled"
"""``refund.unsettled``: its outcome has been unknown for over a quarter of an hour."""


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
    moves = await transfer_changes.apply_change(
        tx, transfer, change, now, provider_refund_id, ended
    )
    if not moves:
        return
    jobs = []
    if change.due_at is not None:
        wait = max(0.0, (change.due_at - now).total_seconds())
        jobs.append(Job("send_transfer", transfer.id, wait))
    entry = moved_entry(ctx, refund, await debt_of(tx, refund), transfer, change, by)
    told = (by, change.failure_code, change.unsettled)
    await _follow(tx, ctx, refund, moves, told, entry, jobs)


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
    await _follow(tx, ctx, refund, moves, (by, reason, False), None, jobs)


async def _follow(
    tx: Transaction,
    ctx: Context,
    refund: Mapping[str, Any] | Row,
    moves: Sequence[tuple[str, int]],
    told: tuple[By, str | None, bool],
    entry: Entry | None,
    jobs: Sequence[Job],
) -> None:
    """What the states of a locked refund's transfers make of it, with the entry of what moved.
    ``told``: by whom, why, and whether its outcome has been unknown for too long."""
    by, reason, unsettled = told
    types = _types(refund, moves, unsettled=unsettled)
    step = _step(refund, moves, len(types))
    events = [
        refund_event(
            ctx,
            dict(refund),
            type_=type_,
            sequence=refund["sequence"] + number,
            state=step.state,
            by=by,
            reason=reason,
        )
        for number, type_ in enumerate(types, 1)
    ]
    if refund["return_id"] is None:
        await rows.step(tx, refund, step, ctx.clock(), entry, events, jobs)
        return
    await rows.step(tx, refund, step, ctx.clock(), entry)
    events += await _follow_refund(tx, ctx, refund["return_id"])
    await emit(tx, events, jobs)


def _types(
    refund: Mapping[str, Any] | Row, moves: Sequence[tuple[str, int]], *, unsettled: bool
) -> list[str]:
    """What is told of a refund whose transfers moved: its new state, and that nobody knows yet."""
    state = _state(refund, moves)
    return [state] * (state != refund["state"]) + [UNSETTLED] * unsettled


def _state(refund: Mapping[str, Any] | Row, moves: Sequence[tuple[str, int]]) -> str:
    return refund_state(moves, refund["amount_minor"], given_up=refund["given_up"])


def _step(
    refund: Mapping[str, Any] | Row, moves: Sequence[tuple[str, int]], events: int
) -> rows.Step:
    """Where its transfers have brought a refund (pure). A number in its sequence is an event."""
    before, given_up = refund["state"], refund["given_up"]
    state = _state(refund, moves)
    if state != before:
        REFUND.step(before, "follow", Actor.SYSTEM, to=state)
    return rows.Step(
        state=state,
        sequence=refund["sequence"] + events,
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
        closing=action == "complete",
        closed_at=now if action == "complete" else None,
    )
    assert sequence is not None
    data = {"state": state, "refunded": arrived, "currency": head["currency"]}
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
            data={"return": ids.encode("ret", return_id), **data},
        )
    ]
