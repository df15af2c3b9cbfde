"""Money that has to come back: looked at, asked for, and paid.

How a buyer pays is the shop's: ``recovery.requested`` tells its systems, and it answers with the
payment's reference. Every change of money is a step of its own (``_recoveries``). Refuses to own
what is given up instead (``recovery_decisions``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from returns_api.db import caps as cap_rows
from returns_api.db import recoveries as rows
from returns_api.db import store_credits as credit_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import DoesNotFit, NotEnoughCredit, NotFound
from returns_api.domain.events import SYSTEM
from returns_api.domain.lifecycle.advances import RECOVERY
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.recoveries import PAY_WITHIN, RecoveryRecord, part_of
from returns_api.domain.store_credits import balance
from returns_api.usecases import _store_credits as credits
from returns_api.usecases._acting import Acting
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases._recoveries import buyer_of, fill_part, recovery_event
from returns_api.usecases._recovery_views import RecoveryView, locked, view_of
from returns_api.usecases.context import Context


async def get_recovery(ctx: Context, principal: Principal, recovery_id: UUID) -> RecoveryView:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        found = await rows.one(tx, recovery_id)
        if found is None or not principal.sees_order(found.order_id):
            raise NotFound(NO_SUCH_THING)
        return await view_of(tx, found)


async def list_recoveries(ctx: Context, principal: Principal, **filters: Any) -> list[RecoveryView]:
    """Newest first; ``before``, ``limit``, ``order_id``, ``return_id``, ``state``."""
    if principal.order_id is not None:
        filters["order_id"] = principal.order_id
    async with ctx.database.transaction(principal.shop) as tx:
        found = await rows.page(tx, **filters)
        steps = await rows.steps_of(tx, [each.id for each in found]) if found else []
    return [
        RecoveryView(each, [step for step in steps if step["recovery_id"] == each.id])
        for each in found
    ]


async def request_recovery(
    tx: Transaction, ctx: Context, who: Acting, pay_within: timedelta | None
) -> RecoveryView:
    """Ask the buyer for what is open: the shop's systems are told until when.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
    """
    recovery = await locked(tx, who)
    state = RECOVERY.step(recovery.state, "request", who.actor)
    now = ctx.clock()
    pay_by = now + (PAY_WITHIN if pay_within is None else pay_within)
    after = await rows.move(tx, recovery, now, state=state, pay_by=pay_by, due_at=pay_by)
    await emit(tx, [recovery_event(ctx, after, "requested", who.by)])
    return await view_of(tx, after)


async def record_payment(
    tx: Transaction,
    ctx: Context,
    who: Acting,
    amount_minor: int | None,
    reference: str,
    note: str | None,
) -> RecoveryView:
    """The shop was paid; ``reference`` is the evidence and counts once, for ever.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        DoesNotFit: more than is open.
        DuplicateReference: this payment was told before.
    """
    recovery = await locked(tx, who)
    after = await fill_part(
        tx, ctx, who, recovery, "pay", part_of(recovery, amount_minor), who.by,
        reference=reference, note=note,
    )  # fmt: skip
    return await view_of(tx, after)


async def debit_credit(
    tx: Transaction, ctx: Context, who: Acting, account_id: UUID, amount_minor: int | None
) -> RecoveryView:
    """Take what is open from the buyer's store credit: the amount that is named, or else as far as
    the credit goes.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        DoesNotFit: more than is open, another buyer's account, or one in another currency.
        NotEnoughCredit: less is left than the amount, or nothing; nothing is taken.
    """
    recovery = await locked(tx, who)
    RECOVERY.require(recovery.state, "debit", who.actor)
    wanted = part_of(recovery, amount_minor)
    buyer = await buyer_of(tx, recovery)
    await _require_own_account(tx, recovery, account_id)
    await cap_rows.hold(tx, buyer, recovery.currency)
    account = await credits.held(tx, ctx, account_id)
    left = balance(account.lots, ctx.clock())
    amount = min(wanted, left) if amount_minor is None else amount_minor
    if not 0 < amount <= left:
        raise NotEnoughCredit(
            f"{left} is left (minor units).",
            balance=left,
            currency=account.currency,
            store_credit=ids.encode("sc", account_id),
        )
    moved = await credits.recover(
        tx, ctx, who.by, account, amount,
        advance_of=recovery.order_id, reference=ids.encode("rcv", recovery.id),
    )  # fmt: skip
    assert moved is not None
    await emit(tx, [*account.events, *moved.events])
    movement_id = moved.movement["id"]
    after = await fill_part(
        tx, ctx, who, recovery, "debit", amount, who.by, movement_id=movement_id
    )
    return await view_of(tx, after)


async def lapse_recovery(ctx: Context, shop: UUID, recovery_id: UUID) -> None:
    """A buyer did not pay in time: a person decides what comes next. Nothing when it is not so."""
    async with ctx.database.transaction(shop) as tx:
        recovery, now = await rows.lock(tx, recovery_id), ctx.clock()
        if recovery is None or recovery.state != "requested":
            return
        if recovery.pay_by is None or recovery.pay_by > now:
            return
        state = RECOVERY.step(recovery.state, "lapse", Actor.SYSTEM)
        after = await rows.move(tx, recovery, now, state=state, pay_by=None, due_at=None)
        late = recovery.pay_by.isoformat()
        await emit(tx, [recovery_event(ctx, after, "unpaid", SYSTEM, was_due=late)])
    ctx.wake()


async def due_recoveries(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Recoveries over all shops whose buyer did not pay in time."""
    found = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]


async def _require_own_account(tx: Transaction, recovery: RecoveryRecord, account_id: UUID) -> None:
    account = await credit_rows.one(tx, account_id, recovery.order_id)
    if account is None:
        problem = "No store credit of the buyer who owes this."
    elif account["currency"] != recovery.currency:
        problem = f"It is in {account['currency']}; what is owed is in {recovery.currency}."
    else:
        return
    raise DoesNotFit(problem, errors=[{"field": "store_credit", "problem": problem}])
