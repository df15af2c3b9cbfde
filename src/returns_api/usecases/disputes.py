"""Disputes: a buyer contests what a merchant decided, and the platform rules.

Lock order: payments, the return (whose lock is the dispute's). No money moves but by a final
ruling, in the transaction that makes it final.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from returns_api.db import contested, moves, reservations
from returns_api.db import disputes as rows
from returns_api.db import returns as return_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.db.tables import disputes as table
from returns_api.domain.access import Principal
from returns_api.domain.disputes import (
    STATEMENTS_MAX,
    DisputeChange,
    DisputeRecord,
    opening,
    plan_appeal,
    plan_begin_review,
    plan_evidence,
    plan_rule,
    plan_withdraw,
)
from returns_api.domain.errors import (
    Conflict,
    DoesNotFit,
    NotFound,
    NothingLeftToRefund,
)
from returns_api.domain.events import By
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.offers import party_of
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.return_plans import plan_dispute
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import _returns
from returns_api.usecases._acting import require_seen
from returns_api.usecases._advances import advanced
from returns_api.usecases._disputes import dispute_event, save
from returns_api.usecases._loading import NO_SUCH_THING, visible_return
from returns_api.usecases.context import Context

Plan = Callable[[DisputeRecord, Actor], DisputeChange]
_ELSEWHERE: Final = "These goods are in another return by now, or were made good elsewhere."


async def open_dispute(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    return_id: UUID,
    *,
    claimed_minor: int,
    statement: str,
) -> DisputeRecord:
    """Contest a rejection or a settlement inside its window, once.

    Raises:
        NotFound.
        ActionNotAllowed: nothing was decided yet, or the window is over, or it was disputed.
        NothingLeftToRefund: more is claimed than the order's payments have left.
        Conflict: the rejected goods are in another return, or were made good elsewhere.
    """
    ret = await visible_return(tx, principal, return_id, lock=False)
    payments = await reservations.lock_payments(tx, ret.order_id)
    ret = await visible_return(tx, principal, return_id, lock=True)
    await _require_left(tx, ret, payments, claimed_minor)
    actor, now, dispute_id = Actor(principal.role.value), ctx.clock(), ctx.new_id()
    disputed = plan_dispute(ret, actor, now)
    state, deadlines = opening(now)
    refused = [line for line in ret.lines if line.state == "rejected"]
    # Of a return that was settled it may be the settlement that is contested, so that goods in
    # another return are no reason to refuse it.
    if not await contested.hold(tx, refused) and ret.state == "rejected":
        raise Conflict(_ELSEWHERE)
    events, _ = await _returns.save(tx, ctx, disputed, by)
    await moves.add(
        tx,
        table,
        "dispute",
        now,
        deadlines,
        id=dispute_id,
        return_id=ret.id,
        order_id=ret.order_id,
        state=state,
        claimed_minor=claimed_minor,
        currency=ret.currency,
    )
    await _say(tx, ctx, dispute_id, actor, by, statement)
    made = await _visible(tx, principal, dispute_id)
    opened = dispute_event(ctx, made, "dispute.opened", state, 1, by, None)
    await emit(tx, [*events, opened])
    return made


async def get_dispute(ctx: Context, principal: Principal, dispute_id: UUID) -> DisputeRecord:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await _visible(tx, principal, dispute_id)


async def list_disputes(
    ctx: Context, principal: Principal, **filters: Any
) -> Sequence[DisputeRecord]:
    """Newest first; ``before``, ``limit``, ``return_id``, ``states``. A buyer sees the own ones."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await rows.page(tx, order_id=principal.order_id, **filters)


async def add_evidence(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    dispute_id: UUID,
    statement: str,
    seen: int | None,
) -> DisputeRecord:
    """Put the own side's evidence forward.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        DoesNotFit: the side has said enough.
    """
    dispute = await _locked(tx, principal, dispute_id, seen)
    actor = Actor(principal.role.value)
    change = plan_evidence(dispute, actor)
    said = sum(1 for each in dispute.statements if each.party == party_of(actor))
    if said >= STATEMENTS_MAX:
        raise DoesNotFit(
            f"One side puts at most {STATEMENTS_MAX} statements forward.",
            errors=[{"field": "statement", "problem": "too many statements"}],
        )
    await _say(tx, ctx, dispute_id, actor, by, statement)
    return await _save(tx, ctx, principal, by, change)


async def rule(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    dispute_id: UUID,
    *,
    award_minor: int,
    reason: str,
    seen: int | None,
) -> DisputeRecord:
    """Award an amount to the buyer, or nothing. The ruling on an appeal is final and pays.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        DoesNotFit: more than was claimed.
    """
    dispute = await _locked(tx, principal, dispute_id, seen)
    if award_minor > dispute.claimed_minor:
        raise DoesNotFit(
            f"At most what was claimed can be awarded: {dispute.claimed_minor} (minor units).",
            errors=[{"field": "award", "problem": "more than was claimed"}],
        )
    change = plan_rule(
        dispute,
        Actor(principal.role.value),
        by.credential_id,
        ctx.clock(),
        award_minor,
        reason,
    )
    return await _save(tx, ctx, principal, by, change)


async def appeal(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    dispute_id: UUID,
    statement: str,
    seen: int | None,
) -> DisputeRecord:
    """Ask for a second ruling, once and in time.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
    """
    dispute = await _locked(tx, principal, dispute_id, seen)
    actor = Actor(principal.role.value)
    change = plan_appeal(dispute, actor, party_of(actor), ctx.clock())
    await _say(tx, ctx, dispute_id, actor, by, statement)
    return await _save(tx, ctx, principal, by, change)


async def act(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    dispute_id: UUID,
    action: str,
    seen: int | None,
) -> DisputeRecord:
    """``withdraw`` by the buyer, or ``begin_review`` by the platform.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
    """
    dispute = await _locked(tx, principal, dispute_id, seen)
    actor = Actor(principal.role.value)
    if action == "withdraw":
        change = plan_withdraw(dispute, actor)
    else:
        change = plan_begin_review(dispute, actor, ctx.clock())
    return await _save(tx, ctx, principal, by, change)


async def _save(
    tx: Transaction, ctx: Context, principal: Principal, by: By, change: DisputeChange
) -> DisputeRecord:
    await emit(tx, *await save(tx, ctx, change, by))
    return await _visible(tx, principal, change.before.id)


async def _say(
    tx: Transaction, ctx: Context, dispute_id: UUID, actor: Actor, by: By, text: str
) -> None:
    await rows.say(
        tx,
        id=ctx.new_id(),
        dispute_id=dispute_id,
        party=party_of(actor),
        author=by.credential_id,
        text=text,
        at=ctx.clock(),
    )


async def _require_left(
    tx: Transaction, ret: ReturnRecord, payments: Sequence[PaymentRecord], wanted: int
) -> None:
    """That so much can be refunded, or is with the buyer already; ``NothingLeftToRefund``."""
    left = sum(each.refundable for each in payments) + await advanced(tx, ret)
    if wanted > left:
        raise NothingLeftToRefund(
            f"{left} is left to refund, not {wanted} (minor units).",
            requested=wanted,
            remaining=left,
        )


async def _visible(tx: Transaction, principal: Principal, dispute_id: UUID) -> DisputeRecord:
    found = await rows.one(tx, dispute_id)
    if found is None or not principal.sees_order(found.order_id):
        raise NotFound(NO_SUCH_THING)
    return found


async def _locked(
    tx: Transaction, principal: Principal, dispute_id: UUID, seen: int | None
) -> DisputeRecord:
    """Payments first, then the return, whose lock is the dispute's."""
    known = await _visible(tx, principal, dispute_id)
    await reservations.lock_payments(tx, known.order_id)
    await return_rows.lock(tx, known.return_id)
    dispute = await _visible(tx, principal, dispute_id)
    require_seen("dispute", dispute.sequence, seen)
    return dispute
