"""Shapes of cancellations: units of an order that end without a return."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut, DeadlineOut, WaitingOut
from returns_api.api.schemas.base import (
    CancellationId,
    In,
    LineId,
    Moment,
    OrderId,
    Out,
    Quantity,
    RefundId,
    ShortText,
    example,
    example_id,
)

LINES_MAX: Final = 500
_CAN, _ORD, _LI = example_id("can"), example_id("ord"), example_id("li")
_CAUSES: Final = (
    "`before_dispatch`: not to be sent at all. With a `parcel`: `recalled`, to be turned back on"
    " its way; `refused` at the door; `lost`; `not_received`, whatever its tracking says. A buyer"
    " can say the first, the second and the last."
)


class CancelledLineIn(In):
    line: LineId
    quantity: Quantity


Lines = Annotated[list[CancelledLineIn], Field(max_length=LINES_MAX)]


class CancellationIn(In):
    model_config = example({"cause": "before_dispatch", "lines": [{"line": _LI, "quantity": 1}]})

    cause: Literal["before_dispatch", "recalled", "refused", "lost", "not_received"] = Field(
        "before_dispatch", description=_CAUSES
    )
    parcel: ShortText | None = Field(
        None, description="The `external_id` of a parcel of the order, once it was sent."
    )
    lines: Lines = Field(
        default_factory=list, description="Left out: all that is left of the order or parcel."
    )


class ConfirmCancellationIn(In):
    model_config = example({"lines": [{"line": _LI, "quantity": 1}]})

    lines: Lines = Field(
        default_factory=list,
        description="What could be stopped, where that is not all; the rest can be returned.",
    )


class DeclineCancellationIn(In):
    model_config = example({"reason": "too_late"})

    reason: Literal["too_late", "delivered", "not_possible"]


class CancelledLineOut(Out):
    line: LineId
    title: str
    sku: str | None
    quantity: int = Field(description="Units that were asked for.")
    held: int = Field(description="Units of it that are (still) cancelled.")


_EXAMPLE: Final[dict[str, Any]] = {
    "cancellation": _CAN,
    "order": _ORD,
    "cause": "before_dispatch",
    "parcel": None,
    "state": "requested",
    "asked_by": "buyer",
    "reason": None,
    "refund": None,
    "overrun": 0,
    "lines": [
        {
            "line": _LI,
            "title": "Field jacket, M",
            "sku": "JKT-M-OLIVE",
            "quantity": 1,
            "held": 1,
        }
    ],
    "sequence": 1,
    "created_at": "2026-11-21T10:00:00Z",
    "updated_at": "2026-11-21T10:00:00Z",
    "deadlines": [
        {
            "of": "cancellation",
            "href": f"/v1/cancellations/{_CAN}",
            "kind": "cancel_answer",
            "who": "agent",
            "due_at": "2026-11-22T10:00:00Z",
            "state": "open",
            "on_silence": "confirmed",
        }
    ],
    "actions": [
        {
            "action": "withdraw",
            "method": "POST",
            "href": f"/v1/cancellations/{_CAN}/withdraw",
            "until": None,
            "on_silence": None,
        }
    ],
    "waiting_for": {"who": "agent", "to": "confirm"},
}


class CancellationOut(Out):
    """What is cancelled, how far it is, and what its reader may do about it."""

    model_config = example(_EXAMPLE)

    cancellation: CancellationId
    order: OrderId
    cause: str
    parcel: str | None = Field(description="The shop platform's own id of the parcel.")
    state: str
    asked_by: str
    reason: str | None = Field(
        description="Why it was declined; `dispatched` and `no_answer` are the system's words."
    )
    refund: RefundId | None = Field(description="What went back; null where nothing was paid.")
    overrun: int = Field(description="Units that were sent although they had been stopped.")
    lines: list[CancelledLineOut]
    sequence: int
    created_at: Moment
    updated_at: Moment
    deadlines: list[DeadlineOut]
    actions: list[ActionOut]
    waiting_for: WaitingOut | None


class CancellationsOut(Out):
    items: list[CancellationOut]
    next_cursor: str | None
