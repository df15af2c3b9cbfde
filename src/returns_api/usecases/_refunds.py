"""Steps that every money path shares, inside the transaction of its caller.

Owns: reserving and storing a refund with its transfers. Refuses to own what follows when one moves
(``_moves``). The payments must be locked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.db import ledger, reservations
from returns_api.db import refunds as rows
from returns_api.db import transfers as transfer_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job
from returns_api.domain import ids
from returns_api.domain.errors import NothingLeftToRefund
from returns_api.domain.events import By, Event
from returns_api.domain.ledger import (
    refund_requested,
    transfers_added,
)
from returns_api.domain.lifecycle.refunds import refund_state
from returns_api.domain.refunds import (
    STORE_CREDIT,
    PlannedTransfer,
)
from returns_api.usecases._books import refund_ref, stamp
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
    wanted: Counter[UUID] = Counter()
    for move in planned:
        if move.payment is not None:  # of one payment, some may go back and some become credit
            wanted[move.payment.id] += move.amount_minor
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
