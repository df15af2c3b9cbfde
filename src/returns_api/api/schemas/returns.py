"""Shapes of quotes, returns, lines, labels, decisions and the next allowed actions."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints

from returns_api.api.schemas.base import (
    Code,
    In,
    LineId,
    LongText,
    Moment,
    OrderId,
    Out,
    PolicyVersionId,
    Quantity,
    QuoteId,
    RefundId,
    ReturnId,
    ReturnLineId,
    ShipmentId,
    Storable,
    example_id,
)

LINES_MAX: Final = 100
_LI, _ORD, _RET = example_id("li"), example_id("ord"), example_id("ret")
_RL, _QT, _PV = example_id("rl"), example_id("qt"), example_id("pv")

Resolution = Literal[
    "refund", "partial_refund", "store_credit", "exchange", "replacement", "repair"
]
Method = Literal["post", "dropoff", "pickup", "in_store", "locker", "keep"]


def example(value: dict[str, Any], **rules: Any) -> ConfigDict:
    """The one example of a shape; the OpenAPI file shows it at every operation that uses it.

    ``rules`` are further members of its schema, for what holds between its fields.
    """
    return ConfigDict(json_schema_extra={"examples": [value], **rules})


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


class PossibleFee(Out):
    line: LineId
    grade: str
    deduction_ppm: int = Field(description="Parts per million of what the unit refunds.")


class FreightOut(Out):
    payer: str
    fee: int = Field(description="Minor units, deducted from the refund.")


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
            "method": "post",
            "lines": [
                {
                    "line": _LI,
                    "title": "Field jacket, M",
                    "quantity": 1,
                    "reason": "size_too_small",
                    "evidence": [],
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
            },
            "freight": {"payer": "buyer", "fee": 490},
            "when": {"at": "inspection", "within_seconds": 432000},
            "fees_possible_later": [{"line": _LI, "grade": "used_worn", "deduction_ppm": 300000}],
            "return": None,
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
    method: str
    lines: list[QuoteLineOut]
    refund: RefundOffer
    freight: FreightOut
    when: RefundTiming
    fees_possible_later: list[PossibleFee]
    return_: ReturnId | None = Field(alias="return", description="The return that accepted it.")


class EvidenceIn(In):
    kind: Code = Field(examples=["photo"])
    url: Annotated[
        str,
        StringConstraints(min_length=9, max_length=2000, pattern=r"^https://[!-~]+$"),
        Storable,
    ] = Field(description="Where the shop keeps it.", examples=["https://cdn.example/p/1.jpg"])


class ReturnLineIn(In):
    """What the buyer adds to a line of the quote."""

    line: LineId
    note: LongText | None = None
    evidence: Annotated[list[EvidenceIn], Field(max_length=20)] = Field(default_factory=list)


class ReturnIn(In):
    """Accept a quote. Amounts, fees and states are the server's; sending one is refused."""

    model_config = example(
        {
            "quote": _QT,
            "lines": [
                {
                    "line": _LI,
                    "note": "Too tight at the shoulders.",
                    "evidence": [{"kind": "photo", "url": "https://cdn.example/p/1.jpg"}],
                }
            ],
        }
    )

    quote: QuoteId
    lines: Annotated[list[ReturnLineIn], Field(max_length=LINES_MAX)] = Field(default_factory=list)


class ReturnLineOut(Out):
    return_line: ReturnLineId
    line: LineId
    title: str
    sku: str | None
    quantity: int
    units: list[int] = Field(description="Unit numbers of the order line.")
    reason: str
    fault: str
    condition: str | None
    note: str | None
    evidence: list[dict[str, str]]
    state: str
    received: int
    inspected: int
    decision_code: str | None
    decision_note: str | None


class LabelOut(Out):
    shipment: ShipmentId
    state: str
    carrier: str | None
    service: str | None
    tracking: str | None
    url: str | None


class MoneyOut(Out):
    """Minor units. Not shown to the warehouse."""

    expected: int = Field(description="What the accepted quote promised.")
    refunded: int = Field(description="What the provider confirmed so far.")
    due_by: Moment | None
    refunds: list[RefundId]


class ActionOut(Out):
    action: str
    method: str
    href: str
    until: Moment | None = Field(description="The deadline, where there is one.")
    on_silence: str | None = Field(description="What the return becomes when nobody acts.")


class WaitingOut(Out):
    who: str
    to: str


class ReturnOut(Out):
    """A return and what its caller may do next."""

    model_config = example(
        {
            "return": _RET,
            "number": "#1001-R1",
            "order": _ORD,
            "quote": _QT,
            "policy_version": _PV,
            "state": "approved",
            "decided_by": "system",
            "resolution": "refund",
            "method": "post",
            "currency": "EUR",
            "sequence": 1,
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-21T10:00:00Z",
            "lines": [
                {
                    "return_line": _RL,
                    "line": _LI,
                    "title": "Field jacket, M",
                    "sku": "JKT-M-OLIVE",
                    "quantity": 1,
                    "units": [1],
                    "reason": "size_too_small",
                    "fault": "buyer",
                    "condition": None,
                    "note": None,
                    "evidence": [],
                    "state": "approved",
                    "received": 0,
                    "inspected": 0,
                    "decision_code": None,
                    "decision_note": None,
                }
            ],
            "label": {
                "shipment": example_id("shm"),
                "state": "label_ready",
                "carrier": "DHL",
                "service": "Returns",
                "tracking": "EZ1000000001",
                "url": "https://carrier.example/labels/1.pdf",
            },
            "money": {"expected": 8410, "refunded": 0, "due_by": None, "refunds": []},
            "info_request": None,
            "actions": [
                {
                    "action": "ship",
                    "method": "POST",
                    "href": f"/v1/returns/{_RET}/ship",
                    "until": "2026-12-05T10:00:00Z",
                    "on_silence": "expired",
                },
                {
                    "action": "cancel",
                    "method": "POST",
                    "href": f"/v1/returns/{_RET}/cancel",
                    "until": None,
                    "on_silence": None,
                },
            ],
            "waiting_for": {"who": "buyer", "to": "ship"},
            "timeline": f"/v1/returns/{_RET}/events",
        }
    )

    return_: ReturnId = Field(alias="return")
    number: str
    order: OrderId
    quote: QuoteId
    policy_version: PolicyVersionId
    state: str
    decided_by: str | None
    resolution: str
    method: str
    currency: str
    sequence: int
    created_at: Moment
    updated_at: Moment
    lines: list[ReturnLineOut]
    label: LabelOut | None
    money: MoneyOut | None
    info_request: str | None
    actions: list[ActionOut]
    waiting_for: WaitingOut | None
    timeline: str


class ReturnsOut(Out):
    items: list[ReturnOut]
    next_cursor: str | None


class ReviewIn(In):
    """Which lines; left out, every undecided one."""

    model_config = example({"lines": [_RL]})

    lines: Annotated[list[ReturnLineId], Field(min_length=1, max_length=LINES_MAX)] | None = None


class RejectIn(In):
    model_config = example(
        {"code": "worn", "note": "Worn outside, see your photo.", "lines": [_RL]}
    )

    code: Code = Field(description="Why, for machines.")
    note: LongText | None = Field(None, description="Why, for the buyer.")
    lines: Annotated[list[ReturnLineId], Field(min_length=1, max_length=LINES_MAX)] | None = None


class InfoIn(In):
    model_config = example({"question": "Which part is broken?"})

    question: LongText


class DecisionOut(Out):
    """The decision of each line as it was stored with the quote, whole."""

    model_config = example(
        {
            "return": _RET,
            "policy_version": _PV,
            "at": "2026-11-21T09:12:44Z",
            "digest": "sha256:9f2b",
            "facts": {_LI: {"reason": "size_too_small", "delivered_at": "2026-11-06T13:03:00Z"}},
            "lines": {_LI: {"eligible": True, "fault": "buyer", "terms": []}},
        }
    )

    return_: ReturnId = Field(alias="return")
    policy_version: PolicyVersionId
    at: Moment
    digest: str
    facts: dict[str, Any]
    lines: dict[str, Any]


class EventOut(Out):
    """One thing that happened; never changed afterwards."""

    event: str
    type: str
    at: Moment
    actor: str
    reason: str | None
    sequence: int
    data: dict[str, Any]


class TimelineOut(Out):
    model_config = example(
        {
            "items": [
                {
                    "event": example_id("evt"),
                    "type": "return.opened",
                    "at": "2026-11-21T10:00:00Z",
                    "actor": "buyer",
                    "reason": None,
                    "sequence": 1,
                    "data": {"state": "approved"},
                }
            ],
            "next_cursor": None,
        }
    )

    items: list[EventOut]
    next_cursor: str | None


class ReasonOut(Out):
    reason: str
    eligible: bool
    until: Moment | None = Field(description="Of the first resolution; null without end.")
    until_local: str | None
    resolutions: list[str]
    methods: list[str]
    freight: FreightOut
    evidence: list[EvidenceOut]
    because: list[dict[str, Any]]
    flips_if: list[dict[str, Any]] = Field(
        description="The smallest changes that would turn a refusal."
    )


class ReturnableLineOut(Out):
    line: LineId
    title: str
    delivered: int
    open: int = Field(description="Units in returns, and units returned before.")
    returned_elsewhere: int
    left: int
    reasons: list[ReasonOut]


class ReturnableOut(Out):
    model_config = example(
        {
            "order": _ORD,
            "number": "#1001",
            "currency": "EUR",
            "policy_version": _PV,
            "lines": [
                {
                    "line": _LI,
                    "title": "Field jacket, M",
                    "delivered": 2,
                    "open": 1,
                    "returned_elsewhere": 0,
                    "left": 1,
                    "reasons": [
                        {
                            "reason": "size_too_small",
                            "eligible": True,
                            "until": "2026-12-06T22:59:59Z",
                            "until_local": "2026-12-06, end of day, Europe/Berlin",
                            "resolutions": ["refund", "exchange"],
                            "methods": ["post", "dropoff"],
                            "freight": {"payer": "buyer", "fee": 490},
                            "evidence": [],
                            "because": [],
                            "flips_if": [],
                        }
                    ],
                }
            ],
        }
    )

    order: OrderId
    number: str
    currency: str
    policy_version: PolicyVersionId
    lines: list[ReturnableLineOut]
