"""Shapes of withdrawals from a contract."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut
from returns_api.api.schemas.base import (
    In,
    LineId,
    Moment,
    OrderId,
    Out,
    Quantity,
    ReturnId,
    ShortText,
    WithdrawalId,
    example,
    example_id,
)
from returns_api.api.schemas.notifications import MailAddress

LINES_MAX: Final = 500
_WDR: Final = example_id("wdr")
_ACKNOWLEDGED: Final[dict[str, Any]] = {
    "withdrawal": _WDR,
    "order": example_id("ord"),
    "state": "opened",
    "name": "Ada Lovelace",
    "contact": "ada@example.com",
    "lines": [
        {
            "line": example_id("li"),
            "title": "Field jacket, M",
            "sku": "JKT-M-OLIVE",
            "quantity": 1,
        }
    ],
    "language": "en",
    "submitted_at": "2026-11-21T09:12:44Z",
    "confirmed_at": "2026-11-21T09:13:02Z",
    "acknowledgement": {
        "received_at": "2026-11-21T09:13:02Z",
        "text": "This confirms that we have received your withdrawal …",
        "seal": "5f0c4f4e0b9d4f0a9a595f0c4f4e0b9d4f0a9a595f0c4f4e0b9d4f0a9a590123",
    },
    "return": example_id("ret"),
    "problem": None,
    "sequence": 3,
    "actions": [],
}


class WithdrawnLineIn(In):
    line: LineId
    quantity: Quantity


class WithdrawalIn(In):
    """The statement: who, from what, and where its acknowledgement is to be sent."""

    model_config = example(
        {
            "name": "Ada Lovelace",
            "contact": "ada@example.com",
            "lines": [{"line": example_id("li"), "quantity": 1}],
        }
    )

    name: ShortText
    contact: MailAddress = Field(description="Where the acknowledgement of receipt is sent.")
    lines: Annotated[list[WithdrawnLineIn], Field(max_length=LINES_MAX)] = Field(
        default_factory=list, description="Left out: all goods of the order."
    )


class WithdrawnLineOut(Out):
    line: LineId
    title: str
    sku: str | None
    quantity: int


class AcknowledgementOut(Out):
    """Receipt of the withdrawal: kept for ever, never changed, fit to be saved by the buyer."""

    received_at: Moment = Field(description="The exact time that counts.")
    text: str = Field(description="What was sent to `contact`; without the person once erased.")
    seal: str = Field(description="Keyed hash over all of it, in hex: nobody changed it since.")


class WithdrawalOut(Out):
    """A withdrawal from a contract."""

    model_config = example(_ACKNOWLEDGED)

    withdrawal: WithdrawalId
    order: OrderId
    state: str
    name: str | None = Field(description="Null once the person was erased.")
    contact: str | None
    lines: list[WithdrawnLineOut]
    language: str
    submitted_at: Moment
    confirmed_at: Moment | None
    acknowledgement: AcknowledgementOut | None
    return_: ReturnId | None = Field(alias="return")
    problem: str | None = Field(description="Why no return could be opened: a stable code.")
    sequence: int
    actions: list[ActionOut]


class WithdrawalsOut(Out):
    """A page of withdrawals, newest first."""

    items: list[WithdrawalOut]
    next_cursor: str | None
