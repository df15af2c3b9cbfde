"""Shapes of address changes: where goods that were not sent yet should go instead."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut, DeadlineOut, WaitingOut
from returns_api.api.schemas.base import (
    AddressChangeId,
    In,
    Moment,
    OrderId,
    Out,
    ShortText,
    example,
    example_id,
)
from returns_api.api.schemas.shop import Country

_ADC: Final = example_id("adc")
_ADDRESS: Final[dict[str, Any]] = {
    "name": "Anna Beispiel",
    "street1": "Neue Str. 2",
    "street2": None,
    "city": "Hamburg",
    "region": None,
    "postcode": "20095",
    "country": "DE",
    "phone": None,
}


class DeliveryAddress(In):
    """Where goods are sent to."""

    model_config = example(_ADDRESS)

    name: ShortText
    street1: ShortText
    street2: ShortText | None = None
    city: ShortText
    region: ShortText | None = None
    postcode: ShortText
    country: Country
    phone: ShortText | None = None


class AddressChangeIn(In):
    model_config = example({"address": _ADDRESS})

    address: DeliveryAddress = Field(description="In the country that the order goes to.")


class DeclineAddressChangeIn(In):
    model_config = example({"reason": "dispatched"})

    reason: Literal["dispatched", "not_possible"]


class AddressChangeOut(Out):
    """A wish for another address, how far it is, and what its reader may do about it."""

    model_config = example(
        {
            "address_change": _ADC,
            "order": example_id("ord"),
            "state": "requested",
            "asked_by": "buyer",
            "reason": None,
            "address": _ADDRESS,
            "sequence": 1,
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-21T10:00:00Z",
            "deadlines": [
                {
                    "of": "address change",
                    "href": f"/v1/address-changes/{_ADC}",
                    "kind": "address_answer",
                    "who": "agent",
                    "due_at": "2026-11-22T10:00:00Z",
                    "state": "open",
                    "on_silence": "declined",
                }
            ],
            "actions": [
                {
                    "action": "withdraw",
                    "method": "POST",
                    "href": f"/v1/address-changes/{_ADC}/withdraw",
                    "until": None,
                    "on_silence": None,
                }
            ],
            "waiting_for": {"who": "agent", "to": "apply"},
        }
    )

    address_change: AddressChangeId
    order: OrderId
    state: str
    asked_by: str
    reason: str | None = Field(description="Why it was declined; `no_answer` is the system's word.")
    address: DeliveryAddress | None = Field(
        description="Only where it is read by itself; null once its person was erased."
    )
    sequence: int
    created_at: Moment
    updated_at: Moment
    deadlines: list[DeadlineOut]
    actions: list[ActionOut]
    waiting_for: WaitingOut | None


class AddressChangesOut(Out):
    items: list[AddressChangeOut]
    next_cursor: str | None
