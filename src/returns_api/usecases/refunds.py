"""Refunds that a person asks for, and how they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from returns_api.db import refunds as rows
from returns_api.db import reservations
from returns_api.db import transfers as transfer_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import (
    DuplicateReference,
    NotFound,
    NothingLeftToRefund,
    RefundableChanged,
)
from returns_api.domain.events import By
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.refunds import DUE_WITHIN, STORE_CREDIT, plan_refund
from returns_api.usecases._approvals import hold_for_person
from returns_api.usecases._crediting import (
    Plan,
    destinations,
    plan_credit,
    require_credit_fits,
    settle_credit,
)
from returns_api.usecases._loading import NO_SUCH_THING, visible_return
from returns_api.usecases._references import counted_once
from returns_api.usecases._refund_views import RefundView, view_of
from returns_api.usecases._refunds import NewRefund, reserve_and_store
from returns_api.usecases.context import Context

_USED_BEFORE: Final = (
    "This client_reference was used before; a reference makes one refund, for ever."
)
PAYMENTS: Final = "payments"
"""Where a refund goes unless somebody says otherwise: back the way the money came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWish:
    """A refund that somebody asks for.

    ``to`` store credit pays at once. What is owed goes there only if the buyer agreed (Directive
    2011/83/EU, article 13(1)) and draws on the payments like any refund; a present does not.
    """

    kind: str
    amount_minor: int | None
    """Minor units; None means all that is left, computed under the lock."""
    expected_refundable: int | None = None
    """What the caller believes is left, in minor units; None where it does not say."""
    client_reference: str | None = None
    reason: str | None = None
    to: str = PAYMENTS
    buyer_agreed: bool = False


async def create_refund(
    tx: Transaction, ctx: Context, by: By, order_id: UUID, wish: RefundWish
) -> RefundView:
    """Reserve and record a refund; a worker sends it, once a second person approved it where the
    caller may not pay so much alone. No unit of an order line is used up by it.

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
    if wish.client_reference is not None:
        await _require_new(tx, wish.client_reference)
    amount = _amount_of(payments, wish)
    plan = await _plan(tx, ctx, by, order_id, payments, amount, wish)
    currency = payments[0].currency
    agreed = {"because": {"buyer_agreed": True}} if wish.buyer_agreed else {}
    new = NewRefund(
        order_id=order_id,
        kind=wish.kind,
        amount_minor=amount,
        currency=currency,
        transfers=plan.transfers,
        parts=[{"kind": wish.kind, "amount": amount, **agreed}],
        client_reference=wish.client_reference,
        reason=wish.reason,
        due_by=ctx.clock() + DUE_WITHIN,
        hold_reason=await hold_for_person(tx, ctx, by, order_id, amount, currency),
    )
    with counted_once("uq_refunds_shop_id_client_reference", _USED_BEFORE):
        written = await reserve_and_store(tx, ctx, new, by)
    await emit(tx, [*plan.events, *written.events], written.jobs)
    if plan.credits:
        await settle_credit(tx, ctx, written.id, by)
    return await view_of(tx, written.id)


async def _plan(
    tx: Transaction,
    ctx: Context,
    by: By,
    order_id: UUID,
    payments: Sequence[PaymentRecord],
    amount: int,
    wish: RefundWish,
) -> Plan:
    """Which way the money goes."""
    if wish.to == STORE_CREDIT:
        require_credit_fits(wish.kind, wish.amount_minor, agreed=wish.buyer_agreed)
        return await plan_credit(tx, ctx, by, order_id, payments, amount, wish.kind)
    planned = plan_refund(payments, amount)
    return await destinations(tx, ctx, by, order_id, payments[0].currency, planned)


def _amount_of(payments: Sequence[PaymentRecord], wish: RefundWish) -> int:
    """What was asked for, or all that is left; checked against what the caller believes is left."""
    left = sum(payment.refundable for payment in payments)
    if wish.expected_refundable is not None and wish.expected_refundable != left:
        raise RefundableChanged(
            f"{left} is refundable now, not {wish.expected_refundable} (minor units).",
            refundable=left,
            expected=wish.expected_refundable,
        )
    amount = left if wish.amount_minor is None else wish.amount_minor
    if amount == 0 and payments:
        raise NothingLeftToRefund("Nothing is left to refund.", requested=0, remaining=0)
    return amount


async def _require_new(tx: Transaction, reference: str) -> None:
    before = await rows.by_reference(tx, reference)
    if before is not None:
        raise DuplicateReference(_USED_BEFORE, refund=ids.encode("ref", before))


async def get_refund(ctx: Context, principal: Principal, refund_id: UUID) -> RefundView:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        view = await view_of(tx, refund_id)
        if not principal.sees_order(view.refund["order_id"]):
            raise NotFound(NO_SUCH_THING)
        if principal.order_id is not None and view.refund["return_id"] is not None:
            await visible_return(tx, principal, view.refund["return_id"], lock=False)
    return view


async def list_refunds(ctx: Context, principal: Principal, **filters: Any) -> list[RefundView]:
    """Newest first; ``before``, ``limit``, ``order_id``, ``return_id``, ``state``, ``overdue``."""
    if principal.order_id is not None:
        filters["order_id"] = principal.order_id
    async with ctx.database.transaction(principal.shop) as tx:
        heads = await rows.page(tx, gifts=principal.order_id is None, **filters)
        moves = await transfer_rows.of_refunds(tx, [head["id"] for head in heads]) if heads else []
    return [
        RefundView(head, [move for move in moves if move["refund_id"] == head["id"]])
        for head in heads
    ]
