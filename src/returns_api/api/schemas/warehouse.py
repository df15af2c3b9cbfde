"""Shapes of receipts and inspections. No payment data in what the warehouse sends."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut
from returns_api.api.schemas.base import (
    In,
    InspectionId,
    LongText,
    Moment,
    Out,
    PhotoId,
    Quantity,
    ReceiptId,
    RefundId,
    ReturnId,
    ReturnLineId,
    ShortText,
    example,
    example_id,
)
from returns_api.api.schemas.quotes import LINES_MAX

Grade = Literal[
    "sealed",
    "opened_unused",
    "used_like_new",
    "used_worn",
    "damaged_buyer",
    "damaged_transit",
    "defective",
    "incomplete",
    "wrong_item",
    "counterfeit_suspected",
    "empty_box",
]
Disposition = Literal[
    "restock", "refurbish", "resale", "supplier", "recycle", "donate", "destroy", "send_back"
]
_RL, _RET = example_id("rl"), example_id("ret")


class ReceiptLineIn(In):
    return_line: ReturnLineId
    quantity: Quantity


class UnexpectedIn(In):
    """Something in the parcel that nobody announced."""

    sku: ShortText | None = None
    quantity: Quantity = 1
    note: LongText | None = None


class ReceiptIn(In):
    """What was counted in now. Send further parts as further receipts."""

    model_config = example(
        {"reference": "dock-7/2026-11-21/3", "lines": [{"return_line": _RL, "quantity": 1}]}
    )

    reference: ShortText = Field(
        description="Your own name for this receipt: the same one again adds nothing."
    )
    lines: Annotated[list[ReceiptLineIn], Field(min_length=1, max_length=LINES_MAX)]
    unexpected: Annotated[list[UnexpectedIn], Field(max_length=LINES_MAX)] = Field(
        default_factory=list
    )


class ReceiptLineOut(Out):
    return_line: ReturnLineId
    quantity: int


class ReceiptOut(Out):
    model_config = example(
        {
            "receipt": example_id("rec"),
            "return": _RET,
            "reference": "dock-7/2026-11-21/3",
            "at": "2026-11-21T10:00:00Z",
            "lines": [{"return_line": _RL, "quantity": 1}],
            "unexpected": [],
        }
    )

    receipt: ReceiptId
    return_: ReturnId = Field(alias="return")
    reference: str
    at: Moment
    lines: list[ReceiptLineOut]
    unexpected: list[dict[str, Any]]


class ReceiptsOut(Out):
    items: list[ReceiptOut]


class UnitIn(In):
    """One unit as the inspector saw it."""

    return_line: ReturnLineId
    grade: Grade
    disposition: Disposition | None = None
    sku_seen: ShortText | None = None
    photos: Annotated[
        list[PhotoId],
        Field(max_length=20, description="Sent before to `POST /v1/returns/{return}/photos`."),
    ] = Field(default_factory=list)
    note: LongText | None = None


class InspectionIn(In):
    model_config = example(
        {
            "units": [
                {
                    "return_line": _RL,
                    "grade": "used_worn",
                    "sku_seen": "JKT-M-OLIVE",
                    "photos": [],
                    "note": "Make-up on the collar.",
                    "disposition": "resale",
                }
            ],
            "close": False,
        },
        anyOf=[
            {"properties": {"units": {"minItems": 1}}},
            {"properties": {"close": {"const": True}}, "required": ["close"]},
        ],
    )

    units: Annotated[list[UnitIn], Field(max_length=1000)]
    close: bool = Field(
        False, description="Nothing more will come: what is missing can be returned again later."
    )


_UNIT: Final = {
    "return_line": _RL,
    "unit": 1,
    "grade": "used_worn",
    "disposition": "resale",
    "sku_seen": "JKT-M-OLIVE",
    "photos": [],
    "note": None,
    "at": "2026-11-21T10:00:00Z",
}


class UnitOut(Out):
    model_config = example(_UNIT)

    return_line: ReturnLineId
    unit: int
    grade: str
    disposition: str | None
    sku_seen: str | None
    photos: list[str]
    note: str | None
    at: Moment


class FollowingRefundOut(Out):
    """The refund that follows, part by part. Minor units. Not shown to the warehouse."""

    refund: RefundId
    amount: int
    currency: str
    state: str
    parts: list[dict[str, Any]]


class InspectionOut(Out):
    """What was graded, where the return stands, and the refund that follows."""

    model_config = example(
        {
            "inspection": example_id("ins"),
            "return": _RET,
            "state": "refunding",
            "units": [_UNIT],
            "refunds": None,
            "actions": [],
        }
    )

    inspection: InspectionId
    return_: ReturnId = Field(alias="return")
    state: str
    units: list[UnitOut]
    refunds: list[FollowingRefundOut] | None
    actions: list[ActionOut]


class UnitsOut(Out):
    items: list[UnitOut]
