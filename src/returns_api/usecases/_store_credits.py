"""What can happen to store credit, as steps inside the transaction of a caller.

Each step changes lots, balance and books together, and gives the events to announce. The account
is locked by ``held`` first; what is past its last day goes before anything else is decided, so that
a late sweep lets nobody spend it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.db import ledger
from returns_api.db import shops as shop_rows
from returns_api.db import store_credit_lots as lot_rows
from returns_api.db import store_credits as rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain import ids
from returns_api.domain.errors import NotFound
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.ledger import Entry, credit_moved
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.store_credits import (
    GRANTED,
    CreditTerms,
    Draw,
    GivenBack,
    Lot,
    plan_expiry,
    plan_recovery,
)
from returns_api.usecases._books import stamp
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases.context import Context

_TOLD: Mapping[str, str] = {"bonus": "issued"}
"""The event of a movement, where it is not of its own name."""


@dataclass(frozen=True, slots=True)
class Held:
    """A locked account with the lots that can still be used."""

    id: UUID
    currency: str
    lots: Sequence[Lot]
    events: tuple[Event, ...] = ()
    """What expired just now."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The shop's terms for credit, and its zone."""

    credit: CreditTerms
    zone: ZoneInfo

    def expiry(self, kind: str, now: datetime) -> datetime | None:
        return self.credit.expiry(kind, now, self.zone)


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement that was written, and what to announce."""

    movement: Row
    events: tuple[Event, ...]


async def terms(tx: Transaction) -> Terms:
    shop = await shop_rows.one(tx)
    return Terms(CreditTerms.of(shop["store_credit"]), ZoneInfo(shop["timezone"]))


async def account_of(
    tx: Transaction, ctx: Context, order_id: UUID, currency: str, by: By, gift: UUID | None = None
) -> tuple[UUID, list[Event]]:
    """The account of whoever ordered, or brought the ``gift`` of a return back; opened if new."""
    found = await rows.open_of_order(tx, ctx.new_id(), order_id, currency, ctx.clock(), gift)
    account_id, opened = found
    if not opened:
        return account_id, []
    data = {"balance": 0, "currency": currency}
    return account_id, [_event(ctx, account_id, "opened", 1, by, data, order_id)]


async def held(tx: Transaction, ctx: Context, account_id: UUID) -> Held:
    """Lock an account and let expire what is past its day.

    Raises:
        NotFound.
    """
    found = await rows.lock(tx, account_id)
    if found is None:
        raise NotFound(NO_SUCH_THING)
    account, lots = found
    past = plan_expiry(lots, ctx.clock())
    gone = {draw.lot.id for draw in past}
    events = [await _expire(tx, ctx, account_id, account["currency"], draw) for draw in past]
    left = [lot for lot in lots if lot.id not in gone]
    return Held(account_id, account["currency"], left, tuple(events))


async def issue(
    tx: Transaction,
    ctx: Context,
    by: By,
    account_id: UUID,
    entry: Entry,
    *,
    kind: str,
    expires_at: datetime | None,
    transfer_id: UUID,
    order_id: UUID,
    return_id: UUID | None,
) -> Event:
    """Put a new lot on an account by ``entry``, once for ``transfer_id``: a second lot of this kind
    for it is refused. The event is told to whoever is told of the return."""
    posting = entry.postings[0]
    await rows.lock(tx, account_id)
    await ledger.post(tx, entry)
    lot_id = await _add_lot(
        tx, ctx, account_id, posting.currency, kind, posting.amount_minor, expires_at
    )
    move = {
        "kind": "bonus" if kind == "bonus" else "issued",
        "lot_id": lot_id,
        "transfer_id": transfer_id,
        "order_id": order_id,
    }
    moved = await _move(tx, ctx, by, account_id, entry, posting.amount_minor, move, lot_kind=kind)
    return replace(moved.events[0], return_id=return_id)


async def take(
    tx: Transaction, ctx: Context, by: By, account: Held, draws: Sequence[Draw], **move: Any
) -> Moved:
    """A purchase of a held account, by its plan."""
    amount = sum(draw.amount_minor for draw in draws)
    entry = credit_moved(
        stamp(ctx, by), "credit_spent", account.id, account.currency, [("credit_spent", amount)]
    )
    await ledger.post(tx, entry)
    await lot_rows.draw(tx, draws)
    moved = await _move(tx, ctx, by, account.id, entry, -amount, {"kind": "spent", **move})
    await lot_rows.add_draws(tx, moved.movement["id"], draws)
    return moved


async def give_back(
    tx: Transaction,
    ctx: Context,
    by: By,
    account: Held,
    plan: GivenBack,
    fresh_until: datetime | None,
    *,
    undoes_id: UUID,
    **move: Any,
) -> Moved:
    """Undo a purchase of a held account by a plan; new lots last until ``fresh_until``."""
    amounts = [("credit_given_back", plan.amount_minor)]
    entry = credit_moved(stamp(ctx, by), "credit_given_back", account.id, account.currency, amounts)
    await ledger.post(tx, entry)
    await lot_rows.draw(tx, plan.draws, back=True)
    await lot_rows.count_back(tx, undoes_id, plan.returned)
    for kind, amount in plan.fresh:
        await _add_lot(tx, ctx, account.id, account.currency, kind, amount, fresh_until)
    told = {"kind": "given_back", "undoes_id": undoes_id, **move}
    return await _move(tx, ctx, by, account.id, entry, plan.amount_minor, told)


async def recover(
    tx: Transaction,
    ctx: Context,
    by: By,
    account: Held,
    amount_minor: int,
    *,
    advance_of: UUID | None = None,
    **move: Any,
) -> Moved | None:
    """Take what the buyer owes from a held account, as far as it goes; None where it is empty.

    ``advance_of`` is the order whose advance it settles; without it the shop's result gets it. The
    caller compares ``movement["amount_minor"]`` with what is owed: nothing falls below zero.
    """
    draws = plan_recovery(account.lots, amount_minor, Actor(by.actor), ctx.clock())
    amount = sum(draw.amount_minor for draw in draws)
    if not amount:
        return None
    rule = "credit_recovered" if advance_of is None else "advance_recovered"
    entry = credit_moved(
        stamp(ctx, by), "credit_recovered", account.id, account.currency, [(rule, amount)],
        advance_of,
    )  # fmt: skip
    await ledger.post(tx, entry)
    await lot_rows.draw(tx, draws)
    told = {"kind": "recovered", "order_id": advance_of, **move}
    return await _move(tx, ctx, by, account.id, entry, -amount, told)


async def _expire(
    tx: Transaction, ctx: Context, account_id: UUID, currency: str, draw: Draw
) -> Event:
    rule = "present_expired" if draw.lot.kind in GRANTED else "credit_expired"
    entry = credit_moved(
        stamp(ctx), "credit_expired", account_id, currency, [(rule, draw.amount_minor)]
    )
    await ledger.post(tx, entry)
    await lot_rows.draw(tx, [draw])
    move = {"kind": "expired", "lot_id": draw.lot.id}
    moved = await _move(
        tx, ctx, SYSTEM, account_id, entry, -draw.amount_minor, move, lot_kind=draw.lot.kind
    )
    return moved.events[0]


async def _add_lot(
    tx: Transaction,
    ctx: Context,
    account_id: UUID,
    currency: str,
    kind: str,
    amount_minor: int,
    expires_at: datetime | None,
) -> UUID:
    lot_id = ctx.new_id()
    await lot_rows.add_lot(
        tx,
        id=lot_id,
        store_credit_id=account_id,
        currency=currency,
        kind=kind,
        amount_minor=amount_minor,
        expires_at=expires_at,
        created_at=ctx.clock(),
    )
    return lot_id


async def _move(
    tx: Transaction,
    ctx: Context,
    by: By,
    account_id: UUID,
    entry: Entry,
    delta: int,
    move: Mapping[str, Any],
    lot_kind: str | None = None,
) -> Moved:
    """Balance and movement of what the lots and the books were told already."""
    movement = {
        "id": ctx.new_id(),
        "amount_minor": abs(delta),
        "currency": entry.postings[0].currency,
        "entry_id": entry.stamp.id,
        "at": entry.stamp.at,
        "actor": by.actor,
        "actor_id": by.credential_id,
        **move,
    }
    row = await rows.move(tx, account_id, delta, movement)
    data = {
        "movement": ids.encode("scm", row["id"]),
        "amount": row["amount_minor"],
        "balance": row["balance_minor"],
        "currency": row["currency"],
        **({} if lot_kind is None else {"kind": lot_kind}),
    }
    name = _TOLD.get(row["kind"], row["kind"])
    event = _event(ctx, account_id, name, row["no"], by, data, row["order_id"])
    return Moved(row, (event,))


def _event(
    ctx: Context,
    account_id: UUID,
    what: str,
    sequence: int,
    by: By,
    data: Mapping[str, Any],
    order_id: UUID | None = None,
) -> Event:
    return Event(
        id=ctx.new_id(),
        type=f"store_credit.{what}",
        resource_type="store_credit",
        resource_id=account_id,
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        order_id=order_id,
        data={"store_credit": ids.encode("sc", account_id), **data},
    )
