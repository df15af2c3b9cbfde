"""From the record of a return to its shape; the warehouse sees no payment data."""

from __future__ import annotations

from typing import Final

from returns_api.api.actions import (
    allowed_actions,
    courier_actions,
    label_actions,
    parcel_actions,
    place_of,
)
from returns_api.api.label_views import label_out
from returns_api.api.listing_views import signals_out
from returns_api.api.schemas.returns import AdvanceOut, MoneyOut, ReturnLineOut, ReturnOut
from returns_api.api.views import action_out, deadline_out, deadlines_out, sees_money, waiting_out
from returns_api.domain import ids
from returns_api.domain.access import Principal, Role, Scope
from returns_api.domain.exchanges import IN_GOODS
from returns_api.domain.lifecycle.disputes import DISPUTE
from returns_api.domain.lifecycle.exchanges import EXCHANGE
from returns_api.domain.lifecycle.offers import OFFER
from returns_api.domain.lifecycle.pickups import PICKUP
from returns_api.domain.lifecycle.repairs import REPAIR
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.lifecycle.shipments import SHIPMENT
from returns_api.domain.lifecycle.transport_claims import TRANSPORT_CLAIM
from returns_api.domain.repair_prices import BY_REPAIR
from returns_api.domain.returns import (
    Hanging,
    ReturnLineRecord,
    ReturnRecord,
    awaits_approval,
)
from returns_api.usecases._returns import Early
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


def return_out(view: ReturnView, principal: Principal) -> ReturnOut:
    """A return as ``principal`` may see it: the warehouse sees no payment data."""
    ret = view.ret
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
        gift_receipt=ret.gift_receipt_id,
        currency=ret.currency,
        sequence=ret.sequence,
        created_at=ret.created_at,
        updated_at=ret.updated_at,
        lines=[_line(line) for line in ret.lines],
        label=label_out(place_of("return", ret.id), view.shipment),
        money=_money(view) if sees_money(principal) else None,
        info_request=ret.info_request,
        info_answer=ret.info_answer,
        deadlines=[
            *deadlines_out(RETURN, ret.state, ret.deadlines, place_of("return", ret.id)),
            *(
                deadline_out(HANGING[each.of], None, each.deadline, _hangs_at(ret, each))
                for each in ret.hanging
                if _shows(each, principal)
            ),
        ],
        actions=[action_out(action) for action in actions],
        waiting_for=waiting_out(RETURN, ret.state),
        timeline=f"{place_of('return', ret.id)}/events",
        signals=signals_out(ret, principal),
    )


def _list(noun: str, ret: ReturnRecord) -> str:
    """Where the goods of a return are read that the buyer gets, others or the same."""
    return f"/v1/{noun}?return={ids.encode('ret', ret.id)}"


def _shows(thing: Hanging, principal: Principal) -> bool:
    """Claims against a carrier are the staff's; an offer is not the buyer's before it is
    approved."""
    if thing.of == "transport_claim":
        return Scope.REFUNDS_CREATE in principal.scopes
    return principal.role is not Role.BUYER or not awaits_approval(thing)


def _hangs_at(ret: ReturnRecord, thing: Hanging) -> str:
    """Where something that hangs on a return is read; its parcel is a part of it."""
    if thing.of == "shipment":
        return place_of("return", ret.id)
    return place_of(thing.of, thing.object_id)


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
        exchange=advance.exchange_id,
        recover_by=advance.due_at,
        recovery=early.recovery_id,
    )
