"""Shapes of transport claims: money that carriers and insurers owe."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut, DeadlineOut, WaitingOut
from returns_api.api.schemas.base import (
    ClaimId,
    In,
    LongText,
    Moment,
    OrderId,
    Out,
    PositiveMinor,
    RefundId,
    ReturnId,
    ShortText,
    example,
    example_id,
)

_CLM, _RET, _ORD = example_id("clm"), example_id("ret"), example_id("ord")


class ClaimIn(In):
    model_config = example({"cause": "stalled", "amount": 8410, "note": "No scan for ten days."})

    cause: Literal["lost", "stalled", "damaged"]
    amount: PositiveMinor | None = Field(
        None, description="What is claimed; left out, what the return was promised to refund."
    )
    note: LongText | None = None


class SubmitIn(In):
    model_config = example({"reference": "NF-2026-004711"})

    reference: ShortText = Field(description="The number of the claim with them.")


class AcceptIn(In):
    model_config = example({"amount": 5000})

    amount: PositiveMinor | None = Field(None, description="Left out: all that was claimed.")


class RejectIn(In):
    model_config = example({"note": "Packed badly, they say."})

    note: LongText


class PaidIn(In):
    model_config = example({"reference": "wire 2026-12-01/17"})

    reference: ShortText = Field(description="The evidence of the payment.")


class TransportClaimOut(Out):
    """What the shop wants of a carrier or of an insurer, and what its reader may do about it."""

    model_config = example(
        {
            "claim": _CLM,
            "return": _RET,
            "order": _ORD,
            "against": "carrier",
            "cause": "lost",
            "state": "opened",
            "claimed": 8410,
            "accepted": None,
            "currency": "EUR",
            "reference": None,
            "payment_reference": None,
            "note": None,
            "refund": None,
            "sequence": 1,
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-21T10:00:00Z",
            "deadlines": [
                {
                    "of": "transport claim",
                    "href": f"/v1/transport-claims/{_CLM}",
                    "kind": "claim_submit",
                    "who": "agent",
                    "due_at": "2026-12-05T10:00:00Z",
                    "state": "open",
                    "on_silence": "overdue",
                }
            ],
            "actions": [
                {
                    "action": "submit",
                    "method": "POST",
                    "href": f"/v1/transport-claims/{_CLM}/submit",
                    "until": "2026-12-05T10:00:00Z",
                    "on_silence": "overdue",
                }
            ],
            "waiting_for": {"who": "agent", "to": "submit"},
        }
    )

    claim: ClaimId
    return_: ReturnId = Field(alias="return")
    order: OrderId
    against: str = Field(description="`carrier`, or `insurer` for insured return freight.")
    cause: str
    state: str
    claimed: int = Field(description="Minor units.")
    accepted: int | None = Field(description="What they owe or paid, in minor units.")
    currency: str
    reference: str | None = Field(description="The number of the claim with them.")
    payment_reference: str | None
    note: str | None
    refund: RefundId | None = Field(description="What the buyer got of insured freight.")
    sequence: int
    created_at: Moment
    updated_at: Moment
    deadlines: list[DeadlineOut]
    actions: list[ActionOut]
    waiting_for: WaitingOut | None


class TransportClaimsOut(Out):
    items: list[TransportClaimOut]
    next_cursor: str | None
