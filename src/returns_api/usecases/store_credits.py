"""Store credit: reading accounts, paying with them, undoing that, taking back what is owed.

Credit is issued by refunds (``_crediting``). Refuses to own the steps themselves
(``_store_credits``) and in which order lots are used (``domain.store_credits``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from returns_api.db import store_credit_lots as lot_rows
from returns_api.db import store_credits as rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import DoesNotFit, DuplicateReference, NotEnoughCredit, NotFound
from returns_api.domain.events import By
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.store_credits import (
    PAST_ITS_DAY,
    Taken,
    end_of_day,
    plan_give_back,
    plan_spend,
)
from returns_api.usecases import _store_credits as steps
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases._references import counted_once
from returns_api.usecases.context import Context

_USED_BEFORE: Final = (
    "This client_reference was used before; a reference makes one debit, for ever."
)


@dataclass(frozen=True, slots=True)
class CreditView:
    """An account and the lots that have something left, what expires first in front."""

    account: Row
    lots: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was taken, and what the buyer still owes; no movement where nothing was there."""

    taken_minor: int
    owed_minor: int
    movement: Row | None


async def list_credits(
    ctx: Context, principal: Principal, *, before: UUID, limit: int, order_id: UUID | None
) -> list[CreditView]:
    """Newest first; with an order, those of the person behind it. A buyer sees the own ones."""
    of = principal.order_id or order_id
    if order_id is not None and not principal.sees_order(order_id):
        return []
    async with ctx.database.transaction(principal.shop) as tx:
        accounts = await rows.page(tx, before=before, limit=limit, order_id=of)
        return await _views(tx, accounts)


async def get_credit(ctx: Context, principal: Principal, account_id: UUID) -> CreditView:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await _view(tx, principal, account_id)


async def list_movements(
    ctx: Context, principal: Principal, account_id: UUID, *, before: UUID, limit: int
) -> list[Row]:
    """Newest first.

    Raises:
        NotFound.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        await _view(tx, principal, account_id)
        return await rows.movements(tx, account_id, before=before, limit=limit)


async def spend(
    tx: Transaction,
    ctx: Context,
    by: By,
    account_id: UUID,
    *,
    amount_minor: int,
    client_reference: str | None,
    reference: str | None,
) -> Row:
    """Pay with store credit, from what expires first; the movement.

    Raises:
        NotFound.
        DuplicateReference: the reference paid before.
        NotEnoughCredit: less is left; names the balance, and nothing is taken.
    """
    account = await steps.held(tx, ctx, account_id)
    await _require_new(tx, client_reference)
    try:
        draws = plan_spend(account.lots, amount_minor, Actor(by.actor), ctx.clock())
    except NotEnoughCredit as short:
        name = ids.encode("sc", account_id)
        raise NotEnoughCredit(
            short.detail, **short.context, currency=account.currency, store_credit=name
        ) from None
    # Another account's debit may take the reference at the same moment.
    with counted_once("uq_store_credit_movements_client_reference", _USED_BEFORE):
        moved = await steps.take(
            tx, ctx, by, account, draws, client_reference=client_reference, reference=reference
        )
    return await _told(tx, account, moved)


async def give_back(
    tx: Transaction,
    ctx: Context,
    by: By,
    account_id: UUID,
    movement_id: UUID,
    *,
    amount_minor: int | None,
    reference: str | None,
) -> Row:
    """Undo a purchase, wholly (None) or in part: into the lots that it took from.

    Raises:
        NotFound: no such account, or no such purchase of it.
        DoesNotFit: less is left of the purchase.
    """
    account = await steps.held(tx, ctx, account_id)
    spent = await rows.movement(tx, account_id, movement_id)
    if spent is None:
        raise NotFound(NO_SUCH_THING)
    if spent["kind"] != "spent":
        detail = "Only a debit can be undone."
        raise DoesNotFit(detail, errors=[{"field": "movement", "problem": detail}])
    now = ctx.clock()
    found = await lot_rows.taken(tx, movement_id)
    taken = [Taken(lot_rows.lot(row), row["left_minor"]) for row in found]
    plan = plan_give_back(taken, amount_minor, Actor(by.actor), now)
    until = end_of_day(now, PAST_ITS_DAY, (await steps.terms(tx)).zone) if plan.fresh else None
    moved = await steps.give_back(
        tx, ctx, by, account, plan, until, undoes_id=movement_id, reference=reference
    )
    return await _told(tx, account, moved)


async def recover(
    tx: Transaction,
    ctx: Context,
    by: By,
    account_id: UUID,
    *,
    amount_minor: int,
    reference: str | None,
) -> Recovery:
    """Take what the buyer owes, as far as it goes; the rest is told and stays owed.

    Raises:
        NotFound.
    """
    account = await steps.held(tx, ctx, account_id)
    moved = await steps.recover(tx, ctx, by, account, amount_minor, reference=reference)
    if moved is None:
        await emit(tx, account.events)
        return Recovery(0, amount_minor, None)
    row = await _told(tx, account, moved)
    return Recovery(row["amount_minor"], amount_minor - row["amount_minor"], row)


async def expire_lot(ctx: Context, shop: UUID, lot_id: UUID) -> None:
    """Let a lot expire with all others of its account that are due; nothing before its day."""
    async with ctx.database.transaction(shop) as tx:
        account_id = await lot_rows.account_of_lot(tx, lot_id)
        if account_id is None:
            return
        account = await steps.held(tx, ctx, account_id)
        await emit(tx, account.events)
    if account.events:
        ctx.wake()


async def due_lots(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Lots over all shops whose last day is over."""
    found = await ctx.database.sweep(lot_rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]


async def _told(tx: Transaction, account: steps.Held, moved: steps.Moved) -> Row:
    """The movement as it is shown, its events announced."""
    await emit(tx, [*account.events, *moved.events])
    row = await rows.movement(tx, account.id, moved.movement["id"])
    assert row is not None
    return row


async def _require_new(tx: Transaction, reference: str | None) -> None:
    before = None if reference is None else await rows.by_reference(tx, reference)
    if before is not None:
        raise DuplicateReference(_USED_BEFORE, movement=ids.encode("scm", before))


async def _view(tx: Transaction, principal: Principal, account_id: UUID) -> CreditView:
    account = await rows.one(tx, account_id, principal.order_id)
    if account is None:
        raise NotFound(NO_SUCH_THING)
    (view,) = await _views(tx, [account])
    return view


async def _views(tx: Transaction, accounts: Sequence[Row]) -> list[CreditView]:
    of_account: defaultdict[UUID, list[Any]] = defaultdict(list)
    for lot in await lot_rows.open_lots(tx, [account["id"] for account in accounts]):
        of_account[lot["store_credit_id"]].append(lot)
    return [CreditView(account, of_account[account["id"]]) for account in accounts]
