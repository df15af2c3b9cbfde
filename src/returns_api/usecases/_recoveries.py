"""Steps of a recovery, inside the transaction of what causes them.

Every part that is filled is one row, one entry in the books where money moved or was given up, one
change of the buyer's counter of fast refunds, and one event. Lock order: the recovery, then the
counters of caps.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from returns_api.db import advances as advance_rows
from returns_api.db import caps as cap_rows
from returns_api.db import ledger
from returns_api.db import recoveries as rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.advances import AdvanceRecord, Applied
from returns_api.domain.events import By, Event
from returns_api.domain.ledger import RecoveryRef, recovery_moved
from returns_api.domain.lifecycle.advances import OPEN
from returns_api.domain.recoveries import RecoveryRecord, Step, plan_part
from returns_api.usecases._acting import Acting
from returns_api.usecases._books import stamp
from returns_api.usecases._references import take_payment
from returns_api.usecases.context import Context

_RULES: Final = {
    "paid": "advance_paid_back",
    "written_off": "advance_written_off",
    "waived": "advance_waived",
    "write_off_undone": "write_off_undone",
    "waiver_undone": "waiver_undone",
}
"""By kind of step: the rule of its entry. What goods cover is an entry of the settlement, what
store credit pays one of the credit."""
_STEP_OF: Final = {"pay": "paid", "debit": "debited", "write_off": "written_off", "waive": "waived"}
"""By action: the kind of step that it is."""


async def open_recovery(
    tx: Transaction, ctx: Context, advance: AdvanceRecord, amount_minor: int, cause: str, by: By
) -> Event:
    """What an advance paid too much is to come back."""
    now = ctx.clock()
    row: dict[str, Any] = {
        "id": ctx.new_id(),
        "order_id": advance.order_id,
        "return_id": advance.return_id,
        "advance_id": advance.id,
        "refund_id": advance.refund_id,
        "exchange_id": advance.exchange_id,
        "state": "open",
        "cause": cause,
        "amount_minor": amount_minor,
        "currency": advance.currency,
        "created_at": now,
        "updated_at": now,
    }
    await rows.add(tx, **row)
    opened = await rows.one(tx, row["id"])
    assert opened is not None
    return recovery_event(ctx, opened, "opened", by)


async def write_step(
    tx: Transaction,
    ctx: Context,
    recovery: RecoveryRecord,
    kind: str,
    amount_minor: int,
    by: By,
    **told: Any,
) -> None:
    """One part with its entry; ``told``: reference, note, approver_id, movement_id.

    Raises:
        DuplicateReference: the payment that ``reference`` names was told before.
    """
    step_id = ctx.new_id()
    if (reference := told.get("reference")) is not None:
        await take_payment(tx, ctx, reference, "recovery", step_id)
    await rows.add_step(
        tx,
        **{
            "id": step_id,
            "recovery_id": recovery.id,
            "kind": kind,
            "amount_minor": amount_minor,
            "currency": recovery.currency,
            "reference": None,
            "note": None,
            "movement_id": None,
            "actor": by.actor,
            "actor_id": by.credential_id,
            "approver_id": None,
            "at": ctx.clock(),
            **told,
        },
    )
    if kind in _RULES:
        ref = RecoveryRef(recovery.id, recovery.order_id, recovery.currency)
        await ledger.post(tx, recovery_moved(stamp(ctx, by), ref, _RULES[kind], amount_minor))


async def apply_step(
    tx: Transaction, ctx: Context, recovery: RecoveryRecord, step: Step, **values: Any
) -> RecoveryRecord:
    """Write a planned step of a locked recovery; nothing waits for a second person after it."""
    now = ctx.clock()
    grown = {name: getattr(recovery, name) + delta for name, delta in step.grown.items()}
    closed = None if step.state in OPEN else recovery.closed_at or now
    return await rows.move(
        tx,
        recovery,
        now,
        state=step.state,
        closed_at=closed,
        due_at=recovery.pay_by if step.state == "requested" else None,
        asked_action=None,
        asked_minor=None,
        asked_by=None,
        asked_note=None,
        **grown,
        **values,
    )


async def fill_part(
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
    step, kind = plan_part(recovery, action, who.actor, amount_minor), _STEP_OF[action]
    await write_step(tx, ctx, recovery, kind, amount_minor, asked, **told)
    after = await apply_step(tx, ctx, recovery, step)
    await cap_rows.release(tx, await buyer_of(tx, recovery), recovery.currency, amount_minor)
    await emit(tx, [recovery_event(ctx, after, kind, who.by, amount_now=amount_minor)])
    return after


async def buyer_of(tx: Transaction, recovery: RecoveryRecord) -> UUID | None:
    """Whose counter of fast refunds the advance was taken from."""
    advance = await advance_rows.one(tx, recovery.advance_id)
    assert advance is not None
    return advance.buyer


async def clear_late(
    tx: Transaction,
    ctx: Context,
    advance: AdvanceRecord,
    recovery: RecoveryRecord,
    step: Step,
    applied: Applied,
    by: By,
) -> Event:
    """Goods came after all: they cover what was open and take back what was given up."""
    await write_step(tx, ctx, recovery, "cleared", applied.total_minor, by)
    undone = {
        "write_off_undone": applied.written_off_minor,
        "waiver_undone": applied.waived_minor,
    }
    for kind, amount in undone.items():
        if amount:
            await write_step(tx, ctx, recovery, kind, amount, by)
    after = await apply_step(tx, ctx, recovery, step)
    await cap_rows.release(tx, advance.buyer, advance.currency, applied.open_minor)
    return recovery_event(ctx, after, "cleared", by, amount_now=applied.total_minor)


def recovery_event(
    ctx: Context,
    recovery: RecoveryRecord,
    type_: str,
    by: By,
    *,
    reason: str | None = None,
    **more: Any,
) -> Event:
    """What happened to a recovery, which is as it is now; ``more`` goes into its data."""
    pay_by = recovery.pay_by
    return Event(
        id=ctx.new_id(),
        type=f"recovery.{type_}",
        resource_type="recovery",
        resource_id=recovery.id,
        sequence=recovery.sequence,
        at=ctx.clock(),
        by=by,
        order_id=recovery.order_id,
        return_id=recovery.return_id,
        reason=reason,
        data={
            "recovery": ids.encode("rcv", recovery.id),
            "return": ids.encode("ret", recovery.return_id),
            "order": ids.encode("ord", recovery.order_id),
            "refund": recovery.refund_id and ids.encode("ref", recovery.refund_id),
            "exchange": recovery.exchange_id and ids.encode("exc", recovery.exchange_id),
            "state": recovery.state,
            "cause": recovery.cause,
            "amount": recovery.amount_minor,
            "open": recovery.open_minor,
            "currency": recovery.currency,
            "pay_by": None if pay_by is None else pay_by.isoformat(),
            **more,
        },
    )
