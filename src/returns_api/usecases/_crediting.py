"""Refunds that end as store credit: which transfers do, and carrying them out at once.

There is no provider to ask, so the evidence is our own: transfer, lot, balance and books change in
one transaction, and the refund follows its transfers as always. A transfer is credited once: its
state moves by compare-and-set, and a movement's transfer is unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from returns_api.db import refunds as refund_rows
from returns_api.db import store_credits as rows
from returns_api.db import transfer_changes
from returns_api.db import transfers as transfer_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import emit
from returns_api.domain.errors import DoesNotFit
from returns_api.domain.events import By, Event
from returns_api.domain.ledger import credit_moved, transfer_credited
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.refunds import (
    STORE_CREDIT,
    PlannedTransfer,
    after_fact,
    plan_refund,
    require_one_currency,
)
from returns_api.domain.store_credits import bonus
from returns_api.usecases._books import refund_ref, stamp
from returns_api.usecases._moves import follow_transfers
from returns_api.usecases._store_credits import Terms, account_of, issue, terms
from returns_api.usecases.context import Context


@dataclass(frozen=True, slots=True)
class Plan:
    """Transfers with their destinations, and what was opened for them."""

    transfers: tuple[PlannedTransfer, ...]
    events: tuple[Event, ...] = ()

    @property
    def credits(self) -> bool:
        """Whether ``settle_credit`` has something to do once they are stored."""
        return any(move.store_credit is not None for move in self.transfers)


async def destinations(
    tx: Transaction,
    ctx: Context,
    by: By,
    order_id: UUID,
    currency: str,
    planned: Sequence[PlannedTransfer],
    resolution: str = "refund",
    gift: UUID | None = None,
) -> Plan:
    """Where each transfer goes: all to store credit if the buyer chose it, else along its payment.
    ``gift`` is the return of a gift: all that is due for it becomes its recipient's credit.

    Where no payment account is connected, what the shop's terms name by its gateway (gift cards)
    goes to store credit, too.
    """
    if (resolution == STORE_CREDIT or gift is not None) and planned:
        return await all_as_credit(tx, ctx, by, order_id, currency, planned, gift)
    loose = [move for move in planned if move.payment and move.payment.unconnected]
    gateways = (await terms(tx)).credit.gateways if loose else ()
    if not any(_ours(move, gateways) for move in loose):
        return Plan(tuple(planned))
    account, events = await account_of(tx, ctx, order_id, currency, by)
    moves = tuple(
        replace(move, store_credit=account) if _ours(move, gateways) else move for move in planned
    )
    return Plan(moves, tuple(events))


def _ours(move: PlannedTransfer, gateways: Sequence[str]) -> bool:
    payment = move.payment
    return payment is not None and payment.unconnected and payment.gateway in gateways


async def all_as_credit(
    tx: Transaction,
    ctx: Context,
    by: By,
    order_id: UUID,
    currency: str,
    planned: Sequence[PlannedTransfer],
    gift: UUID | None = None,
) -> Plan:
    """Every transfer to the store credit of the person behind the order, or of the recipient of the
    ``gift`` that came back."""
    account, events = await account_of(tx, ctx, order_id, currency, by, gift)
    moves = tuple(replace(move, store_credit=account) for move in planned)
    return Plan(moves, tuple(events))


def require_credit_fits(kind: str, amount_minor: int | None, *, agreed: bool) -> None:
    """Raises ``DoesNotFit`` where owed money would become store credit without the buyer's word
    (Directive 2011/83/EU, article 13(1)), or a present names no amount."""
    if kind == "goodwill" and amount_minor is None:
        detail = "Say how much to give: a present draws on no payment."
        raise DoesNotFit(detail, errors=[{"field": "amount", "problem": detail}])
    if kind != "goodwill" and not agreed:
        detail = "What is owed becomes store credit only if the buyer agreed to it."
        raise DoesNotFit(detail, errors=[{"field": "buyer_agreed", "problem": detail}])


async def plan_credit(
    tx: Transaction,
    ctx: Context,
    by: By,
    order_id: UUID,
    payments: Sequence[PaymentRecord],
    amount_minor: int,
    kind: str,
) -> Plan:
    """A person's refund to store credit. Goodwill draws on no payment: nothing was paid for it.

    Raises:
        NothingLeftToRefund, DoesNotFit: like ``plan_refund``.
    """
    require_one_currency(payments)
    planned: Sequence[PlannedTransfer] = [PlannedTransfer(None, amount_minor)]
    if kind != "goodwill":
        planned = plan_refund(payments, amount_minor)
    return await all_as_credit(tx, ctx, by, order_id, payments[0].currency, planned)


async def settle_credit(tx: Transaction, ctx: Context, refund_id: UUID, by: By) -> None:
    """Carry out what is to become store credit, and tell; nothing where nothing is.

    The payments must be locked.
    """
    moves = await rows.lock_transfers(tx, refund_id)
    if not moves:
        return
    refund, shop_terms = await refund_rows.lock(tx, refund_id), await terms(tx)
    events = [await _credit(tx, ctx, refund, move, shop_terms, by) for move in moves]
    if refund["return_id"] is not None:
        events += await _add_bonus(tx, ctx, refund, moves, shop_terms, by)
    await emit(tx, events)
    await follow_transfers(tx, ctx, refund_id, by)


async def _credit(
    tx: Transaction, ctx: Context, refund: Row, move: Row, shop_terms: Terms, by: By
) -> Event:
    """One transfer into a lot of its account."""
    transfer, now = transfer_rows.record(move), ctx.clock()
    change = after_fact(transfer, "succeeded", now)
    assert change is not None
    moved = await transfer_changes.apply_change(tx, transfer, change, now)
    assert moved, "the transfer was locked"
    kind = "goodwill" if refund["kind"] == "goodwill" else "refund"
    entry = transfer_credited(
        stamp(ctx, by),
        refund_ref(refund),
        (transfer.id, transfer.payment_id),
        move["store_credit_id"],
        transfer.amount_minor,
    )
    return await issue(
        tx,
        ctx,
        by,
        move["store_credit_id"],
        entry,
        kind=kind,
        expires_at=shop_terms.expiry(kind, now),
        transfer_id=transfer.id,
        order_id=refund["order_id"],
        return_id=refund["return_id"],
    )


async def _add_bonus(
    tx: Transaction,
    ctx: Context,
    refund: Row,
    moves: Sequence[Row],
    shop_terms: Terms,
    by: By,
) -> list[Event]:
    """What the accepted quote adds for taking store credit, as an entry and a lot of its own."""
    credited = sum(move["amount_minor"] for move in moves)
    amount = bonus(credited, await rows.bonus_ppm(tx, refund["return_id"]))
    if not amount:
        return []
    account = moves[-1]["store_credit_id"]
    entry = credit_moved(
        stamp(ctx, by), "bonus_granted", account, refund["currency"], [("bonus_granted", amount)],
        refund["order_id"],
    )  # fmt: skip
    event = await issue(
        tx,
        ctx,
        by,
        account,
        entry,
        kind="bonus",
        expires_at=shop_terms.expiry("bonus", ctx.clock()),
        transfer_id=moves[-1]["id"],
        order_id=refund["order_id"],
        return_id=refund["return_id"],
    )
    return [event]
