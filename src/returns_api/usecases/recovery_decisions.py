"""What people give up of money that has to come back, written off or waived.

Above the shop's limit it waits for a second person. Refuses to own what is paid (``recoveries``)
and the steps (``_recoveries``).
"""

from __future__ import annotations

from returns_api.db import recoveries as rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import emit
from returns_api.domain.approvals import RefundLimits
from returns_api.domain.errors import ApprovalChanged, OwnApproval
from returns_api.domain.events import By
from returns_api.domain.lifecycle.advances import RECOVERY
from returns_api.domain.recoveries import RecoveryRecord, goes_on, part_of
from returns_api.usecases._acting import Acting
from returns_api.usecases._recoveries import fill_part, recovery_event
from returns_api.usecases._recovery_views import RecoveryView, locked, view_of
from returns_api.usecases.context import Context


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
    recovery = await locked(tx, who)
    RECOVERY.require(recovery.state, action, who.actor)
    amount = part_of(recovery, amount_minor)
    if not await _needs_second(tx, recovery, amount):
        after = await fill_part(tx, ctx, who, recovery, action, amount, who.by, note=note)
        return await view_of(tx, after)
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
    return await view_of(tx, after)


async def approve_giving_up(
    tx: Transaction, ctx: Context, who: Acting, binding: str
) -> RecoveryView:
    """Agree, as the second person, to what ``binding`` stands for.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        OwnApproval: the caller asked for it.
        ApprovalChanged: it is another action or amount than the caller saw.
    """
    recovery = await locked(tx, who)
    RECOVERY.require(recovery.state, "approve", who.actor)
    if recovery.asked_by == who.principal.credential_id:
        raise OwnApproval("You asked for this; another person has to agree.")
    if recovery.binding != binding:
        raise ApprovalChanged("It is another action or amount.", binding=recovery.binding)
    assert recovery.asked_action is not None
    assert recovery.asked_minor is not None
    asked = By(who.by.actor, recovery.asked_by, who.by.request_id)
    after = await fill_part(
        tx, ctx, who, recovery, recovery.asked_action, recovery.asked_minor, asked,
        note=recovery.asked_note, approver_id=who.principal.credential_id,
    )  # fmt: skip
    return await view_of(tx, after)


async def decline_giving_up(tx: Transaction, ctx: Context, who: Acting) -> RecoveryView:
    """Let what was to be given up stay open.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
    """
    recovery = await locked(tx, who)
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
    return await view_of(tx, after)


async def _needs_second(tx: Transaction, recovery: RecoveryRecord, amount_minor: int) -> bool:
    shop = await shop_rows.one(tx)
    limit = RefundLimits.of(shop["refund_limits"]).write_off_above
    if limit is None:
        return False
    given = recovery.written_off_minor + recovery.waived_minor + amount_minor
    return recovery.currency != shop["currency"] or given > limit
