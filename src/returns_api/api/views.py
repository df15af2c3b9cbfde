"""From records to shapes of returns, quotes and refunds; what a role may not see is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from returns_api.api.actions import (
    Action,
    allowed_actions,
    becomes,
    courier_actions,
    dispute_actions,
    label_actions,
    offer_actions,
    parcel_actions,
    place_of,
    waiting_for,
)
from returns_api.api.label_views import label_out
from returns_api.api.schemas.disputes import DisputeOut, StatementOut
from returns_api.api.schemas.offers import OfferOut
from returns_api.api.schemas.quotes import (
    FreightOut,
    MethodOut,
    PartOut,
    PossibleFee,
    QuoteLineOut,
    QuoteOut,
    RefundOffer,
    RefundTiming,
    RepairOfferOut,
)
from returns_api.api.schemas.refunds import ApprovalOut, RefundOut, TransferOut
from returns_api.api.schemas.returns import (
    ActionOut,
    AdvanceOut,
    DeadlineOut,
    MoneyOut,
    ReturnLineOut,
    ReturnOut,
    WaitingOut,
)
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import Principal, Scope
from returns_api.domain.disputes import DisputeRecord
from returns_api.domain.exchanges import IN_GOODS
from returns_api.domain.lifecycle.deadlines import Deadline
from returns_api.domain.lifecycle.disputes import DISPUTE
from returns_api.domain.lifecycle.exchanges import EXCHANGE
from returns_api.domain.lifecycle.machine import Actor, Machine
from returns_api.domain.lifecycle.offers import OFFER
from returns_api.domain.lifecycle.pickups import PICKUP
from returns_api.domain.lifecycle.refunds import HOLDING, REFUND
from returns_api.domain.lifecycle.repairs import REPAIR
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.lifecycle.shipments import SHIPMENT
from returns_api.domain.lifecycle.transport_claims import TRANSPORT_CLAIM
from returns_api.domain.offers import OfferRecord
from returns_api.domain.repair_prices import BY_REPAIR
from returns_api.domain.returns import Hanging, ReturnLineRecord, ReturnRecord
from returns_api.usecases._quotes import StoredQuote
from returns_api.usecases._refund_views import RefundView
from returns_api.usecases._returns import Early
from returns_api.usecases.refund_decisions import may_retry
from returns_api.usecases.returns import ReturnView

HANGING: Final = {
    "offer": OFFER,
    "dispute": DISPUTE,
    "exchange": EXCHANGE,
    "repair": REPAIR,
    "pickup": PICKUP,
    "shipment": SHIPMENT,
    "transport_claim": TRANSPORT_CLAIM,
}
"""The tables of what can hang on a return."""


def quote_out(quote: StoredQuote) -> QuoteOut:
    body = quote.body
    return QuoteOut(
        quote=quote.id,
        order=quote.order_id,
        created_at=quote.created_at,
        expires_at=quote.expires_at,
        binding=True,
        policy_version=UUID(body["policy_version_id"]),
        currency=body["currency"],
        resolution=body["resolution"],
        method=body["method"],
        fallback=body.get("fallback"),
        repair=_repair_offer(body.get("repair")),
        methods=[MethodOut(**each) for each in body.get("methods", [])],
        lines=[
            QuoteLineOut(
                line=UUID(line["line_id"]),
                title=line["title"],
                quantity=line["quantity"],
                reason=line["reason"],
                evidence=line["evidence"],
            )
            for line in body["lines"]
        ],
        refund=RefundOffer(
            total=body["total"],
            parts=[_part(p) for p in body["parts"]],
            bonus=body.get("bonus", 0),
        ),
        freight=FreightOut(**body["freight"]),
        when=RefundTiming(at=body["refund_at"], within_seconds=body["refund_within_seconds"]),
        fees_possible_later=[
            PossibleFee(
                line=UUID(fee["line_id"]), grade=fee["grade"], deduction_ppm=fee["deduction_ppm"]
            )
            for fee in body["fees_possible_later"]
        ],
        return_=quote.return_id,
    )


def _repair_offer(told: Mapping[str, Any] | None) -> RepairOfferOut | None:
    if told is None:
        return None
    return RepairOfferOut(
        free=told["free"],
        freight=told["freight_minor"],
        if_declined=told["decline_minor"],
        replacement=told["replaceable"],
    )


def _part(part: Mapping[str, Any]) -> PartOut:
    return PartOut(
        kind=part["kind"],
        line=None if part["line"] is None else UUID(part["line"]),
        unit=part.get("unit"),
        amount=part["amount"],
        of=part.get("of"),
        because=part.get("because"),
    )


def return_out(view: ReturnView, principal: Principal) -> ReturnOut:
    """A return as ``principal`` may see it: the warehouse sees no payment data."""
    ret = view.ret
    waits = waiting_for(RETURN, ret.state)
    actions = [
        *allowed_actions(ret, principal),
        *label_actions(ret.id, view.shipment, principal),
        *courier_actions(ret, view.shipment, principal),
        *parcel_actions(ret, view.shipment, principal),
    ]
    return ReturnOut(
        return_=ret.id,
        number=ret.number,
        order=ret.order_id,
        quote=ret.quote_id,
        policy_version=ret.policy_version_id,
        state=ret.state,
        decided_by=ret.decided_by,
        resolution=ret.resolution,
        exchange=_list("exchanges", ret) if ret.resolution in IN_GOODS else None,
        repair=_list("repairs", ret) if ret.resolution == BY_REPAIR else None,
        method=ret.method,
        currency=ret.currency,
        sequence=ret.sequence,
        created_at=ret.created_at,
        updated_at=ret.updated_at,
        lines=[_line(line) for line in ret.lines],
        label=label_out(ret.id, view.shipment),
        money=_money(view) if sees_money(principal) else None,
        info_request=ret.info_request,
        info_answer=ret.info_answer,
        deadlines=[
            *deadlines_out(RETURN, ret.state, ret.deadlines, place_of("return", ret.id)),
            *(
                deadline_out(HANGING[each.of], None, each.deadline, _hangs_at(ret, each))
                for each in ret.hanging
                if each.of != "transport_claim" or Scope.REFUNDS_CREATE in principal.scopes
            ),
        ],
        actions=[action_out(action) for action in actions],
        waiting_for=None if waits is None else WaitingOut(who=waits[0], to=waits[1]),
        timeline=f"{place_of('return', ret.id)}/events",
    )


def _list(noun: str, ret: ReturnRecord) -> str:
    """Where the goods of a return are read that the buyer gets, others or the same."""
    return f"/v1/{noun}?return={ids.encode('ret', ret.id)}"


def sees_money(principal: Principal) -> bool:
    return Scope.REFUNDS_READ in principal.scopes


def action_out(action: Action) -> ActionOut:
    return ActionOut(
        action=action.action,
        method="POST",
        href=action.href,
        until=action.until,
        on_silence=action.on_silence,
    )


def _hangs_at(ret: ReturnRecord, thing: Hanging) -> str:
    """Where something that hangs on a return is read; its parcel is a part of it."""
    if thing.of == "shipment":
        return place_of("return", ret.id)
    return place_of(thing.of, thing.object_id)


def deadlines_out(
    machine: Machine, state: str | None, deadlines: Iterable[Deadline], href: str
) -> list[DeadlineOut]:
    """All deadlines of the object at ``href``, which is in ``state``."""
    return [deadline_out(machine, state, each, href) for each in deadlines]


def deadline_out(machine: Machine, state: str | None, deadline: Deadline, href: str) -> DeadlineOut:
    """A deadline of the object at ``href``; ``state`` is its own, where that is known."""
    return DeadlineOut(
        of=machine.name,
        href=href,
        kind=deadline.kind,
        who=deadline.owner,
        due_at=deadline.due_at,
        state=deadline.state,
        on_silence=becomes(machine, state, deadline),
    )


def offer_out(offer: OfferRecord, principal: Principal) -> OfferOut:
    waits = waiting_for(OFFER, offer.state)
    return OfferOut(
        offer=offer.id,
        return_=offer.return_id,
        order=offer.order_id,
        party=offer.party,
        state=offer.state,
        amount=offer.amount_minor,
        currency=offer.currency,
        note=offer.note,
        answers=offer.answers,
        refund=offer.refund_id,
        sequence=offer.sequence,
        created_at=offer.created_at,
        updated_at=offer.updated_at,
        deadlines=deadlines_out(OFFER, offer.state, offer.deadlines, place_of("offer", offer.id)),
        actions=[action_out(action) for action in offer_actions(offer, principal)],
        waiting_for=None if waits is None else WaitingOut(who=waits[0], to=waits[1]),
    )


def dispute_out(dispute: DisputeRecord, principal: Principal) -> DisputeOut:
    waits = waiting_for(DISPUTE, dispute.state)
    return DisputeOut(
        dispute=dispute.id,
        return_=dispute.return_id,
        order=dispute.order_id,
        state=dispute.state,
        claim=dispute.claimed_minor,
        award=dispute.award_minor,
        currency=dispute.currency,
        ruling=dispute.ruling,
        appealed_by=dispute.appealed_by,
        refund=dispute.refund_id,
        statements=[
            StatementOut(party=each.party, text=each.text, at=each.at)
            for each in dispute.statements
        ],
        sequence=dispute.sequence,
        created_at=dispute.created_at,
        updated_at=dispute.updated_at,
        deadlines=deadlines_out(
            DISPUTE, dispute.state, dispute.deadlines, place_of("dispute", dispute.id)
        ),
        actions=[action_out(action) for action in dispute_actions(dispute, principal)],
        waiting_for=None if waits is None else WaitingOut(who=waits[0], to=waits[1]),
    )


def _line(line: ReturnLineRecord) -> ReturnLineOut:
    return ReturnLineOut(
        return_line=line.id,
        line=line.order_line_id,
        title=line.title,
        sku=line.sku,
        quantity=line.quantity,
        units=list(line.units),
        reason=line.reason,
        fault=line.fault,
        condition=line.condition,
        note=line.note,
        evidence=[dict(item) for item in line.evidence],
        state=line.state,
        received=line.received,
        inspected=line.inspected,
        decision_code=line.decision_code,
        decision_note=line.decision_note,
    )


def _money(view: ReturnView) -> MoneyOut:
    due_by, law = view.ret.refund_by
    return MoneyOut(
        expected=view.ret.expected_minor,
        refunded=view.ret.refunded_minor,
        due_by=due_by,
        due_by_law=law,
        refunds=[refund["id"] for refund in view.refunds],
        advance=None if view.early is None else _advance(view.early),
    )


def _advance(early: Early) -> AdvanceOut:
    advance = early.advance
    return AdvanceOut(
        state=advance.state,
        amount=advance.amount_minor,
        reason=advance.reason,
        refund=advance.refund_id,
        recover_by=advance.due_at,
        recovery=early.recovery_id,
    )


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
