"""From a recovery to its shape, with what its caller may do next."""

from __future__ import annotations

from typing import Final

from returns_api.api.schemas.actions import ActionOut
from returns_api.api.schemas.recoveries import (
    AdvanceRecoveryOut,
    RecoveryApprovalOut,
    RecoveryStepOut,
)
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import Principal, Scope
from returns_api.domain.lifecycle.advances import RECOVERY
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.recoveries import RecoveryRecord
from returns_api.usecases._recovery_views import RecoveryView

PATHS: Final = {
    "request": "request",
    "pay": "payments",
    "debit": "debits",
    "write_off": "write-off",
    "waive": "waive",
    "approve": "approve",
    "decline": "decline",
}
"""Where each action of the lifecycle table is called."""


def recovery_out(view: RecoveryView, principal: Principal) -> AdvanceRecoveryOut:
    recovery = view.recovery
    staff = Scope.REFUNDS_CREATE in principal.scopes
    return AdvanceRecoveryOut(
        recovery=recovery.id,
        return_=recovery.return_id,
        order=recovery.order_id,
        refund=recovery.refund_id,
        exchange=recovery.exchange_id,
        state=recovery.state,
        cause=recovery.cause,
        amount=recovery.amount_minor,
        open=recovery.open_minor,
        paid=recovery.paid_minor,
        written_off=recovery.written_off_minor,
        waived=recovery.waived_minor,
        cleared=recovery.cleared_minor,
        currency=recovery.currency,
        pay_by=recovery.pay_by,
        approval=_approval(recovery) if staff else None,
        sequence=recovery.sequence,
        created_at=recovery.created_at,
        updated_at=recovery.updated_at,
        closed_at=recovery.closed_at,
        steps=[_step(step, staff=staff) for step in view.steps],
        actions=_actions(recovery, principal),
    )


def _approval(recovery: RecoveryRecord) -> RecoveryApprovalOut | None:
    if recovery.asked_action is None or recovery.asked_minor is None or recovery.binding is None:
        return None
    return RecoveryApprovalOut(
        action=recovery.asked_action,
        amount=recovery.asked_minor,
        note=recovery.asked_note,
        binding=recovery.binding,
    )


def _step(step: Row, *, staff: bool) -> RecoveryStepOut:
    """A note is the staff's own."""
    return RecoveryStepOut(
        kind=step["kind"],
        amount=step["amount_minor"],
        reference=step["reference"],
        movement=step["movement_id"],
        note=step["note"] if staff else None,
        actor=step["actor"],
        at=step["at"],
    )


def _actions(recovery: RecoveryRecord, principal: Principal) -> list[ActionOut]:
    """In the order of the lifecycle table; nobody approves what they asked for."""
    if Scope.REFUNDS_MANAGE not in principal.scopes:
        return []
    own = recovery.asked_by == principal.credential_id
    href = f"/v1/recoveries/{ids.encode('rcv', recovery.id)}"
    return [
        ActionOut(
            action=name,
            method="POST",
            href=f"{href}/{PATHS[name]}",
            until=recovery.pay_by if name == "pay" else None,
            on_silence="open" if name == "pay" and recovery.pay_by is not None else None,
        )
        for name in RECOVERY.allowed(recovery.state, Actor(principal.role.value))
        if name in PATHS and not (name == "approve" and own)
    ]
