"""Money before the goods are seen, inside the transaction of what causes it.

Owns: granting an advance at its moment, once; setting what came in against it, once; opening the
recovery of what it paid too much. Lock order: payments, the return, its advance, its recovery, the
counters of caps, then refund rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.db import advances as rows
from returns_api.db import caps as cap_rows
from returns_api.db import ledger, reservations
from returns_api.db import recoveries as recovery_rows
from returns_api.db import refunds as refund_rows
from returns_api.db import returns as return_rows
from returns_api.db import shops as shop_rows
from returns_api.db import transfers as transfer_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job
from returns_api.domain import ids
from returns_api.domain.advances import (
    LOOK_AGAIN,
    NEEDS_APPROVAL,
    NOT_COVERED,
    UNKNOWN_BUYER,
    AdvanceRecord,
    Applied,
    Cap,
    Kept,
    apply,
    buyer_subject,
    caps,
    covered,
    reached,
    recover_at,
    wanted,
)
from returns_api.domain.errors import NothingLeftToRefund
from returns_api.domain.events import By, Event
from returns_api.domain.ledger import PAID_IN_ADVANCE, advance_settled, refund_given_up
from returns_api.domain.lifecycle.advances import ADVANCE
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.refunds import HOLDING
from returns_api.domain.quotes import claim
from returns_api.domain.recoveries import RecoveryRecord, plan_late_goods
from returns_api.domain.refunds import PlannedTransfer, plan_cover
from returns_api.domain.returns import Change, ReturnRecord
from returns_api.domain.settlement import Settlement
from returns_api.domain.terms import AdvanceTerms
from returns_api.usecases._approvals import hold_for_return
from returns_api.usecases._books import refund_ref, stamp
from returns_api.usecases._due import what_is_due
from returns_api.usecases._moves import follow_transfers
from returns_api.usecases._recoveries import clear_late, open_recovery
from returns_api.usecases._refunds import NewRefund, reserve_and_store
from returns_api.usecases._returns import save
from returns_api.usecases.context import Context

REQUEST, FIRST_SCAN = "request", "first_scan"


async def lock_if_due(tx: Transaction, return_id: UUID, moment: str) -> None:
    """Payments come before returns: lock them where the moment may grant an advance."""
    order_id = await rows.order_to_lock(tx, return_id, moment)
    if order_id is not None:
        await reservations.lock_payments(tx, order_id)


async def grant_if_due(
    tx: Transaction, ctx: Context, ret: ReturnRecord, state: str, moment: str, by: By
) -> tuple[list[Event], list[Job]]:
    """Grant the advance of this moment, or say why not; nothing when there is none or there was.

    ``state`` is where the locked return goes now. ``lock_if_due`` came before the return's lock.
    """
    terms = wanted(ret, state, moment)
    if terms is None or await rows.lock_of_return(tx, ret.id) is not None:
        return [], []
    payments = await reservations.lock_payments(tx, ret.order_id)
    units = [
        claim(line.external_id, unit, ret.terms.of_line(line.order_line_id))
        for line in ret.open_lines()
        for unit in line.units
    ]
    due = await what_is_due(tx, ret, payments, units)
    if not due.total_minor:
        return [], []
    moves = plan_cover(payments, due.total_minor)
    buyer = buyer_subject(await rows.customer_key(tx, ret.order_id))
    counters = await _counters(tx, ctx, terms, buyer)
    reason = UNKNOWN_BUYER if terms.per_buyer_minor is not None and buyer is None else None
    reason = reason or await _take(tx, counters, due, moves)
    if reason is not None:
        return [await _add(tx, ctx, ret, due, by, state="declined", reason=reason)], []
    written = await reserve_and_store(tx, ctx, _new_refund(ctx, ret, due, moves), by)
    taken = {each.kind: each for each in counters}
    granted = await _add(
        tx,
        ctx,
        ret,
        due,
        by,
        state="outstanding",
        refund_id=written.id,
        buyer=taken["buyer"].subject if "buyer" in taken else None,
        day=taken["shop_day"].day if "shop_day" in taken else None,
        due_at=recover_at(terms, ctx.clock()),
    )
    return [granted, *written.events], [*written.jobs]


async def _counters(
    tx: Transaction, ctx: Context, terms: AdvanceTerms, buyer: UUID | None
) -> tuple[Cap, ...]:
    zone = ZoneInfo((await shop_rows.one(tx))["timezone"])
    return caps(terms, shop=tx.shop, buyer=buyer, at=ctx.clock(), zone=zone)


async def _take(
    tx: Transaction, counters: Sequence[Cap], due: Settlement, moves: Sequence[PlannedTransfer]
) -> str | None:
    """Take the sum from every counter, or say what speaks against it."""
    if not covered(moves, due.total_minor):
        return NOT_COVERED
    if await hold_for_return(tx, due.total_minor, due.currency) is not None:
        return NEEDS_APPROVAL
    if not counters:
        return None
    used = await cap_rows.lock_used(tx, counters, due.currency)
    over = reached(counters, used, due.total_minor)
    if over is None and not await cap_rows.take(tx, counters, due.currency, due.total_minor):
        raise NothingLeftToRefund("The limit of fast refunds is used up.")
    return over


def _new_refund(
    ctx: Context, ret: ReturnRecord, due: Settlement, moves: Sequence[PlannedTransfer]
) -> NewRefund:
    within = ret.terms.refund_within_seconds
    return NewRefund(
        order_id=ret.order_id,
        kind="advance",
        amount_minor=due.total_minor,
        currency=due.currency,
        transfers=moves,
        parts=[part.as_dict() for part in due.parts],
        return_id=ret.id,
        reason="fast_refund",
        due_by=None if within is None else ctx.clock() + timedelta(seconds=within),
    )


async def _add(
    tx: Transaction,
    ctx: Context,
    ret: ReturnRecord,
    due: Settlement,
    by: By,
    *,
    state: str,
    **values: Any,
) -> Event:
    """Store the advance and tell it."""
    row = {
        "id": ctx.new_id(),
        "order_id": ret.order_id,
        "return_id": ret.id,
        "refund_id": None,
        "state": state,
        "reason": None,
        "buyer": None,
        "day": None,
        "amount_minor": due.total_minor,
        "currency": due.currency,
        "due_at": None,
        "created_at": ctx.clock(),
        **values,
    }
    await rows.add(tx, **row)
    type_ = "declined" if state == "declined" else "granted"
    return advance_event(ctx, row, type_, sequence=1, state=state, by=by, reason=row["reason"])


async def save_and_grant(
    tx: Transaction, ctx: Context, change: Change, by: By
) -> tuple[list[Event], list[Job]]:
    """Save a change of a return, and grant what may go out once it is approved."""
    events, jobs = await save(tx, ctx, change, by)
    if change.before.terms.advance is None:
        return events, jobs
    ret = await return_rows.one(tx, change.before.id)
    assert ret is not None
    more, further = await grant_if_due(tx, ctx, ret, ret.state, REQUEST, by)
    return [*events, *more], [*jobs, *further]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a buyer has of a return's advance, as the goods come to be judged."""

    waits: bool = False
    """Its money is still on its way: nothing can be settled yet."""
    advance: AdvanceRecord | None = None
    recovery: RecoveryRecord | None = None
    kept: Kept = field(default_factory=lambda: Kept(0))
    never_paid_minor: int = 0
    jobs: tuple[Job, ...] = ()


async def standing(tx: Transaction, ctx: Context, ret: ReturnRecord, by: By) -> Standing:
    """What was advanced and arrived. Payments and return must be locked.

    What did not arrive of an advance, and is on its way no more, is given up: from now on the
    goods say what is due.
    """
    advance = None if ret.terms.advance is None else await rows.lock_of_return(tx, ret.id)
    if advance is None or advance.refund_id is None:
        return Standing()
    if advance.state == "settled":
        recovery = await recovery_rows.lock_of_advance(tx, advance.id)
        kept = Kept(0) if recovery is None else kept_of(recovery)
        return Standing(advance=advance, recovery=recovery, kept=kept)
    moves = await transfer_rows.states(tx, advance.refund_id)
    if any(state in HOLDING for state, _ in moves):
        await rows.postpone(tx, advance.id, ctx.clock() + LOOK_AGAIN)
        again = Job("carry_advance", advance.id, LOOK_AGAIN.total_seconds())
        return Standing(waits=True, advance=advance, jobs=(again,))
    arrived = sum(amount for state, amount in moves if state == "succeeded")
    missing = advance.amount_minor - arrived
    if missing:
        await _give_up(tx, ctx, advance.refund_id, missing, by)
    return Standing(advance=advance, kept=Kept(arrived), never_paid_minor=missing)


async def advanced(tx: Transaction, ret: ReturnRecord) -> int:
    """What of a locked return's advance the buyer may keep if that much is due (minor units)."""
    advance = None if ret.terms.advance is None else await rows.lock_of_return(tx, ret.id)
    if advance is None or advance.refund_id is None:
        return 0
    if advance.state != "settled":
        return advance.amount_minor
    recovery = await recovery_rows.lock_of_advance(tx, advance.id)
    return 0 if recovery is None else kept_of(recovery).total_minor


def kept_of(recovery: RecoveryRecord) -> Kept:
    return Kept(recovery.open_minor, recovery.written_off_minor, recovery.waived_minor)


async def _give_up(
    tx: Transaction, ctx: Context, refund_id: UUID, missing_minor: int, by: By
) -> None:
    """Give up what is missing, and tell what that makes of the refund."""
    refund = await refund_rows.lock(tx, refund_id)
    if refund["given_up"]:
        return
    await refund_rows.give_up(tx, refund_id, ctx.clock(), given_up=True)
    await ledger.post(tx, refund_given_up(stamp(ctx, by), refund_ref(refund), missing_minor))
    await follow_transfers(tx, ctx, refund_id, by, "goods_were_judged")


@dataclass(frozen=True, slots=True)
class Set:
    """What the goods are worth, after what was advanced: the rest is to be refunded."""

    rest_minor: int
    parts: Sequence[Mapping[str, Any]]
    events: Sequence[Event] = ()


async def set_against(
    tx: Transaction,
    ctx: Context,
    before: Standing,
    parts: Sequence[Mapping[str, Any]],
    worth_minor: int,
    by: By,
) -> Set:
    """Set what is due, of which ``parts`` are the sum, against the advance; what it paid too much
    is a recovery."""
    if before.advance is None:
        return Set(worth_minor, parts)
    applied = apply(before.kept, worth_minor)
    paid = {"kind": PAID_IN_ADVANCE, "amount": -applied.total_minor}
    whole = [*parts, paid] if applied.total_minor else parts
    refund = await refund_rows.one(tx, _refund_of(before.advance))
    assert refund is not None
    if applied.total_minor and not applied.rest_minor:
        await ledger.post(tx, advance_settled(stamp(ctx, by), refund_ref(refund), whole))
    told = None if applied.rest_minor else parts
    cause = "worth_less"
    events = await settle_advance(tx, ctx, before, applied, told, cause, by)
    return Set(applied.rest_minor, whole, events)


async def settle_advance(
    tx: Transaction,
    ctx: Context,
    before: Standing,
    applied: Applied,
    parts: Sequence[Mapping[str, Any]] | None,
    cause: str,
    by: By,
) -> list[Event]:
    """End an advance, or count goods that came after its end. ``parts`` are what it paid for;
    None when a refund of the rest tells them, or nothing came."""
    advance = before.advance
    assert advance is not None
    data: dict[str, Any] = {"applied": applied.total_minor, "short": applied.short_minor}
    if advance.state == "settled":
        sequence = await rows.apply_late(tx, advance.id, applied.total_minor, parts)
        event = advance_event(
            ctx, advance, "goods_came", sequence=sequence, state=advance.state, by=by, **data
        )
        return [event, *await _late(tx, ctx, before, applied, by)]
    state = ADVANCE.step(advance.state, "settle", Actor.SYSTEM)
    sequence = await rows.settle(
        tx,
        advance.id,
        state,
        ctx.clock(),
        never_paid_minor=before.never_paid_minor,
        applied_minor=applied.total_minor,
        parts=parts,
    )
    events = [advance_event(ctx, advance, "settled", sequence=sequence, state=state, by=by, **data)]
    if applied.short_minor:
        events.append(await open_recovery(tx, ctx, advance, applied.short_minor, cause, by))
    free = advance.amount_minor - applied.short_minor
    await cap_rows.release(tx, advance.buyer, advance.currency, free)
    return events


async def _late(
    tx: Transaction, ctx: Context, before: Standing, applied: Applied, by: By
) -> list[Event]:
    if before.recovery is None or before.advance is None:
        return []
    step = plan_late_goods(
        before.recovery,
        applied.open_minor,
        applied.written_off_minor,
        applied.waived_minor,
    )
    if step is None:
        return []
    return [await clear_late(tx, ctx, before.advance, before.recovery, step, applied, by)]


def _refund_of(advance: AdvanceRecord) -> UUID:
    assert advance.refund_id is not None, "a declined advance has nothing to settle"
    return advance.refund_id


def advance_event(
    ctx: Context,
    advance: Mapping[str, Any] | AdvanceRecord,
    type_: str,
    *,
    sequence: int,
    state: str,
    by: By,
    reason: str | None = None,
    **more: Any,
) -> Event:
    """What happened to an advance; ``more`` goes into its data."""
    if isinstance(advance, AdvanceRecord):
        advance = {name: getattr(advance, name) for name in AdvanceRecord.__dataclass_fields__}
    refund_id = advance["refund_id"]
    return Event(
        id=ctx.new_id(),
        type=f"advance.{type_}",
        resource_type="advance",
        resource_id=advance["id"],
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        order_id=advance["order_id"],
        return_id=advance["return_id"],
        reason=reason,
        data={
            "advance": ids.encode("adv", advance["id"]),
            "return": ids.encode("ret", advance["return_id"]),
            "refund": None if refund_id is None else ids.encode("ref", refund_id),
            "state": state,
            "amount": advance["amount_minor"],
            "currency": advance["currency"],
            **more,
        },
    )
