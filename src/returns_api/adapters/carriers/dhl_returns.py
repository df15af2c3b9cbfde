"""DHL Parcel DE Returns: labels with a drop-off code, scans by asking.

The wire formats are ``dhl_returns_wire``'s. One call makes the label; there is no preparing, no
look-up, no voiding and no price: DHL bills a return label when the parcel is handed in. So a call
whose outcome is unknown is repeated, and a label that nobody was shown is never used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from returns_api.adapters.carriers import dhl_returns_wire as wire
from returns_api.adapters.http import HttpClient
from returns_api.ports.carriers import (
    Capability,
    CarrierAccount,
    Label,
    LabelRequest,
    TrackingEvent,
    TrackingScan,
)
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected

PLANNED: Final = "planned:"
"""What a shipment is called here until DHL has given it a number; no number looks like it."""


class DhlReturnsCarrier:
    """``ports.carriers.Carrier`` for DHL Parcel DE Returns. Stateless apart from the pooled
    client."""

    name = "dhl_returns"
    capabilities = frozenset({Capability.QR})

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def prepare_label(self, account: CarrierAccount, request: LabelRequest) -> str:
        """Check that DHL can take it; nothing is sent. Raises ``ProviderRejected``."""
        wire.build_order(account, request)
        return PLANNED + request.reference

    async def buy_label(
        self, account: CarrierAccount, carrier_shipment_id: str, request: LabelRequest
    ) -> Label:
        """Order the label. A second call orders a second one, which costs nothing unused."""
        reply = await self._http.send(wire.build_order(account, request))
        wire.refuse(reply)
        try:
            return wire.parse_order(reply.json_object(), request)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable order: {error}") from error

    async def look_up_label(
        self, account: CarrierAccount, carrier_shipment_id: str
    ) -> Label | None:
        """Never known: DHL shows no order again."""
        raise OutcomeUnknown("DHL Parcel DE Returns has no look-up")

    async def void_label(self, account: CarrierAccount, carrier_shipment_id: str) -> bool:
        """Not offered, and nothing to give back: what is not used is not billed."""
        raise ProviderRejected("not_offered", "DHL Parcel DE Returns voids no labels")

    async def track(
        self, account: CarrierAccount, carrier_shipment_id: str
    ) -> Sequence[TrackingScan]:
        """All scans so far, oldest first; none for a parcel that DHL has not seen yet."""
        if carrier_shipment_id.startswith(PLANNED):
            return []
        try:
            reply = await self._http.send(wire.build_track(account, carrier_shipment_id))
            wire.refuse(reply)
        except ProviderRejected as refused:
            if refused.code == "http_404":
                return []
            raise OutcomeUnknown(f"tracking refused: {refused.code}") from refused
        try:
            return wire.parse_track(reply.json_object(), carrier_shipment_id)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable tracking: {error}") from error

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """DHL Parcel DE Returns sends nothing, so nothing is genuine."""
        return False

    def parse_event(self, body: bytes) -> TrackingEvent:
        """Raises ``ValueError``: there are no events."""
        raise ValueError("DHL Parcel DE Returns sends no webhooks")
