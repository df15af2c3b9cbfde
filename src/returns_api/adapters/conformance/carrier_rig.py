"""What a carrier adapter's author has to bring: the rig, and what a check takes for granted."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from returns_api.adapters.conformance import Check, Fault
from returns_api.ports.carriers import (
    Address,
    Capability,
    Carrier,
    CarrierAccount,
    Label,
    LabelRequest,
    TrackingStatus,
)

BUYER = Address("Ada Buyer", "Hauptstr. 1", "Berlin", "10115", "DE")
SHOP = Address("Returns dept.", "417 Montgomery St", "San Francisco", "94104", "US", region="CA")


class CarrierRig(Protocol):
    """An adapter and the carrier behind it."""

    @property
    def carrier(self) -> Carrier: ...

    account: CarrierAccount
    stranger: CarrierAccount
    """Same place, credentials that are not valid."""
    unreachable: CarrierAccount
    """A place where nothing listens."""
    deadline_seconds: float
    service: str | None
    """A service that is offered and is not the cheapest; None without ``RATES``."""

    async def misbehave(self, fault: Fault, *, reading: bool = False) -> None:
        """Do this with the next purchase, or with the next read."""
        ...

    async def misbehave_with_courier(self, fault: Fault) -> None:
        """Do this with the next booking of a pickup. Not called without ``PICKUPS``."""
        ...

    async def couriers(self, carrier_pickup_id: str) -> int:
        """How often the carrier's books hold this pickup as booked. As above."""
        ...

    async def bought(self, reference: str) -> int:
        """How many labels the carrier's books hold for our reference."""
        ...

    async def scan(self, carrier_shipment_id: str, status: TrackingStatus) -> None:
        """Let the parcel be scanned."""
        ...

    async def webhooks(self) -> Sequence[bytes]:
        """Bodies of the webhooks that were sent since the rig was made, all of them genuine."""
        ...

    def sign(self, secret: str, body: bytes, at: datetime) -> Mapping[str, str]:
        """The carrier's signature headers, names in lower case."""
        ...


def request_for(service: str | None = None) -> LabelRequest:
    """A parcel from a buyer that nobody asked for before."""
    return LabelRequest(f"shm_{secrets.token_hex(10)}", BUYER, SHOP, 850, service)


async def bought(rig: CarrierRig, request: LabelRequest) -> tuple[str, Label]:
    """A label, and the name under which it was prepared."""
    shipment = await rig.carrier.prepare_label(rig.account, request)
    return shipment, await rig.carrier.buy_label(rig.account, shipment, request)


CarrierCheck = Check[CarrierRig]
NEEDS: dict[CarrierCheck, frozenset[Capability]] = {}
LACKS: dict[CarrierCheck, Capability] = {}


def needs(*needed: Capability) -> Callable[[CarrierCheck], CarrierCheck]:
    """Marks a check with what the adapter has to offer for it."""

    def mark(check: CarrierCheck) -> CarrierCheck:
        NEEDS[check] = frozenset(needed)
        return check

    return mark


def without(missing: Capability) -> Callable[[CarrierCheck], CarrierCheck]:
    """Marks a check of adapters that do not offer it."""

    def mark(check: CarrierCheck) -> CarrierCheck:
        LACKS[check] = missing
        return check

    return mark
