"""Shapes of pickups: a courier comes for the parcel."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from returns_api.api.schemas.actions import ActionOut, DeadlineOut, WaitingOut
from returns_api.api.schemas.base import (
    In,
    Moment,
    OrderId,
    Out,
    PickupId,
    ReturnId,
    Storable,
    example,
    example_id,
)

_PKU, _RET, _ORD = example_id("pku"), example_id("ret"), example_id("ord")
_SLOT = "gAAAAABnYXJl…"
SlotToken = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[A-Za-z0-9_=-]+$"), Storable
]


class SlotOut(Out):
    """A time at which a courier would come."""

    slot: str = Field(description="Send it to choose this time.")
    from_: Moment = Field(alias="from")
    until: Moment
    choose_by: Moment = Field(description="Ask again after that.")


class SlotsOut(Out):
    """Times that the carrier offers now, earliest first; maybe none."""

    model_config = example(
        {
            "items": [
                {
                    "slot": _SLOT,
                    "from": "2026-11-24T08:00:00Z",
                    "until": "2026-11-24T12:00:00Z",
                    "choose_by": "2026-11-21T11:00:00Z",
                }
            ]
        }
    )

    items: list[SlotOut]


class PickupIn(In):
    model_config = example({"slot": "gAAAAABnYXJl"})

    slot: SlotToken = Field(description="One that was offered for this return.")


class PickupOut(Out):
    """A courier's visit, and what its reader may do about it."""

    model_config = example(
        {
            "pickup": _PKU,
            "return": _RET,
            "order": _ORD,
            "state": "booked",
            "from": "2026-11-24T08:00:00Z",
            "until": "2026-11-24T12:00:00Z",
            "carrier": "UPS",
            "confirmation": "PU0000000001",
            "sequence": 2,
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-21T10:00:05Z",
            "deadlines": [
                {
                    "of": "pickup",
                    "href": f"/v1/pickups/{_PKU}",
                    "kind": "pickup_scan",
                    "who": "system",
                    "due_at": "2026-11-25T12:00:00Z",
                    "state": "open",
                    "on_silence": "missed",
                }
            ],
            "actions": [
                {
                    "action": "cancel",
                    "method": "POST",
                    "href": f"/v1/pickups/{_PKU}/cancel",
                    "until": None,
                    "on_silence": None,
                }
            ],
            "waiting_for": {"who": "system", "to": "collect"},
        }
    )

    pickup: PickupId
    return_: ReturnId = Field(alias="return")
    order: OrderId
    state: str
    from_: Moment = Field(alias="from")
    until: Moment
    carrier: str
    confirmation: str | None = Field(description="The carrier's, once it confirmed the time.")
    sequence: int
    created_at: Moment
    updated_at: Moment
    deadlines: list[DeadlineOut]
    actions: list[ActionOut]
    waiting_for: WaitingOut | None


class PickupsOut(Out):
    items: list[PickupOut]
    next_cursor: str | None
