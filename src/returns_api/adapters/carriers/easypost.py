"""EasyPost labels and tracking: which calls, in which order, and what an unclear one means.

The wire format is ``easypost_wire``'s. EasyPost has no idempotency keys: a label is bought twice
only if two *shipments* are bought, so the caller keeps the shipment id it prepared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from returns_api.adapters import fields
from returns_api.adapters.carriers import easypost_wire as wire
from returns_api.adapters.carriers.easypost_pickups import EasyPostPickups
from returns_api.adapters.http import Call, HttpClient
from returns_api.ports.carriers import (
    Capability,
    CarrierAccount,
    Label,
    LabelRequest,
    TrackingEvent,
    TrackingScan,
)
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable

_VOIDED: Final = frozenset({"submitted", "refunded"})


class EasyPostCarrier(EasyPostPickups):
    """``ports.carriers.Carrier`` for EasyPost. Stateless apart from the pooled client."""

    name = "easypost"
    capabilities = frozenset(
        {Capability.RATES, Capability.LOOK_UP, Capability.VOID, Capability.WEBHOOKS}
        | {Capability.PICKUPS}
    )

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def prepare_label(self, account: CarrierAccount, request: LabelRequest) -> str:
        """Create a shipment with rates. Raises ``ProviderRejected`` when nothing can be bought."""
        shipment = await self._call(wire.build_shipment(account, request))
        try:
            wire.choose_rate(shipment)
            return fields.text(shipment, "id", longest=255)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable shipment: {error}") from error

    async def buy_label(
        self, account: CarrierAccount, carrier_shipment_id: str, request: LabelRequest
    ) -> Label:
        """Buy the cheapest rate of the wanted service; a shipment already bought gives its label.

        Costs one look before the purchase, so that the price is known to compare the answer with.
        """
        looked = False
        try:
            async with self._http.total_deadline():
                shipment = await self._fetch(account, carrier_shipment_id)
                looked = True
                return await self._buy(account, shipment)
        except OutcomeUnknown as error:
            if looked:
                raise
            raise ProviderUnavailable("could not look before buying; bought nothing") from error

    async def _buy(self, account: CarrierAccount, shipment: Mapping[str, object]) -> Label:
        bought = wire.readable(shipment)
        if bought is not None:
            return bought
        shipment_id, rate = str(shipment["id"]), wire.choose_rate(shipment)
        try:
            answer = await self._call(wire.build_buy(account, shipment_id, str(rate["id"])))
        except ProviderRejected:
            # "Postage already exists" has had several codes; what counts is whether it does.
            found = wire.readable(await self._look(account, shipment_id))
            if found is None:
                raise
            return found
        return wire.checked(answer, shipment_id, rate)

    async def look_up_label(
        self, account: CarrierAccount, carrier_shipment_id: str
    ) -> Label | None:
        """The label of a prepared shipment; one that EasyPost denies is unknown, not None."""
        return wire.readable(await self._look(account, carrier_shipment_id))

    async def void_label(self, account: CarrierAccount, carrier_shipment_id: str) -> bool:
        """Ask for a postage refund. Asking twice is harmless and tells the same."""
        async with self._http.total_deadline():
            try:
                shipment = await self._call(wire.build_refund(account, carrier_shipment_id))
            except ProviderRejected:  # "will not" and "already did" look alike: ask which
                shipment = await self._look(account, carrier_shipment_id)
        told = shipment.get("refund_status")  # a stranger's JSON: anything but a text voids nothing
        return isinstance(told, str) and told in _VOIDED

    async def track(
        self, account: CarrierAccount, carrier_shipment_id: str
    ) -> Sequence[TrackingScan]:
        """All scans of the shipment's parcel, oldest first; none before the label is bought."""
        shipment = await self._look(account, carrier_shipment_id)
        if shipment.get("tracker") is None:
            return []
        try:
            return wire.parse_tracker(fields.mapping(shipment, "tracker"))
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable tracker: {error}") from error

    async def _look(self, account: CarrierAccount, shipment_id: str) -> Mapping[str, object]:
        """Like ``_fetch``, where a refusal (say, another account's key) proves nothing."""
        try:
            return await self._fetch(account, shipment_id)
        except ProviderRejected as error:
            raise OutcomeUnknown(f"look-up refused: {error.code}") from error

    async def _fetch(self, account: CarrierAccount, shipment_id: str) -> Mapping[str, object]:
        shipment = await self._call(wire.build_retrieve(account, shipment_id))
        if shipment.get("id") != shipment_id:
            raise OutcomeUnknown("another shipment was shown than the one asked for")
        return shipment

    async def _call(self, call: Call) -> Mapping[str, object]:
        reply = await self._http.send(call)
        wire.refuse(reply)
        return reply.json_object()

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """EasyPost signs no time: replays are the inbox's business."""
        return wire.verify_signature(headers.get("x-hmac-signature", ""), body, secrets)

    def parse_event(self, body: bytes) -> TrackingEvent:
        """See ``easypost_wire.parse_event``."""
        return wire.parse_event(body)
