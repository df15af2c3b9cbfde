"""From a stored quote to its shape, with what its reader may do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.api.actions import Action
from returns_api.api.order_actions import quote_actions
from returns_api.api.schemas.quotes import (
    FreightOut,
    MethodOut,
    PartOut,
    PossibleFee,
    QuotedLineOut,
    QuoteOut,
    RefundOffer,
    RefundTiming,
    RepairOfferOut,
)
from returns_api.api.views import action_out
from returns_api.domain.access import Principal
from returns_api.usecases._quotes import StoredQuote


def quote_out(quote: StoredQuote, principal: Principal, now: datetime) -> QuoteOut:
    """A quote, with what ``principal`` may do about it at ``now``."""
    body = quote.body
    actions: Sequence[Action] = ()
    if quote.gift_receipt_id == principal.gift_receipt_id:
        actions = quote_actions(quote.id, quote.return_id, quote.expires_at, principal, now)
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
            QuotedLineOut(
                line=UUID(line["line_id"]),
                title=line["title"],
                quantity=line["quantity"],
                reason=line["reason"],
                evidence=line["evidence"],
                counts_for=line.get("counts_for"),
                fallback=line.get("fallback"),
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
        actions=[action_out(action) for action in actions],
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
