"""Negotiating with the buyer: offer, counter-offer, accept, decline, withdraw, approve.

An accepted offer moves money once, in the transaction that ends it: the refund is reserved, the
return agrees and its units stay with the buyer. Lock order: payments, the return, allowances.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from returns_api.db import moves, reservations
from returns_api.db import offers as rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.db.tables import offers as table
from returns_api.domain.access import Principal, Role
from returns_api.domain.errors import (
    ActionNotAllowed,
    NotFound,
    NothingLeftToRefund,
    OwnApproval,
)
from returns_api.domain.events import By, Event
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.offers import OFFER
from returns_api.domain.offers import (
    MERCHANT,
    VALID_SECONDS,
    OfferRecord,
    opening,
    party_of,
    plan_agree,
    plan_answer,
    plan_offer_approve,
)
from returns_api.domain.refunds import plan_refund
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import _returns
from returns_api.usecases._acting import Acting, require_seen
from returns_api.usecases._advances import advanced
from returns_api.usecases._agreed import pay_agreed
from returns_api.usecases._approvals import hold_for_person
from returns_api.usecases._exchanging import recall_unsent
from returns_api.usecases._loading import NO_SUCH_THING, visible_return
from returns_api.usecases._offers import offer_event, save
from returns_api.usecases.context import Context

BEYOND: Final = "Counter with the same amount: a second person can approve it."


async def make_offer(
    tx: Transaction,
    ctx: Context,
    who: Acting,
    *,
    amount_minor: int,
    note: str | None = None,
    valid_seconds: int | None = None,
) -> OfferRecord:
    """Offer the buyer an amount for keeping the goods of a return. Above what the caller may
    promise alone, it waits for a second person before the buyer sees it.

    Raises:
        NotFound, ActionNotAllowed.
        NothingLeftToRefund: more than the order's payments have left.
    """
    ret = await _locked(tx, who.principal, who.target, amount_minor)
    ret.require("offer", who.actor)
    made, event = await _add(
        tx,
        ctx,
        who.by,
        ret,
        MERCHANT,
        amount_minor=amount_minor,
        note=note,
        valid_seconds=valid_seconds or VALID_SECONDS,
    )
    await emit(tx, [event])
    return made


async def get_offer(ctx: Context, principal: Principal, offer_id: UUID) -> OfferRecord:
    """Raises ``NotFound``; for a buyer also while nobody has approved it."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await _visible(tx, principal, offer_id)


async def list_offers(
    ctx: Context, principal: Principal, return_id: UUID, before: UUID, limit: int
) -> Sequence[OfferRecord]:
    """All of one return, newest first. Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        await visible_return(tx, principal, return_id, lock=False)
        return await rows.page(
            tx,
            return_id=return_id,
            before=before,
            limit=limit,
            everything=principal.role is not Role.BUYER,
        )


async def answer_offer(tx: Transaction, ctx: Context, who: Acting, action: str) -> OfferRecord:
    """Decline the other side's offer, or withdraw the own one.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
    """
    offer, _ = await _both(tx, who)
    change = plan_answer(offer, action, who.actor, who.by.credential_id)
    await emit(tx, [await save(tx, ctx, change, who.by)])
    return await _visible(tx, who.principal, offer.id)


async def counter_offer(
    tx: Transaction, ctx: Context, who: Acting, *, amount_minor: int, note: str | None = None
) -> OfferRecord:
    """Answer an offer with another amount; the new offer is given back.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        NothingLeftToRefund: more than the order's payments have left.
    """
    offer, ret = await _both(tx, who, amount_minor)
    change = plan_answer(offer, "counter", who.actor, who.by.credential_id)
    ended = await save(tx, ctx, change, who.by)
    made, event = await _add(
        tx,
        ctx,
        who.by,
        ret,
        party_of(who.actor),
        amount_minor=amount_minor,
        note=note,
        valid_seconds=offer.valid_seconds,
        answers=offer.id,
    )
    await emit(tx, [ended, event])
    return made


async def accept_offer(tx: Transaction, ctx: Context, who: Acting) -> OfferRecord:
    """Agree to the other side's offer: the refund is reserved, the goods stay.

    Raises:
        NotFound, PreconditionFailed.
        ActionNotAllowed: not in this state or for this caller; or more than the caller may promise
            alone.
        NothingLeftToRefund: the payments have less left by now.
        Conflict: a fast refund of this return is on its way.
    """
    offer, ret = await _both(tx, who)
    actor, by = who.actor, who.by
    change = plan_answer(offer, "accept", actor, by.credential_id)
    if actor is not Actor.BUYER:
        await _promise_alone(tx, ctx, by, offer, actor)
    amount = offer.amount_minor
    ret.require("agree", actor)
    kept = await recall_unsent(tx, ctx, ret, by)
    paid = await pay_agreed(tx, ctx, by, ret, amount, reason="offer_accepted", plan=plan_refund)
    agreed = plan_agree(ret, actor, ctx.clock(), amount, paid.rest_minor)
    ended = await save(tx, ctx, change, by, refund_id=paid.refund_id)
    moved, more = await _returns.save(tx, ctx, agreed, by, keep_offer=True)
    await emit(tx, [ended, *kept, *moved, *paid.events], [*paid.jobs, *more])
    return await _visible(tx, who.principal, offer.id)


async def approve_offer(tx: Transaction, ctx: Context, who: Acting) -> OfferRecord:
    """Let an offer reach the buyer, as the second person; it counts against nobody's allowance.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        OwnApproval: the caller made it.
    """
    offer, _ = await _both(tx, who)
    if offer.made_by == who.by.credential_id and offer.state == "awaiting_approval":
        raise OwnApproval("You made this offer; another person has to approve it.")
    change = plan_offer_approve(offer, who.actor, who.by.credential_id, ctx.clock())
    await emit(tx, [await save(tx, ctx, change, who.by)])
    return await _visible(tx, who.principal, offer.id)


async def _add(
    tx: Transaction,
    ctx: Context,
    by: By,
    ret: ReturnRecord,
    party: str,
    *,
    amount_minor: int,
    note: str | None,
    valid_seconds: int,
    answers: UUID | None = None,
) -> tuple[OfferRecord, Event]:
    """A new offer of one side; the merchant's is counted against the person's allowances."""
    now, offer_id = ctx.clock(), ctx.new_id()
    drawn, held = await _drawn(tx, ctx, by, ret, party, amount_minor)
    state, deadlines, shown_at = opening(party, now, valid_seconds, held=held)
    await moves.add(
        tx,
        table,
        "offer",
        now,
        deadlines,
        id=offer_id,
        return_id=ret.id,
        order_id=ret.order_id,
        party=party,
        state=state,
        amount_minor=amount_minor,
        currency=ret.currency,
        note=note,
        answers=answers,
        made_by=by.credential_id,
        drawn_minor=drawn,
        valid_seconds=valid_seconds,
        shown_at=shown_at,
    )
    made = await rows.one(tx, offer_id, everything=True)
    assert made is not None
    type_ = "offer.proposed" if held else "offer.made"
    return made, offer_event(ctx, made, type_, state, 1, by, internal=held)


async def _drawn(
    tx: Transaction, ctx: Context, by: By, ret: ReturnRecord, party: str, amount_minor: int
) -> tuple[int, bool]:
    """What the return's offers draw on allowances by now, in minor units, and whether this one is
    held until a second person lets it go."""
    drawn = await rows.drawn(tx, ret.id)
    if party != MERCHANT or amount_minor <= drawn:
        return drawn, False
    more = amount_minor - drawn
    hold = await hold_for_person(tx, ctx, by, ret.order_id, more, ret.currency)
    return (drawn, True) if hold else (amount_minor, False)


async def _promise_alone(
    tx: Transaction, ctx: Context, by: By, offer: OfferRecord, actor: Actor
) -> None:
    """The buyer's amount, counted against the person's allowances as far as it was not yet."""
    more = offer.amount_minor - await rows.drawn(tx, offer.return_id)
    if more <= 0:
        return
    hold = await hold_for_person(tx, ctx, by, offer.order_id, more, offer.currency)
    if hold is not None:
        allowed = [a for a in OFFER.allowed(offer.state, actor) if a != "accept"]
        raise ActionNotAllowed(
            f"This is more than you may promise alone ({hold}). {BEYOND}",
            object="offer",
            state=offer.state,
            action="accept",
            because=hold,
            allowed=allowed,
        )


async def _visible(tx: Transaction, principal: Principal, offer_id: UUID) -> OfferRecord:
    found = await rows.one(tx, offer_id, everything=principal.role is not Role.BUYER)
    if found is None or not principal.sees_order(found.order_id):
        raise NotFound(NO_SUCH_THING)
    return found


async def _both(
    tx: Transaction, who: Acting, amount_minor: int | None = None
) -> tuple[OfferRecord, ReturnRecord]:
    """The offer and its return, locked; the payments first."""
    known = await _visible(tx, who.principal, who.target)
    ret = await _locked(tx, who.principal, known.return_id, amount_minor)
    offer = await _visible(tx, who.principal, who.target)
    require_seen("offer", offer.sequence, who.seen)
    return offer, ret


async def _locked(
    tx: Transaction, principal: Principal, return_id: UUID, amount_minor: int | None
) -> ReturnRecord:
    """The return, locked, its order's payments before it; with an amount that they still have, or
    that the buyer has already."""
    known = await visible_return(tx, principal, return_id, lock=False)
    payments = await reservations.lock_payments(tx, known.order_id)
    ret = await visible_return(tx, principal, return_id, lock=True)
    if amount_minor is None:
        return ret
    left = sum(payment.refundable for payment in payments) + await advanced(tx, ret)
    if amount_minor > left:
        raise NothingLeftToRefund(
            f"{left} is left to refund, not {amount_minor} (minor units).",
            requested=amount_minor,
            remaining=left,
        )
    return ret
