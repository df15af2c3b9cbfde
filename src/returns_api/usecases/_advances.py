"""What became of an advance, inside the transaction that judges its goods or ends their time.

Owns: setting what came in against it, once; opening the recovery of what it paid too much. Refuses
to own granting it (``_granting``). Lock order: payments, the return, its advance, its recovery, the
counters of caps, then refund rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from returns_api.db import advances as rows
from returns_api.db import caps as cap_rows
from returns_api.db import exchanges as exchange_rows
from returns_api.db import ledger
from returns_api.db import recoveries as recovery_rows
from returns_api.db import refunds as refund_rows
from returns_api.db import transfers as transfer_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job
from returns_api.domain.advances import (
    LOOK_AGAIN,
    AdvanceRecord,
    Applied,
    Kept,
    apply,
)
from returns_api.domain.events import By, Event
from returns_api.domain.ledger import (
    PAID_IN_ADVANCE,
    ExchangeRef,
    RefundRef,
    advance_settled,
    refund_given_up,
)
from returns_api.domain.lifecycle.advances import ADVANCE
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.refunds import HOLDING
from returns_api.domain.recoveries import RecoveryRecord, plan_late_goods
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases._books import refund_ref, stamp
from returns_api.usecases._exposure import advance_event
from returns_api.usecases._moves import follow_transfers
from returns_api.usecases._recoveries import clear_late, open_recovery
from returns_api.usecases.context import Context


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
    if advance is None or advance.state == "declined":
        return Standing()
    if advance.state == "settled":
        recovery = await recovery_rows.lock_of_advance(tx, advance.id)
        kept = Kept(0) if recovery is None else kept_of(recovery)
        return Standing(advance=advance, recovery=recovery, kept=kept)
    if advance.exchange_id is not None:
        return await _in_goods(tx, advance, advance.exchange_id)
    assert advance.refund_id is not None, "it was given in money or in goods"
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


async def _in_goods(tx: Transaction, advance: AdvanceRecord, exchange_id: UUID) -> Standing:
    """Goods that were not sent after all never reached the buyer."""
    exchange = await exchange_rows.one(tx, exchange_id)
    if exchange is None or not exchange.in_advance:
        return Standing(advance=advance, never_paid_minor=advance.amount_minor)
    return Standing(advance=advance, kept=Kept(advance.amount_minor))


async def advanced(tx: Transaction, ret: ReturnRecord) -> int:
    """What of a locked return's advance the buyer may keep if that much is due (minor units)."""
    advance = None if ret.terms.advance is None else await rows.lock_of_return(tx, ret.id)
    if advance is None or advance.state == "declined":
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
    if applied.total_minor and not applied.rest_minor:
        ref = await _ref(tx, before.advance)
        await ledger.post(tx, advance_settled(stamp(ctx, by), ref, whole))
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
        if not applied.total_minor:  # nothing that it paid is there to count
            return []
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


async def _ref(tx: Transaction, advance: AdvanceRecord) -> RefundRef | ExchangeRef:
    """What gave the advance: its refund or, in goods, its exchange."""
    if advance.exchange_id is not None:
        return ExchangeRef(advance.exchange_id, advance.order_id, advance.currency)
    assert advance.refund_id is not None, "a declined advance has nothing to settle"
    refund = await refund_rows.one(tx, advance.refund_id)
    assert refund is not None
    return refund_ref(refund)
