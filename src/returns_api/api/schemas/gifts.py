"""Shapes of what the recipient of a gift sees before it comes back: the gift, and a quote for it.

Neither these nor those of their returns (``gift_returns``) name a price, a payment or a person.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut
from returns_api.api.schemas.base import (
    Code,
    GiftReceiptId,
    In,
    LineId,
    Moment,
    OrderId,
    Out,
    QuoteId,
    ReturnId,
    example,
    example_id,
)
from returns_api.api.schemas.quotes import (
    LINES_MAX,
    FreightOut,
    MethodOut,
    PossibleFee,
    QuoteLineIn,
    QuoteLineOut,
    RefundTiming,
)

_GFT, _LI, _ORD, _QT = (example_id(prefix) for prefix in ("gft", "li", "ord", "qt"))


class GiftReasonOut(Out):
    reason: str
    until: Moment | None
    until_local: str
    methods: list[str]


class GiftLineOut(Out):
    line: LineId
    title: str
    sku: str | None
    quantity: int
    left: int = Field(description="Units that can come back now.")
    reasons: list[GiftReasonOut] = Field(description="Those for which the shop gives store credit.")


class GiftReturnRef(Out):
    return_: ReturnId = Field(alias="return")
    number: str
    state: str
    href: str


class GiftOut(Out):
    """What the holder of a gift receipt may know of it."""

    model_config = example(
        {
            "gift_receipt": _GFT,
            "order": _ORD,
            "number": "#1001",
            "currency": "EUR",
            "expires_at": "2027-02-19T10:00:00Z",
            "open": True,
            "lines": [
                {
                    "line": _LI,
                    "title": "Field jacket, M",
                    "sku": "JKT-M-OLIVE",
                    "quantity": 1,
                    "left": 1,
                    "reasons": [
                        {
                            "reason": "gift_not_wanted",
                            "until": "2027-01-31T22:59:59Z",
                            "until_local": "2027-01-31, end of day, Europe/Berlin",
                            "methods": ["post"],
                        }
                    ],
                }
            ],
            "returns": [],
            "actions": [
                {
                    "action": "quote",
                    "method": "POST",
                    "href": "/v1/gift/quotes",
                    "until": None,
                    "on_silence": None,
                }
            ],
        }
    )

    gift_receipt: GiftReceiptId
    order: OrderId
    number: str = Field(description="Of the order, for talking to the shop.")
    currency: str
    expires_at: Moment
    open: bool = Field(description="Whether returns can still be opened by it.")
    lines: list[GiftLineOut]
    returns: list[GiftReturnRef]
    actions: list[ActionOut]


class GiftQuoteIn(In):
    model_config = example(
        {
            "lines": [{"line": _LI, "quantity": 1, "reason": "gift_not_wanted"}],
            "method": "post",
        }
    )

    lines: Annotated[list[QuoteLineIn], Field(min_length=1, max_length=LINES_MAX)]
    method: Code | None = Field(
        None, description="One that every line offers; left out, the first offered."
    )


class GiftDeductionOut(Out):
    kind: str
    amount: int = Field(description="Minor units, negative.")


class GiftCreditOffer(Out):
    """Minor units of store credit."""

    total: int = Field(description="What the gift counts for, after deductions.")
    deductions: list[GiftDeductionOut]
    bonus: int = Field(description="Added to the total; follows it if less comes back.")


class GiftQuoteOut(Out):
    """A binding offer of store credit: nothing that is not in it is ever deducted."""

    model_config = example(
        {
            "quote": _QT,
            "created_at": "2026-11-21T10:00:00Z",
            "expires_at": "2026-11-24T10:00:00Z",
            "currency": "EUR",
            "method": "post",
            "methods": [{"method": "post", "fee": 490}],
            "lines": [
                {
                    "line": _LI,
                    "title": "Field jacket, M",
                    "quantity": 1,
                    "reason": "gift_not_wanted",
                    "evidence": [],
                }
            ],
            "credit": {
                "total": 8410,
                "deductions": [{"kind": "return_freight", "amount": -490}],
                "bonus": 841,
            },
            "freight": {"payer": "buyer", "fee": 490},
            "when": {"at": "inspection", "within_seconds": 432000},
            "fees_possible_later": [{"line": _LI, "grade": "used_worn", "deduction_ppm": 300000}],
            "actions": [
                {
                    "action": "open",
                    "method": "POST",
                    "href": "/v1/gift/returns",
                    "until": "2026-11-24T10:00:00Z",
                    "on_silence": "expired",
                }
            ],
        }
    )

    quote: QuoteId
    created_at: Moment
    expires_at: Moment
    currency: str
    method: str
    methods: list[MethodOut]
    lines: list[QuoteLineOut]
    credit: GiftCreditOffer
    freight: FreightOut = Field(description="`buyer` stands for whoever sends it: deducted.")
    when: RefundTiming
    fees_possible_later: list[PossibleFee]
    actions: list[ActionOut]
