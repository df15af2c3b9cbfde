"""Shapes of returns: lines, money, decisions, the timeline."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut, DeadlineOut, WaitingOut
from returns_api.api.schemas.base import (
    ExchangeId,
    GiftReceiptId,
    LineId,
    Moment,
    OrderId,
    Out,
    PolicyVersionId,
    QuoteId,
    RecoveryId,
    RefundId,
    ReturnId,
    ReturnLineId,
    example,
    example_id,
)
from returns_api.api.schemas.labels import LabelOut

_LI, _ORD, _RET = example_id("li"), example_id("ord"), example_id("ret")
_RL, _QT, _PV = example_id("rl"), example_id("qt"), example_id("pv")


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


class AdvanceOut(Out):
    """Money, or new goods, before the old ones are seen: given, or declined and why."""

    state: str = Field(description="`outstanding` until the goods are judged or their time ends.")
    amount: int = Field(description="Minor units: given, or what would have been.")
    reason: str | None = Field(description="Why it was declined; money or goods come as promised.")
    refund: RefundId | None = Field(description="That gave it in money.")
    exchange: ExchangeId | None = Field(description="That gave it in goods.")
    recover_by: Moment | None = Field(description="When goods that did not come are charged back.")
    recovery: RecoveryId | None = Field(description="What has to be paid back, if anything.")


class MoneyOut(Out):
    """Minor units. Not shown to the warehouse."""

    expected: int = Field(description="What the accepted quote promised.")
    refunded: int = Field(description="What the provider confirmed so far.")
    due_by: Moment | None = Field(
        description="The earlier of what the policy promised and what the law demands, once known."
    )
    due_by_law: str | None = Field(description="The law that names `due_by`, null for the policy.")
    refunds: list[RefundId]
    advance: AdvanceOut | None = Field(
        description="Null where the policy lets nothing go out before the goods are seen."
    )


class SignalOut(Out):
    """A signal of the policy, or `block_list`, and the facts of the buyer that it looked at."""

    signal: str
    because: dict[str, Any]


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
            "exchange": None,
            "repair": None,
            "method": "post",
            "gift_receipt": None,
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
                "qr_url": None,
                "documents": [],
            },
            "money": {
                "expected": 8410,
                "refunded": 0,
                "due_by": None,
                "due_by_law": None,
                "refunds": [],
                "advance": None,
            },
            "info_request": None,
            "info_answer": None,
            "deadlines": [
                {
                    "of": "return",
                    "href": f"/v1/returns/{_RET}",
                    "kind": "ship",
                    "who": "buyer",
                    "due_at": "2026-12-05T10:00:00Z",
                    "state": "open",
                    "on_silence": "expired",
                }
            ],
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
            "signals": [{"signal": "many-returns", "because": {"returns_30_days": 7}}],
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
    exchange: str | None = Field(
        description="Where the buyer gets goods: the list of its exchanges, one for each line, and"
        " what to do there."
    )
    repair: str | None = Field(
        description="Where the goods are repaired: the list with the repair, and what to do there."
    )
    method: str
    gift_receipt: GiftReceiptId | None = Field(
        description="By which it was opened, for a gift that its recipient brings back: tell no"
        " buyer of it. Its credit is the recipient's."
    )
    currency: str
    sequence: int
    created_at: Moment
    updated_at: Moment
    lines: list[ReturnLineOut]
    label: LabelOut | None
    money: MoneyOut | None
    info_request: str | None = Field(description="What the shop asked last.")
    info_answer: str | None = Field(description="What was answered to that.")
    deadlines: list[DeadlineOut]
    actions: list[ActionOut]
    waiting_for: WaitingOut | None
    timeline: str
    signals: list[SignalOut] | None = Field(
        description="What had a person look at it, for who may review returns; else null."
    )


class ReturnsOut(Out):
    items: list[ReturnOut]
    next_cursor: str | None


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
