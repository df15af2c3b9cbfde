"""Carriers as the house sees them: buy one label, never two, and follow the parcel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class TrackingStatus(StrEnum):
    """Where a parcel is, in our words, in the order in which a parcel moves."""

    UNKNOWN = "unknown"
    PRE_TRANSIT = "pre_transit"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    DELIVERED = "delivered"
    RETURN_TO_SENDER = "return_to_sender"
    FAILURE = "failure"
    CANCELLED = "cancelled"


class Capability(StrEnum):
    """What an adapter offers besides labels and scans; use cases plan by it.

    An adapter without ``LOOK_UP`` has to be of a carrier that bills a label when it is used: only
    then may a purchase whose outcome is unknown be repeated.
    """

    RATES = "rates"
    """The price is known before the purchase, and there are services to choose from."""
    LOOK_UP = "look_up"
    """It can be asked whether a prepared label was bought."""
    VOID = "void"
    """The money for an unused label can be asked back."""
    WEBHOOKS = "webhooks"
    """It tells scans by itself; without, parcels are asked for."""
    QR = "qr"
    """A code to show where parcels are dropped off, so that the buyer needs no printer."""
    PICKUPS = "pickups"
    """A courier comes for the parcel; the adapter is a ``ports.pickups.PickupCarrier`` too."""


@dataclass(frozen=True, slots=True)
class CarrierAccount:
    """Where and as whom to call."""

    base_url: str
    secret: str = field(repr=False)
    account: str


@dataclass(frozen=True, slots=True)
class Address:
    name: str
    street1: str
    city: str
    postcode: str
    country: str
    street2: str | None = None
    region: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """A parcel from the buyer to us. ``reference`` is our shipment id, stored at the carrier."""

    reference: str
    sender: Address
    receiver: Address
    weight_grams: int
    service: str | None = None
    """The carrier's service to buy; None takes the cheapest offered."""


class Form(StrEnum):
    """What a document is for."""

    LABEL = "label"
    """To print and to stick on the parcel."""
    QR = "qr"
    """To show at the counter, which prints the label."""


@dataclass(frozen=True, slots=True)
class LabelDocument:
    """A file that the carrier gives once and keeps nowhere for us."""

    form: Form
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Label:
    """A label that was bought."""

    carrier_shipment_id: str
    """What the carrier calls it from now on."""
    tracking_code: str
    carrier: str
    service: str
    label_url: str | None
    """Where the carrier keeps it; None where it comes in ``documents``."""
    cost_minor: int | None
    """None where the carrier names no price and bills what is used."""
    currency: str | None
    qr_url: str | None = None
    """Where the drop-off code is shown."""
    documents: tuple[LabelDocument, ...] = ()


@dataclass(frozen=True, slots=True)
class TrackingScan:
    """One scan. ``tracking_code`` together with the label decides whose it is."""

    tracking_code: str
    carrier_shipment_id: str | None
    status: TrackingStatus
    at: datetime
    description: str | None = None


@dataclass(frozen=True, slots=True)
class TrackingEvent:
    """One verified webhook and the scans in it, oldest first (none for other topics)."""

    event_id: str
    topic: str
    scans: tuple[TrackingScan, ...]


class Carrier(Protocol):
    """Raises ``ports.errors`` and nothing else; every call has a total deadline."""

    name: str
    capabilities: frozenset[Capability]

    async def prepare_label(self, account: CarrierAccount, request: LabelRequest) -> str:
        """Create the shipment, buy nothing; returns the carrier's shipment id.

        May be repeated after an unknown outcome: an unbought shipment costs nothing.
        """
        ...

    async def buy_label(
        self, account: CarrierAccount, carrier_shipment_id: str, request: LabelRequest
    ) -> Label:
        """Buy what was prepared, by the same ``request``.

        A second call returns the first call's label, or, without ``LOOK_UP``, a further one that
        costs nothing unless it is used.
        """
        ...

    async def look_up_label(
        self, account: CarrierAccount, carrier_shipment_id: str
    ) -> Label | None:
        """The label if it was bought, None if it certainly was not; without ``LOOK_UP`` that is
        never known."""
        ...

    async def void_label(self, account: CarrierAccount, carrier_shipment_id: str) -> bool:
        """Ask for the money back; False when the carrier will not (used, or too late).

        Raises ``ProviderRejected`` without ``VOID``.
        """
        ...

    async def track(
        self, account: CarrierAccount, carrier_shipment_id: str
    ) -> Sequence[TrackingScan]:
        """All scans so far, oldest first, for the sweep that finds what webhooks missed."""
        ...

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """Whether ``body`` was signed with one of ``secrets``; headers have lower-case names."""
        ...

    def parse_event(self, body: bytes) -> TrackingEvent:
        """The scans of a verified webhook. Raises ``ValueError`` when it is not one."""
        ...
