"""From a refund and its transfers to their shapes, with what may be done about them."""

from __future__ import annotations

from returns_api.api.schemas.actions import ActionOut
from returns_api.api.schemas.refunds import ApprovalOut, RefundOut, TransferOut
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import Principal, Scope
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.refunds import HOLDING, REFUND
from returns_api.usecases._refund_views import RefundView
from returns_api.usecases.refund_decisions import may_retry


def refund_out(view: RefundView, principal: Principal) -> RefundOut:
    head = view.refund
    return RefundOut(
        refund=head["id"],
        order=head["order_id"],
        return_=head["return_id"],
        kind=head["kind"],
        amount=head["amount_minor"],
        currency=head["currency"],
        state=head["state"],
        client_reference=head["client_reference"],
        reason=head["reason"],
        parts=head["parts"],
        due_by=head["due_by"],
        overdue_since=None if head["remind_at"] is None else head["overdue_since"],
        approval=_approval(view, principal),
        sequence=head["sequence"],
        created_at=head["created_at"],
        updated_at=head["updated_at"],
        transfers=[_transfer(move) for move in view.transfers],
        actions=_refund_actions(view, principal),
    )


def _approval(view: RefundView, principal: Principal) -> ApprovalOut | None:
    head = view.refund
    if head["hold_reason"] is None or Scope.REFUNDS_CREATE not in principal.scopes:
        return None
    return ApprovalOut(
        because=head["hold_reason"],
        binding=view.binding,
        requested_by=head["requested_by"],
        approved_by=head["approved_by"],
    )


def _transfer(move: Row) -> TransferOut:
    return TransferOut(
        transfer=move["id"],
        payment=move["payment_id"],
        store_credit=move["store_credit_id"],
        gateway=move["gateway"],
        provider=move["provider"],
        provider_reference=move["provider_refund_id"],
        amount=move["amount_minor"],
        state=move["state"],
        attempts=move["attempt"],
        next_try_at=move["due_at"],
        failure_code=move["failure_code"],
    )


def _refund_actions(view: RefundView, principal: Principal) -> list[ActionOut]:
    """Approve what waits and another asked for; retry what is stuck or did not arrive; cancel only
    while certainly nothing is on its way."""
    head, moves = view.refund, view.transfers
    if Scope.REFUNDS_MANAGE not in principal.scopes:
        return []
    found = set(REFUND.allowed(head["state"], Actor(principal.role.value)))
    if any(move["state"] in HOLDING and move["first_sent_at"] is not None for move in moves):
        found.discard("cancel")
    if not may_retry(head):
        found.discard("retry")
    if view.binding is None or head["requested_by"] == principal.credential_id:
        found.discard("approve")
    href = f"/v1/refunds/{ids.encode('ref', head['id'])}"
    return [
        ActionOut(action=name, method="POST", href=f"{href}/{name}", until=None, on_silence=None)
        for name in ("approve", "retry", "cancel")
        if name in found
    ]
