"""Shapes of offers: an amount for keeping the goods."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut, DeadlineOut, WaitingOut
from returns_api.api.schemas.base import (
    In,
    LongText,
    Moment,
    NoBool,
    OfferId,
    OrderId,
    Out,
    PositiveMinor,
    RefundId,
    ReturnId,
    example,
    example_id,
)

_OFF, _RET, _ORD = example_id("off"), example_id("ret"), example_id("ord")
Valid = Annotated[int, Field(ge=3600, le=30 * 86_400), NoBool]


class OfferIn(In):
    model_config = example(
        {"amount": 1500, "note": "Keep it, for 15 euros less.", "valid_seconds": 604800}
    )

    amount: PositiveMinor
    note: LongText | None = Field(None, description="For the other side.")
    valid_seconds: Valid | None = Field(None, description="7 days, unless it is given.")


class CounterIn(In):
    model_config = example({"amount": 2000, "note": "It has two stains."})

    amount: PositiveMinor
    note: LongText | None = Field(None, description="For the other side.")


class OfferOut(Out):
    """An amount for keeping the goods, and what its reader may do with it."""

    model_config = example(
        {
            "offer": _OFF,
            "return": _RET,
            "order": _ORD,
            "party": "merchant",
            "state": "awaiting_buyer",
            "amount": 1500,
            "currency": "EUR",
            "note": "Keep it, for 15 euros less.",
            "answers": None,
            "refund": None,
            "sequence": 1,
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-21T10:00:00Z",
            "deadlines": [
                {
                    "of": "offer",
                    "href": f"/v1/offers/{_OFF}",
                    "kind": "offer_answer",
                    "who": "buyer",
                    "due_at": "2026-11-28T10:00:00Z",
                    "state": "open",
                    "on_silence": "expired",
                }
            ],
            "actions": [
                {
                    "action": "accept",
                    "method": "POST",
                    "href": f"/v1/offers/{_OFF}/accept",
                    "until": "2026-11-28T10:00:00Z",
                    "on_silence": "expired",
                }
            ],
            "waiting_for": {"who": "buyer", "to": "accept"},
        }
    )

    offer: OfferId
    return_: ReturnId = Field(alias="return")
    order: OrderId
    party: str = Field(description="Who made it: `merchant` or `buyer`.")
    state: str
    amount: int = Field(description="Minor units.")
    currency: str
    note: str | None
    answers: OfferId | None = Field(description="The offer that this one counters.")
    refund: RefundId | None = Field(description="What went out when it was accepted.")
    sequence: int
    created_at: Moment
    updated_at: Moment
    deadlines: list[DeadlineOut]
    actions: list[ActionOut]
    waiting_for: WaitingOut | None


class OffersOut(Out):
    items: list[OfferOut]
    next_cursor: str | None
