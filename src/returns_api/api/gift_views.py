"""From a gift, its quote and its return to what their recipient may see.

Owns that no price, payment or person is among it: a quote's parts and a decision's facts stay here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from returns_api.api.actions import Action, Link, links_of, place_of
from returns_api.api.label_views import label_out
from returns_api.api.schemas.gift_returns import GiftCreditOut, GiftReturnLineOut, GiftReturnOut
from returns_api.api.schemas.gifts import (
    GiftCreditOffer,
    GiftDeductionOut,
    GiftLineOut,
    GiftOut,
    GiftQuoteOut,
    GiftReasonOut,
    GiftReturnRef,
)
from returns_api.api.schemas.quotes import (
    FreightOut,
    MethodOut,
    PossibleFee,
    QuoteLineOut,
    RefundTiming,
)
from returns_api.api.views import action_out, deadlines_out, waiting_out
from returns_api.domain import ids
from returns_api.domain.access import Principal, Scope
from returns_api.domain.gifts import NOT_THEIRS, RESOLUTION
from returns_api.domain.lifecycle.orders import ORDER
from returns_api.domain.lifecycle.quotes import QUOTE
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.order_life import QUOTE_EXPIRED, holds_of, quote_state, state_of
from returns_api.domain.policy import Decision
from returns_api.domain.quote_choices import GOODS_COME
from returns_api.usecases._quotes import StoredQuote
from returns_api.usecases.gifts import GiftLineView, GiftView
from returns_api.usecases.returns import ReturnView

_OF_GIFT: Final[dict[str, Link]] = {
    "quote": Link("/v1/gift/quotes", Scope.GIFTS_RETURN),
    "add_photo": Link("photos", Scope.PHOTOS_ADD),
}
_OF_QUOTE: Final[dict[str, Link]] = {"open": Link("/v1/gift/returns", Scope.GIFTS_RETURN)}
_OF_RETURN: Final[dict[str, Link]] = {
    name: Link(name.replace("_", "-"), Scope.GIFTS_RETURN)
    for name in ("provide_info", "cancel", "ship")
}
_NOT_THEIRS: Final = frozenset({"dispute_window"})
"""Deadlines of what a recipient has no way to do."""
_DEDUCTED: Final = ("return_freight", "restocking_fee")


def place_of_return(return_id: UUID) -> str:
    """Where the recipient reads a return."""
    return f"/v1/gift/returns/{ids.encode('ret', return_id)}"


def gift_out(gift: GiftView, principal: Principal, now: datetime) -> GiftOut:
    return GiftOut(
        gift_receipt=gift.receipt.id,
        order=gift.order.id,
        number=gift.order.number,
        currency=gift.order.currency,
        expires_at=gift.receipt.expires_at,
        open=gift.receipt.is_open(now),
        lines=[_line(line) for line in gift.lines],
        returns=[
            GiftReturnRef(
                return_=row["id"],
                number=row["number"],
                state=row["state"],
                href=place_of_return(row["id"]),
            )
            for row in gift.returns
        ],
        actions=[action_out(action) for action in _gift_actions(gift, principal, now)],
    )


def _gift_actions(gift: GiftView, principal: Principal, now: datetime) -> list[Action]:
    if not any(line.left for line in gift.lines):
        return []
    order = gift.order
    href, holds = place_of("order", order.id), holds_of(order, now)
    return links_of(ORDER, state_of(order), holds, _OF_GIFT, href, (), principal)


def _line(view: GiftLineView) -> GiftLineOut:
    return GiftLineOut(
        line=view.line.order_line_id,
        title=view.line.title,
        sku=view.line.sku,
        quantity=view.line.quantity,
        left=view.left,
        reasons=[_reason(code, decision) for code, decision in view.decisions.items()],
    )


def _reason(code: str, decision: Decision) -> GiftReasonOut:
    offered = next(each for each in decision.resolutions if each.kind.value == RESOLUTION)
    ways = [each.kind.value for each in decision.methods]
    return GiftReasonOut(
        reason=code,
        until=offered.until,
        until_local=offered.until_local,
        methods=[way for way in ways if way in GOODS_COME and way not in NOT_THEIRS],
    )


def gift_quote_out(quote: StoredQuote, principal: Principal, now: datetime) -> GiftQuoteOut:
    body = quote.body
    state = quote_state(quote.return_id, quote.expires_at, now)
    found = links_of(QUOTE, state, (), _OF_QUOTE, "", (), principal)
    actions = [replace(a, until=quote.expires_at, on_silence=QUOTE_EXPIRED) for a in found]
    return GiftQuoteOut(
        quote=quote.id,
        created_at=quote.created_at,
        expires_at=quote.expires_at,
        currency=body["currency"],
        method=body["method"],
        methods=[MethodOut(**each) for each in body["methods"]],
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
        credit=_offer(body),
        freight=FreightOut(**body["freight"]),
        when=RefundTiming(at=body["refund_at"], within_seconds=body["refund_within_seconds"]),
        fees_possible_later=[
            PossibleFee(
                line=UUID(fee["line_id"]), grade=fee["grade"], deduction_ppm=fee["deduction_ppm"]
            )
            for fee in body["fees_possible_later"]
        ],
        actions=[action_out(action) for action in actions],
    )


def _offer(body: Mapping[str, Any]) -> GiftCreditOffer:
    """The sum and what was taken off; of what it was made up, nothing."""
    sums = {
        kind: sum(part["amount"] for part in body["parts"] if part["kind"] == kind)
        for kind in _DEDUCTED
    }
    return GiftCreditOffer(
        total=body["total"],
        deductions=[
            GiftDeductionOut(kind=kind, amount=amount) for kind, amount in sums.items() if amount
        ],
        bonus=body["bonus"],
    )


def gift_return_out(view: ReturnView, principal: Principal) -> GiftReturnOut:
    ret, place = view.ret, place_of_return(view.ret.id)
    timed = [each for each in ret.deadlines if each.kind not in _NOT_THEIRS]
    actions = links_of(RETURN, ret.state, ret.holds(), _OF_RETURN, place, timed, principal)
    return GiftReturnOut(
        return_=ret.id,
        number=ret.number,
        state=ret.state,
        method=ret.method,
        currency=ret.currency,
        sequence=ret.sequence,
        created_at=ret.created_at,
        updated_at=ret.updated_at,
        lines=[
            GiftReturnLineOut(
                return_line=line.id,
                line=line.order_line_id,
                title=line.title,
                sku=line.sku,
                quantity=line.quantity,
                reason=line.reason,
                state=line.state,
                received=line.received,
                decision_code=line.decision_code,
                decision_note=line.decision_note,
            )
            for line in ret.lines
        ],
        label=label_out(place, view.shipment),
        credit=GiftCreditOut(expected=ret.expected_minor, credited=ret.refunded_minor),
        info_request=ret.info_request,
        deadlines=deadlines_out(RETURN, ret.state, timed, place),
        actions=[action_out(action) for action in actions],
        waiting_for=waiting_out(RETURN, ret.state),
    )
