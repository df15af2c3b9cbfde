"""A payment provider's own evidence, from a webhook or a sweep, applied in the open transaction.

A refund that we know by its id there, or that carries the reference of a transfer which has no id
yet, moves that transfer; any other was made elsewhere and becomes an outside fact, recorded even
above what was captured. A webhook may come before the answer to our own call: the reference finds
the transfer all the same, so the echo is never counted as a second refund. A reference names one
refund only: what else carries it moved money a second time, or after we had given it up.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from returns_api.db import order_intake, reservations, transfer_changes
from returns_api.db import transfers as rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain import ids
from returns_api.domain.refunds import after_fact, can_be_named
from returns_api.ports.payments import ProviderDispute, ProviderRefund, RefundStatus
from returns_api.usecases._books import record_fact
from returns_api.usecases._moves import move_transfer
from returns_api.usecases._order_events import tell
from returns_api.usecases._waiting import NotYet, payment_key
from returns_api.usecases.context import Context

_GONE = frozenset({RefundStatus.FAILED, RefundStatus.CANCELED})


async def apply(
    tx: Transaction,
    ctx: Context,
    source: str,
    provider: str,
    account: str,
    fact: ProviderRefund | ProviderDispute,
) -> None:
    """Apply one fact; the same fact again, or an older one, changes nothing.

    Raises:
        NotYet: no payment of ours is behind it, as far as is known.
    """
    if isinstance(fact, ProviderDispute):
        await _dispute(tx, ctx, provider, account, fact)
        return
    ours = await _ours(tx, provider, account, fact)
    if ours is None:
        await _outside(tx, ctx, provider, account, fact)
    else:
        await _echo(tx, ctx, ours, fact)


async def _ours(tx: Transaction, provider: str, account: str, fact: ProviderRefund) -> Row | None:
    """Our transfer that the fact is about, locked; None for a refund that is not ours."""
    found = await rows.find_by_provider_id(tx, provider, account, fact.provider_refund_id)
    named = None if fact.reference is None else ids.decode("trf", fact.reference)
    if found is None and named is not None:
        payment = fact.provider_payment_id
        found = named if await rows.is_transfer_of(tx, named, provider, account, payment) else None
    row = None if found is None else await rows.lock(tx, found)
    return row if row is not None and _is_of(row, fact) else None


def _is_of(row: Row, fact: ProviderRefund) -> bool:
    """Whether the fact is about this locked transfer, and not about another refund that carries its
    reference. An id that is our own key was given by nobody: the transfer has none yet."""
    known = row["provider_refund_id"]
    if known in {None, row["provider_key"]}:
        return can_be_named(row["state"]) or known == fact.provider_refund_id
    return bool(known == fact.provider_refund_id)


async def _echo(tx: Transaction, ctx: Context, row: Row, fact: ProviderRefund) -> None:
    transfer = rows.record(row)
    if (fact.amount_minor, fact.currency) != (transfer.amount_minor, transfer.currency):
        # The provider moved another sum than ours: nothing here may call that a success.
        await transfer_changes.flag(tx, transfer.id, "amount_differs", ctx.clock())
        return
    change = after_fact(transfer, fact.status.value, ctx.clock(), fact.failure_code)
    if change is not None and change.state != transfer.state:
        await move_transfer(tx, ctx, row, change, provider_refund_id=fact.provider_refund_id)


async def _outside(
    tx: Transaction, ctx: Context, provider: str, account: str, fact: ProviderRefund
) -> None:
    payment = await _payment(tx, provider, account, fact.provider_payment_id)
    counted = fact.currency == payment["currency"]
    changed = await record_fact(
        tx,
        ctx,
        kind="refund",
        provider=provider,
        external_id=fact.provider_refund_id,
        order_id=payment["order_id"],
        payment_id=payment["id"],
        amount_minor=fact.amount_minor,
        currency=fact.currency,
        active=fact.status not in _GONE,
        counted=counted,
        at=fact.created_at or ctx.clock(),
        lines=[],
    )
    if changed:
        moved = {"amount": fact.amount_minor, "currency": fact.currency, "counted": counted}
        told = {"moved": [] if fact.status in _GONE else [moved], "lines": []}
        await _tell(tx, ctx, payment["order_id"], "refunded_elsewhere", told)


async def _dispute(
    tx: Transaction, ctx: Context, provider: str, account: str, fact: ProviderDispute
) -> None:
    payment = await _payment(tx, provider, account, fact.provider_payment_id)
    counted = fact.currency == payment["currency"]
    changed = await record_fact(
        tx,
        ctx,
        kind="dispute",
        provider=provider,
        external_id=fact.provider_dispute_id,
        order_id=payment["order_id"],
        payment_id=payment["id"],
        amount_minor=fact.amount_minor,
        currency=fact.currency,
        active=fact.open,
        counted=counted,
        at=ctx.clock(),
        lines=[],
    )
    if changed:
        told: dict[str, object] = {
            "amount": fact.amount_minor,
            "currency": fact.currency,
            "money_withdrawn": fact.open,
            "counted": counted,
        }
        await _tell(tx, ctx, payment["order_id"], "disputed", told)


async def _payment(tx: Transaction, provider: str, account: str, provider_payment_id: str) -> Row:
    """The payment that the provider names. It may be told of before the order is; and a provider
    account also serves payments that are none of this shop's orders, so waiting for one may end."""
    payment = await reservations.find_payment(tx, provider, account, provider_payment_id)
    if payment is None:
        raise NotYet(payment_key(provider, account, provider_payment_id), settles=True)
    return payment


async def _tell(
    tx: Transaction, ctx: Context, order_id: UUID, type_: str, data: Mapping[str, object]
) -> None:
    """One event for the order; ``exceeds_captured`` is the alarm of promise S9."""
    version = await order_intake.step(tx, order_id, ctx.clock())
    stored = await reservations.payments_of(tx, order_id)
    exceeds = any(payment.overdrawn for payment in stored)
    await tell(tx, ctx, order_id, version, type_, {**data, "exceeds_captured": exceeds})
