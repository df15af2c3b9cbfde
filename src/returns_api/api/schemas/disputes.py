"""Shapes of disputes: a claim, both sides' statements, the platform's rulings."""

from __future__ import annotations

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut, DeadlineOut, WaitingOut
from returns_api.api.schemas.base import (
    DisputeId,
    In,
    LongText,
    Minor,
    Moment,
    OrderId,
    Out,
    PositiveMinor,
    RefundId,
    ReturnId,
    example,
    example_id,
)

_DSP, _RET, _ORD = example_id("dsp"), example_id("ret"), example_id("ord")


class DisputeIn(In):
    model_config = example({"claim": 8410, "statement": "It came with the stain on it."})

    claim: PositiveMinor = Field(description="What the buyer wants, in minor units.")
    statement: LongText


class StatementIn(In):
    model_config = example({"statement": "Our photo at packing shows no stain."})

    statement: LongText


class RulingIn(In):
    model_config = example({"award": 4200, "reason": "Both share the cause."})

    award: Minor = Field(description="Of what was claimed, in minor units; 0 for the merchant.")
    reason: LongText


class StatementOut(Out):
    party: str = Field(description="`buyer` or `merchant`.")
    text: str | None = Field(description="Null once its person was erased.")
    at: Moment


class DisputeOut(Out):
    """What is contested, what both sides say, how it was ruled, and what its reader may do."""

    model_config = example(
        {
            "dispute": _DSP,
            "return": _RET,
            "order": _ORD,
            "state": "evidence",
            "claim": 8410,
            "award": None,
            "currency": "EUR",
            "ruling": None,
            "appealed_by": None,
            "refund": None,
            "statements": [
                {
                    "party": "buyer",
                    "text": "It came with the stain on it.",
                    "at": "2026-11-21T10:00:00Z",
                }
            ],
            "sequence": 1,
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-21T10:00:00Z",
            "deadlines": [
                {
                    "of": "dispute",
                    "href": f"/v1/disputes/{_DSP}",
                    "kind": "evidence",
                    "who": "agent",
                    "due_at": "2026-11-28T10:00:00Z",
                    "state": "open",
                    "on_silence": "review",
                }
            ],
            "actions": [
                {
                    "action": "add_evidence",
                    "method": "POST",
                    "href": f"/v1/disputes/{_DSP}/evidence",
                    "until": "2026-11-28T10:00:00Z",
                    "on_silence": "review",
                }
            ],
            "waiting_for": {"who": "agent", "to": "add_evidence"},
        }
    )

    dispute: DisputeId
    return_: ReturnId = Field(alias="return")
    order: OrderId
    state: str
    claim: int = Field(description="Minor units.")
    award: int | None = Field(description="What the last ruling gives the buyer, in minor units.")
    currency: str
    ruling: str | None = Field(description="Its reason.")
    appealed_by: str | None = Field(description="`buyer` or `merchant`.")
    refund: RefundId | None = Field(description="What went out when a ruling became final.")
    statements: list[StatementOut]
    sequence: int
    created_at: Moment
    updated_at: Moment
    deadlines: list[DeadlineOut]
    actions: list[ActionOut]
    waiting_for: WaitingOut | None


class DisputesOut(Out):
    items: list[DisputeOut]
    next_cursor: str | None
