"""Couriers who come for a parcel: ask when, book one time, call it off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from returns_api.ports.carriers import Address, CarrierAccount

Window = tuple[datetime, datetime]
"""From when until when somebody is at home; aware UTC."""


@dataclass(frozen=True, slots=True)
class PickupSlot:
    """A time that the carrier offers, at a price that holds for it."""

    carrier_pickup_id: str
    starts_at: datetime
    ends_at: datetime
    carrier: str
    service: str
    cost_minor: int
    currency: str


class PickupCarrier(Protocol):
    """Raises ``ports.errors`` and nothing else; every call has a total deadline."""

    async def pickup_slots(
        self,
        account: CarrierAccount,
        carrier_shipment_id: str,
        sender: Address,
        windows: Sequence[Window],
    ) -> Sequence[PickupSlot]:
        """What is offered for a bought label within each window, earliest first; costs nothing."""
        ...

    async def book_pickup(self, account: CarrierAccount, slot: PickupSlot) -> str:
        """Book the slot; returns the carrier's confirmation. A second call returns the first's."""
        ...

    async def cancel_pickup(self, account: CarrierAccount, carrier_pickup_id: str) -> bool:
        """Call it off; False when it is too late. Asking twice is harmless and tells the same."""
        ...
