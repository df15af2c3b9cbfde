"""What people do with money that has to come back: ask, take note of a payment, give it up.

How a buyer pays is the shop's: ``recovery.requested`` tells its systems, and it answers with the
payment's reference. What is given up above a limit waits for a second person. Every change of money
is a step of its own (``_recoveries``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from returns_api.db import advances as advance_rows
from returns_api.db import caps as cap_rows
from returns_api.db import recoveries as rows
from returns_api.db import shops as shop_rows
from returns_api.db import store_credits as credit_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.approvals import RefundLimits
from returns_api.domain.errors import (
    ApprovalChanged,
    DoesNotFit,
    DuplicateReference,
    NotEnoughCredit,
    NotFound,
    OwnApproval,
)
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.lifecycle.advances import RECOVERY
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.recoveries import (
    PAY_WITHIN,
    RecoveryRecord,
    goes_on,
    part_of,
    plan_part,
)
from returns_api.domain.store_credits import balance
from returns_api.usecases import _store_credits as credits
from returns_api.usecases._acting import Acting, require_seen
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases._recoveries import apply_step, recovery_event, write_step
from returns_api.usecases.context import Context

_STEP_OF: Final = {"pay": "paid", "debit": "debited", "write_off": "written_off", "waive": "waived"}
_REFERENCE_TAKEN: Final = "uq_recovery_steps_shop_id_kind_reference"


@dataclass(frozen=True, slots=True)
class RecoveryView:
    """A recovery and what was done about it, oldest first."""

    recovery: RecoveryRecord
    steps: Sequence[Row]


async def get_recovery(ctx: Context, principal: Principal, recovery_id: UUID) -> RecoveryView:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        found = await rows.one(tx, recovery_id)
        if found is None or not principal.sees_order(found.order_id):
            raise NotFound(NO_SUCH_THING)
        return await _view(tx, found)


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
    recovery = await _locked(tx, who)
    state = RECOVERY.step(recovery.state, "request", who.actor)
    now = ctx.clock()
    pay_by = now + (PAY_WITHIN if pay_within is None else pay_within)
    after = await rows.move(tx, recovery, now, state=state, pay_by=pay_by, due_at=pay_by)
    await emit(tx, [recovery_event(ctx, after, "requested", who.by)])
    return await _view(tx, after)


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
    recovery = await _locked(tx, who)
    try:
        after = await _fill(
            tx, ctx, who, recovery, "pay", part_of(recovery, amount_minor), who.by,
            reference=reference, note=note,
        )  # fmt: skip
    except asyncpg.UniqueViolationError as taken:
        if taken.constraint_name != _REFERENCE_TAKEN:
            raise
        raise DuplicateReference("A payment with this reference was told before.") from taken
    return await _view(tx, after)


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
    recovery = await _locked(tx, who)
    RECOVERY.require(recovery.state, "debit", who.actor)
    wanted = part_of(recovery, amount_minor)
    buyer = await _buyer(tx, recovery)
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
    after = await _fill(tx, ctx, who, recovery, "debit", amount, who.by, movement_id=movement_id)
    return await _view(tx, after)


async def give_up(
    tx: Transaction,
    ctx: Context,
    who: Acting,
    action: str,
    amount_minor: int | None,
    note: str,
) -> RecoveryView:
    """Write off or waive what is open, or a part; above the limit a second person has to agree.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        DoesNotFit: more than is open.
    """
    recovery = await _locked(tx, who)
    amount = part_of(recovery, amount_minor)
    if not await _needs_second(tx, recovery, amount):
        after = await _fill(tx, ctx, who, recovery, action, amount, who.by, note=note)
        return await _view(tx, after)
    state = RECOVERY.step(recovery.state, action, who.actor, to="to_approve")
    after = await rows.move(
        tx,
        recovery,
        ctx.clock(),
        state=state,
        due_at=None,
        asked_action=action,
        asked_minor=amount,
        asked_by=who.principal.credential_id,
        asked_note=note,
    )
    event = recovery_event(ctx, after, "approval_asked", who.by, asked=action, asked_amount=amount)
    await emit(tx, [event])
    return await _view(tx, after)


async def approve_giving_up(
    tx: Transaction, ctx: Context, who: Acting, binding: str
) -> RecoveryView:
    """Agree, as the second person, to what ``binding`` stands for.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        OwnApproval: the caller asked for it.
        ApprovalChanged: it is another action or amount than the caller saw.
    """
    recovery = await _locked(tx, who)
    RECOVERY.require(recovery.state, "approve", who.actor)
    if recovery.asked_by == who.principal.credential_id:
        raise OwnApproval("You asked for this; another person has to agree.")
    if recovery.binding != binding:
        raise ApprovalChanged("It is another action or amount.", binding=recovery.binding)
    assert recovery.asked_action is not None
    assert recovery.asked_minor is not None
    asked = By(who.by.actor, recovery.asked_by, who.by.request_id)
    after = await _fill(
        tx, ctx, who, recovery, recovery.asked_action, recovery.asked_minor, asked,
        note=recovery.asked_note, approver_id=who.principal.credential_id,
    )  # fmt: skip
    return await _view(tx, after)


async def decline_giving_up(tx: Transaction, ctx: Context, who: Acting) -> RecoveryView:
    """Let what was to be given up stay open. Raises like ``request_recovery``."""
    recovery = await _locked(tx, who)
    state = RECOVERY.step(recovery.state, "decline", who.actor, to=goes_on(recovery))
    after = await rows.move(
        tx,
        recovery,
        ctx.clock(),
        state=state,
        due_at=recovery.pay_by if state == "requested" else None,
        asked_action=None,
        asked_minor=None,
        asked_by=None,
        asked_note=None,
    )
    await emit(tx, [recovery_event(ctx, after, "approval_declined", who.by)])
    return await _view(tx, after)


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


async def _locked(tx: Transaction, who: Acting) -> RecoveryRecord:
    found = await rows.lock(tx, who.target)
    if found is None or not who.principal.sees_order(found.order_id):
        raise NotFound(NO_SUCH_THING)
    require_seen("recovery", found.sequence, who.seen)
    return found


async def _fill(
    tx: Transaction,
    ctx: Context,
    who: Acting,
    recovery: RecoveryRecord,
    action: str,
    amount_minor: int,
    asked: By,
    **told: Any,
) -> RecoveryRecord:
    """Fill a part, release the buyer's counter, tell it."""
    step = plan_part(recovery, action, who.actor, amount_minor)
    await write_step(tx, ctx, recovery, _STEP_OF[action], amount_minor, asked, **told)
    after = await apply_step(tx, ctx, recovery, step)
    await cap_rows.release(tx, await _buyer(tx, recovery), recovery.currency, amount_minor)
    kind = _STEP_OF[action]
    await emit(tx, [recovery_event(ctx, after, kind, who.by, amount_now=amount_minor)])
    return after


async def _buyer(tx: Transaction, recovery: RecoveryRecord) -> UUID | None:
    """Whose counter of fast refunds the advance was taken from."""
    advance = await advance_rows.one(tx, recovery.advance_id)
    assert advance is not None
    return advance.buyer


async def _require_own_account(tx: Transaction, recovery: RecoveryRecord, account_id: UUID) -> None:
    account = await credit_rows.one(tx, account_id, recovery.order_id)
    if account is None:
        problem = "No store credit of the buyer who owes this."
    elif account["currency"] != recovery.currency:
        problem = f"It is in {account['currency']}; what is owed is in {recovery.currency}."
    else:
        return
    raise DoesNotFit(problem, errors=[{"field": "store_credit", "problem": problem}])


async def _needs_second(tx: Transaction, recovery: RecoveryRecord, amount_minor: int) -> bool:
    shop = await shop_rows.one(tx)
    limit = RefundLimits.of(shop["refund_limits"]).write_off_above
    if limit is None:
        return False
    given = recovery.written_off_minor + recovery.waived_minor + amount_minor
    return recovery.currency != shop["currency"] or given > limit


async def _view(tx: Transaction, recovery: RecoveryRecord) -> RecoveryView:
    return RecoveryView(recovery, await rows.steps_of(tx, [recovery.id]))
