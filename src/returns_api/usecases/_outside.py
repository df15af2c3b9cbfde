"""What happened in the platform's own dashboard: refunds, disputes, returns.

Always recorded, even above what was captured. **Counted** against a payment only where nobody tells
it twice: a payment behind a connected provider hears of the same refund by the provider's own
webhook, so what the platform says of it is kept but does not count, unless that provider declares
that it tells no such thing. Units that a refund took back count in any case, since only the
platform knows lines. A movement that carries one of our own transfers' provider ids is our echo and
is left out altogether.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from returns_api.db import order_counts, order_intake, outside_facts, payments, transfers
from returns_api.db.engine import Row, Transaction
from returns_api.domain.orders import (
    DisputeSeen,
    OutsideRefundMoney,
    OutsideRefundSeen,
    PlatformReturnSeen,
)
from returns_api.usecases import _outside_lines
from returns_api.usecases._books import record_fact
from returns_api.usecases._order_events import tell
from returns_api.usecases._waiting import NotYet, order_key, payments_key
from returns_api.usecases.context import Context

MONEY_GONE: Final = frozenset({"lost", "accepted"})
"""Ends of a dispute after which the money stays with the buyer, however closed the case is."""


async def see_refund(tx: Transaction, ctx: Context, source: str, seen: OutsideRefundSeen) -> None:
    """A refund made elsewhere.

    Raises:
        NotYet: the order is not known yet, or (after recording it) a payment that it names is not.
    """
    _, head = await order_intake.begin(tx, source, seen.order_external_id)
    if head is None:
        raise NotYet(order_key(source, seen.order_external_id))
    stored = await payments.of_order(tx, head.id)
    moves = [(money, *_paid_by(stored, money)) for money in seen.money]
    foreign = [move for move in moves if not await _is_ours(tx, move[0], move[1])]
    if seen.money and not foreign:
        return
    changed = [await _record_move(tx, ctx, source, head.id, seen, *move) for move in foreign]
    changed.append(await _record_units(tx, ctx, source, head, seen))
    if any(changed):
        await order_counts.count_outside(tx, head.id)
        version = await order_intake.step(tx, head.id, ctx.clock())
        data = {
            "moved": [
                {
                    "amount": money.amount_minor,
                    "currency": money.currency,
                    "counted": _counts(ctx, "refund", p),
                }
                for money, p, _ in foreign
                if money.succeeded
            ],
            "lines": _outside_lines.told(seen),
            "exceeds_captured": await _exceeded(tx, head.id),
        }
        await tell(tx, ctx, head.id, version, "refunded_elsewhere", data)
    if any(payment is None or _missed(money, payment) for money, payment, _ in foreign):
        raise NotYet(payments_key(source, seen.order_external_id), settles=True)


async def see_dispute(tx: Transaction, ctx: Context, source: str, seen: DisputeSeen) -> None:
    """A chargeback or inquiry that the platform tells.

    Raises:
        NotYet: the order is not known yet, or (after recording it) none of its payments is.
    """
    if seen.order_external_id is None:
        await _record_dispute(tx, ctx, source, None, seen, None)
        return
    _, head = await order_intake.begin(tx, source, seen.order_external_id)
    if head is None:
        raise NotYet(order_key(source, seen.order_external_id))
    stored = await payments.of_order(tx, head.id)
    payment = _guess("dispute", stored, seen.currency)
    if await _record_dispute(tx, ctx, source, head.id, seen, payment):
        version = await order_intake.step(tx, head.id, ctx.clock())
        data = {
            "amount": seen.amount_minor,
            "currency": seen.currency,
            "status": seen.status,
            "money_withdrawn": _withdrawn(seen),
            "counted": _counts(ctx, "dispute", payment),
            "exceeds_captured": await _exceeded(tx, head.id),
        }
        await tell(tx, ctx, head.id, version, "disputed", data)
    if not stored:
        raise NotYet(payments_key(source, seen.order_external_id), settles=True)


async def guess_again(tx: Transaction, ctx: Context, order_id: UUID) -> None:
    """Choose the payments of unnamed facts anew, now that the order's payments changed.

    So the choice depends on what is known, not on when it came.
    """
    facts = await outside_facts.guesses(tx, order_id)
    stored = await payments.of_order(tx, order_id) if facts else []
    for fact in facts:
        payment = _guess(fact["kind"], stored, fact["currency"])
        if payment is not None and payment["id"] != fact["payment_id"]:
            names = ("kind", "provider", "external_id", "order_id", "amount_minor", "currency")
            more = ("active", "at", "lines")
            await record_fact(
                tx,
                ctx,
                payment_id=payment["id"],
                counted=_counts(ctx, fact["kind"], payment),
                guessed=True,
                **{name: fact[name] for name in (*names, *more)},
            )


async def see_platform_return(
    tx: Transaction, ctx: Context, source: str, seen: PlatformReturnSeen
) -> None:
    """A return of the platform's own: told on, nothing else follows from it.

    Raises:
        NotYet: the order is not known yet.
    """
    if seen.order_external_id is None:
        return
    _, head = await order_intake.begin(tx, source, seen.order_external_id, money=False)
    if head is None:
        raise NotYet(order_key(source, seen.order_external_id), settles=True)
    version = await order_intake.step(tx, head.id, ctx.clock())
    data = {"platform_return": seen.external_id, "status": seen.status}
    await tell(tx, ctx, head.id, version, "returned_elsewhere", data)


async def _record_move(
    tx: Transaction,
    ctx: Context,
    source: str,
    order_id: UUID,
    seen: OutsideRefundSeen,
    money: OutsideRefundMoney,
    payment: Row | None,
    guessed: bool,
) -> bool:
    return await record_fact(
        tx,
        ctx,
        kind="refund",
        provider=_teller(source),
        external_id=f"{seen.external_id}/{money.external_id}",
        order_id=order_id,
        payment_id=None if payment is None else payment["id"],
        amount_minor=max(money.amount_minor, 0),
        currency=money.currency,
        active=money.succeeded,
        counted=_counts(ctx, "refund", payment),
        guessed=guessed,
        at=seen.at,
        lines=[],
    )


async def _record_units(
    tx: Transaction,
    ctx: Context,
    source: str,
    head: order_intake.OrderHead,
    seen: OutsideRefundSeen,
) -> bool:
    """The refund itself, without money: it holds the units, whatever number of movements it has."""
    return await record_fact(
        tx,
        ctx,
        kind="refund",
        provider=_teller(source),
        external_id=seen.external_id,
        order_id=head.id,
        payment_id=None,
        amount_minor=0,
        currency=head.currency,
        active=True,
        counted=False,
        at=seen.at,
        lines=_outside_lines.kept(seen),
    )


async def _record_dispute(
    tx: Transaction,
    ctx: Context,
    source: str,
    order_id: UUID | None,
    seen: DisputeSeen,
    payment: Row | None,
) -> bool:
    return await record_fact(
        tx,
        ctx,
        kind="dispute",
        provider=_teller(source),
        external_id=seen.external_id,
        order_id=order_id,
        payment_id=None if payment is None else payment["id"],
        amount_minor=max(seen.amount_minor, 0),
        currency=seen.currency,
        active=_withdrawn(seen),
        counted=_counts(ctx, "dispute", payment),
        guessed=True,
        at=seen.at,
        lines=[],
    )


def _teller(source: str) -> str:
    """No payment provider has a colon in its name."""
    return f"shop:{source}"


def _withdrawn(seen: DisputeSeen) -> bool:
    return seen.open or seen.status in MONEY_GONE


def _counts(ctx: Context, kind: str, payment: Row | None) -> bool:
    """Whether the platform's word is the only one: nobody else tells such things of the payment."""
    provider = None if payment is None else ctx.payments.get(payment["provider"])
    if payment is None or provider is None:
        return payment is not None and payment["provider"] == "shop"
    return kind not in provider.capabilities.tells


def _paid_by(stored: Sequence[Row], money: OutsideRefundMoney) -> tuple[Row | None, bool]:
    """The payment that the movement names, or our guess; the second value says which."""
    name = money.payment_external_id
    if name is not None:
        for payment in stored:
            if payment["currency"] == money.currency and _same_id(payment["external_id"], name):
                return payment, False
    return _guess("refund", stored, money.currency), True


def _missed(money: OutsideRefundMoney, payment: Row) -> bool:
    """Whether the movement names another payment than the one that was guessed."""
    name = money.payment_external_id
    return name is not None and not _same_id(payment["external_id"], name)


def _same_id(ours: str, told: str) -> bool:
    """Equal, or equal once rounded to what a JSON number of a careless sender can hold."""
    if ours == told:
        return True
    numbers = ours.isdecimal() and told.isdecimal() and max(len(ours), len(told)) <= 20
    return numbers and int(ours) > 2**53 and float(ours) == float(told)


def _guess(kind: str, stored: Sequence[Row], currency: str) -> Row | None:
    """The largest payment in the currency. For a dispute a connected one comes first: it is mostly
    about a card, and the card's provider tells of it by itself."""
    same = [payment for payment in stored if payment["currency"] == currency]
    connected = [payment for payment in same if payment["provider"] != "shop"]
    return _largest(connected if kind == "dispute" and connected else same)


def _largest(found: Sequence[Row]) -> Row | None:
    return max(found, key=lambda p: (p["captured"], p["external_id"]), default=None)


async def _is_ours(tx: Transaction, money: OutsideRefundMoney, payment: Row | None) -> bool:
    if payment is None or payment["provider"] == "shop":
        return False
    # A platform that is the provider, too, names a refund by the movement itself.
    for name in (money.provider_refund_id, money.external_id):
        behind = payment["provider"], payment["account"]
        if name is not None and await transfers.find_by_provider_id(tx, *behind, name) is not None:
            return True
    return False


async def _exceeded(tx: Transaction, order_id: UUID) -> bool:
    """Whether more than was captured is gone or on its way: nothing is left, somebody must look."""
    used = ("reserved", "refunded", "external", "disputed", "exchanged")
    return any(
        sum(payment[name] for name in used) > payment["captured"]
        for payment in await payments.of_order(tx, order_id)
    )
