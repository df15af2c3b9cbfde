"""Getting money from carriers and insurers: open, hand in, their answer, their payment.

What insured freight brings goes on to the buyer who paid it, as a refund, in the transaction that
records that the insurer owes it. Lock order: the order's payments, where money goes out, then the
return, whose lock is the claim's.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from returns_api.db import reservations
from returns_api.db import transport_claims as rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain.access import Principal
from returns_api.domain.errors import Conflict, DoesNotFit, NotFound
from returns_api.domain.events import By, Event
from returns_api.domain.refunds import DUE_WITHIN, plan_cover
from returns_api.domain.transport_claims import (
    CARRIER,
    INSURER,
    ClaimRecord,
    accepted_amount,
    plan_claim,
)
from returns_api.usecases._acting import Acting, require_seen
from returns_api.usecases._loading import NO_SUCH_THING, visible_return
from returns_api.usecases._refunds import NewRefund, reserve_and_store
from returns_api.usecases._transport_claims import open_claim, save
from returns_api.usecases.context import Context


async def get_claim(ctx: Context, principal: Principal, claim_id: UUID) -> ClaimRecord:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await _found(tx, claim_id)


async def list_claims(ctx: Context, principal: Principal, **filters: Any) -> list[ClaimRecord]:
    """Newest first; ``before``, ``limit`` and the optional return_id and state."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await rows.page(tx, **filters)


async def claim_parcel(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    return_id: UUID,
    *,
    cause: str,
    amount_minor: int | None,
    note: str | None,
) -> ClaimRecord:
    """Claim a parcel of the carrier before it is reported lost: stalled, or damaged on the way.

    Raises:
        NotFound.
        Conflict: it is claimed already.
        DoesNotFit: no amount, where the return promised none either.
    """
    ret = await visible_return(tx, principal, return_id, lock=True)
    if await rows.of_return(tx, ret.id, CARRIER) is not None:
        raise Conflict("This parcel was claimed before.")
    amount = ret.expected_minor if amount_minor is None else amount_minor
    if amount <= 0:
        problem = "Name what is claimed: the return promised nothing."
        raise DoesNotFit(problem, errors=[{"field": "amount", "problem": problem}])
    made, event = await open_claim(tx, ctx, ret, CARRIER, cause, amount, by, note)
    await emit(tx, [event])
    return made


async def act(
    tx: Transaction, ctx: Context, who: Acting, /, action: str, **values: Any
) -> ClaimRecord:
    """Hand it in (``submit``), give it up (``withdraw``), or record that they refuse (``reject``)
    or paid (``pay``); ``values`` are what is told of it.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
    """
    claim = await _locked(tx, who)
    if action == "reject":
        values = {**values, "accepted_minor": None}
    change = plan_claim(claim, action, who.actor, ctx.clock(), **values)
    after, event = await save(tx, ctx, change, who.by)
    await emit(tx, [event])
    return after


async def accept(
    tx: Transaction, ctx: Context, who: Acting, amount_minor: int | None
) -> ClaimRecord:
    """They owe an amount. Of an insurer's the buyer who paid the freight gets all, once.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        DoesNotFit: nothing, or more than was claimed.
    """
    known = await _found(tx, who.target)
    if known.against == INSURER:
        await reservations.lock_payments(tx, known.order_id)
    claim = await _locked(tx, who)
    amount = accepted_amount(claim, amount_minor)
    values: dict[str, Any] = {"accepted_minor": amount}
    change = plan_claim(claim, "accept", who.actor, ctx.clock(), **values)
    events, jobs = list[Event](), list[Job]()
    if claim.against == INSURER:
        refund_id, events, jobs = await _pass_on(tx, ctx, who, claim, amount)
        values = {**values, "refund_id": refund_id}
        change = plan_claim(claim, "accept", who.actor, ctx.clock(), **values)
    after, event = await save(tx, ctx, change, who.by)
    await emit(tx, [event, *events], jobs)
    return after


async def _pass_on(
    tx: Transaction, ctx: Context, who: Acting, claim: ClaimRecord, amount_minor: int
) -> tuple[UUID, list[Event], list[Job]]:
    """The freight that the buyer paid goes back along the order's payments."""
    payments = await reservations.lock_payments(tx, claim.order_id)
    new = NewRefund(
        order_id=claim.order_id,
        return_id=claim.return_id,
        kind="manual",
        amount_minor=amount_minor,
        currency=claim.currency,
        transfers=plan_cover(payments, amount_minor, claim.currency),
        parts=[{"kind": "manual", "amount": amount_minor}],
        reason="freight_insured",
        due_by=ctx.clock() + DUE_WITHIN,
    )
    written = await reserve_and_store(tx, ctx, new, who.by)
    return written.id, list(written.events), list(written.jobs)


async def _found(tx: Transaction, claim_id: UUID) -> ClaimRecord:
    found = await rows.one(tx, claim_id)
    if found is None:
        raise NotFound(NO_SUCH_THING)
    return found


async def _locked(tx: Transaction, who: Acting) -> ClaimRecord:
    known = await _found(tx, who.target)
    await visible_return(tx, who.principal, known.return_id, lock=True)
    claim = await _found(tx, who.target)
    require_seen("claim", claim.sequence, who.seen)
    return claim
