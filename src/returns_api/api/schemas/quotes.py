"""Shapes of a quote: what the buyer wants, what it will pay and what may be deducted later."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut
from returns_api.api.schemas.base import (
    Code,
    In,
    LineId,
    Moment,
    OrderId,
    Out,
    PolicyVersionId,
    Quantity,
    QuoteId,
    ReturnId,
    example,
    example_id,
)

LINES_MAX: Final = 100
_LI, _ORD = example_id("li"), example_id("ord")
_QT, _PV = example_id("qt"), example_id("pv")

Resolution = Literal[
    "refund", "partial_refund", "store_credit", "exchange", "replacement", "repair"
]
Method = Literal["post", "dropoff", "pickup", "in_store", "locker", "keep"]


class QuoteLineIn(In):
    line: LineId
    quantity: Quantity
    reason: Code = Field(description="A code of `GET /v1/reasons`.", examples=["size_too_small"])
    condition: Code | None = Field(
        None, description="The condition that the buyer claims.", examples=["sealed"]
    )


class QuoteIn(In):
    """What the buyer wants to send back, why, and what for."""

    model_config = example(
        {
            "order": _ORD,
            "lines": [{"line": _LI, "quantity": 1, "reason": "size_too_small"}],
            "resolution": "refund",
            "method": "post",
        }
    )

    order: OrderId
    lines: Annotated[list[QuoteLineIn], Field(min_length=1, max_length=LINES_MAX)]
    resolution: Code = Field("refund", description="One that every line offers.")
    method: Code | None = Field(
        None, description="One that every line offers; left out, the first offered."
    )


_PART: Final = {
    "kind": "goods",
    "line": _LI,
    "unit": 1,
    "amount": 8900,
    "of": {
        "price": 9900,
        "line_discount": 0,
        "order_discount": -1000,
        "tax_added": 0,
        "adjustment": 0,
        "tax_included": 1421,
    },
    "because": None,
}


class PartOut(Out):
    """One summand of the total; deductions are negative. Minor units."""

    kind: str
    line: LineId | None
    unit: int | None
    amount: int
    of: dict[str, int] | None = Field(description="What the unit's share is made of.")
    because: dict[str, Any] | None = Field(description="The rule behind a deduction.")


class RefundOffer(Out):
    total: int = Field(description="Minor units.")
    parts: list[PartOut]
    bonus: int = Field(
        description="Added to the total for taking store credit; follows it if less comes back."
    )


class RefundTiming(Out):
    at: str = Field(description="request, first_scan, receipt or inspection")
    within_seconds: int | None = Field(description="From that moment on.")


class EvidenceOut(Out):
    kind: str
    minimum: int


class QuoteLineOut(Out):
    line: LineId
    title: str
    quantity: int
    reason: str
    evidence: list[EvidenceOut] = Field(description="What opening the return will need.")


class QuotedLineOut(QuoteLineOut):
    """A line, and what it is worth against goods where the buyer gets some."""

    counts_for: int | None = Field(
        description="Where the buyer gets goods: what the units of this line count for against"
        " those, less its share of the freight. All lines together are the total; minor units."
    )
    fallback: str | None = Field(
        description="Where the buyer gets goods: what it is settled as if they give those up."
    )


class PossibleFee(Out):
    line: LineId
    grade: str
    deduction_ppm: int = Field(description="Parts per million of what the unit refunds.")


class FreightOut(Out):
    payer: str
    fee: int = Field(description="Minor units, deducted from the refund.")


class MethodOut(Out):
    """A way back that every line of the quote offers."""

    method: str
    fee: int = Field(description="What the buyer would pay for it, in minor units.")


class RepairOfferOut(Out):
    """What a repair can cost. Minor units; a workshop quotes the repair itself, to be agreed to."""

    free: bool = Field(description="The policy or a law covers it: nothing is ever charged.")
    freight: int = Field(description="The way to the repair point.")
    if_declined: int = Field(
        description="The most that is due, freight included, if you decline the workshop's quote."
    )
    replacement: bool = Field(description="Whether the same goods again can be taken instead.")


class QuoteOut(Out):
    """A binding offer: nothing that is not in it is ever deducted."""

    model_config = example(
        {
            "quote": _QT,
            "order": _ORD,
            "created_at": "2026-11-21T10:00:00Z",
            "expires_at": "2026-11-24T10:00:00Z",
            "binding": True,
            "policy_version": _PV,
            "currency": "EUR",
            "resolution": "refund",
            "fallback": None,
            "repair": None,
            "method": "post",
            "methods": [{"method": "post", "fee": 490}, {"method": "pickup", "fee": 790}],
            "lines": [
                {
                    "line": _LI,
                    "title": "Field jacket, M",
                    "quantity": 1,
                    "reason": "size_too_small",
                    "evidence": [],
                    "counts_for": None,
                    "fallback": None,
                }
            ],
            "refund": {
                "total": 8410,
                "parts": [
                    _PART,
                    {
                        "kind": "return_freight",
                        "line": None,
                        "unit": None,
                        "amount": -490,
                        "of": None,
                        "because": {"rule": "return_shipping", "payer": "buyer"},
                    },
                ],
                "bonus": 0,
            },
            "freight": {"payer": "buyer", "fee": 490},
            "when": {"at": "inspection", "within_seconds": 432000},
            "fees_possible_later": [{"line": _LI, "grade": "used_worn", "deduction_ppm": 300000}],
            "return": None,
            "actions": [
                {
                    "action": "open",
                    "method": "POST",
                    "href": "/v1/returns",
                    "until": "2026-11-24T10:00:00Z",
                    "on_silence": "expired",
                }
            ],
        }
    )

    quote: QuoteId
    order: OrderId
    created_at: Moment
    expires_at: Moment
    binding: bool
    policy_version: PolicyVersionId
    currency: str
    resolution: str
    fallback: str | None = Field(
        description="Where the buyer gets goods: what the return is settled as if they give those"
        " up; null where its lines differ, each of which says its own. What the shop cannot deliver"
        " is refunded. Where goods are repaired: the money that can be taken instead, if any."
    )
    repair: RepairOfferOut | None = Field(description="With the resolution `repair` only.")
    method: str
    methods: list[MethodOut] = Field(
        description="What else could be chosen, by a quote of its own; the first is the usual one."
    )
    lines: list[QuotedLineOut]
    refund: RefundOffer
    freight: FreightOut
    when: RefundTiming
    fees_possible_later: list[PossibleFee]
    return_: ReturnId | None = Field(alias="return", description="The return that accepted it.")
    actions: list[ActionOut] = Field(description="What you may do now: accept it, in time.")
