"""Shippo labels and tracking: which calls, in which order, and what an unclear one means.

The wire format is ``shippo_wire``'s. Shippo has no idempotency keys and sells the same rate as
often as it is asked, so each purchase is looked for before it is made: by the rate, which follows
from the shipment, and by the shipment's id, which every purchase carries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from returns_api.adapters import fields
from returns_api.adapters.carriers import shippo_wire as wire
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

Json = Mapping[str, object]


class ShippoCarrier:
    """``ports.carriers.Carrier`` for Shippo. Stateless apart from the pooled client."""

    name = "shippo"
    capabilities = frozenset(
        {Capability.RATES, Capability.LOOK_UP, Capability.VOID, Capability.WEBHOOKS}
    )

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def prepare_label(self, account: CarrierAccount, request: LabelRequest) -> str:
        """Create a shipment with rates. Raises ``ProviderRejected`` when nothing can be bought."""
        shipment = await self._call(wire.build_shipment(account, request))
        wire.choose_rate(shipment)
        try:
            return fields.text(shipment, "object_id", longest=100)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable shipment: {error}") from error

    async def buy_label(
        self, account: CarrierAccount, carrier_shipment_id: str, request: LabelRequest
    ) -> Label:
        """Buy the cheapest rate of the wanted service, unless that was done before."""
        looked = False
        try:
            async with self._http.total_deadline():
                rate, bought = await self._bought(account, carrier_shipment_id)
                looked = True
                if bought is None:
                    rate_id = str(rate["object_id"])
                    call = wire.build_buy(account, carrier_shipment_id, rate_id)
                    bought = _accepted(await self._call(call))
                return _label(bought, carrier_shipment_id, rate)
        except OutcomeUnknown as error:
            if looked:
                raise
            raise ProviderUnavailable("could not look before buying; bought nothing") from error

    async def look_up_label(
        self, account: CarrierAccount, carrier_shipment_id: str
    ) -> Label | None:
        """The label of a prepared shipment, None when none of its purchases went through."""
        async with self._http.total_deadline():
            rate, bought = await self._looked(account, carrier_shipment_id)
        return None if bought is None else _label(bought, carrier_shipment_id, rate)

    async def void_label(self, account: CarrierAccount, carrier_shipment_id: str) -> bool:
        """Ask for the money back. Asking twice is harmless and tells the same."""
        async with self._http.total_deadline():
            _, bought = await self._looked(account, carrier_shipment_id)
            if bought is None:
                return False
            try:
                call = wire.build_refund(account, fields.text(bought, "object_id", longest=100))
                return (await self._call(call)).get("status") in wire.REFUNDING
            except ValueError as error:
                raise OutcomeUnknown(f"unreadable purchase: {error}") from error
            except ProviderRejected:  # "will not" and "already did" look alike: ask which
                _, bought = await self._looked(account, carrier_shipment_id)
        return bought is not None and bought.get("status") in wire.GIVEN_BACK

    async def track(
        self, account: CarrierAccount, carrier_shipment_id: str
    ) -> Sequence[TrackingScan]:
        """All scans of the shipment's parcel, oldest first; none before the label is bought."""
        async with self._http.total_deadline():
            label = await self.look_up_label(account, carrier_shipment_id)
            if label is None:
                return []
            track = await self._call(wire.build_track(account, label.carrier, label.tracking_code))
        try:
            return wire.parse_track(track)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable tracking: {error}") from error

    async def _looked(self, account: CarrierAccount, shipment_id: str) -> tuple[Json, Json | None]:
        """Like ``_bought``, where a refusal (say, another account's key) proves nothing."""
        try:
            return await self._bought(account, shipment_id)
        except ProviderRejected as error:
            raise OutcomeUnknown(f"look-up refused: {error.code}") from error

    async def _bought(self, account: CarrierAccount, shipment_id: str) -> tuple[Json, Json | None]:
        """The shipment's rate, and the purchase of it if there is one."""
        shipment = await self._call(wire.build_retrieve(account, shipment_id))
        if shipment.get("object_id") != shipment_id:
            raise OutcomeUnknown("another shipment was shown than the one asked for")
        rate = wire.choose_rate(shipment)
        listed = await self._call(wire.build_bought(account, str(rate["object_id"])))
        try:
            return rate, wire.find_bought(listed, shipment_id, rate)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable purchases: {error}") from error

    async def _call(self, call: Call) -> Json:
        reply = await self._http.send(call)
        wire.refuse(reply)
        return reply.json_object()

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """See ``shippo_wire.verify_signature``; signing is switched on by Shippo on request."""
        return wire.verify_signature(headers.get("shippo-auth-signature", ""), body, secrets, now)

    def parse_event(self, body: bytes) -> TrackingEvent:
        """See ``shippo_wire.parse_event``."""
        return wire.parse_event(body)


def _accepted(transaction: Json) -> Json:
    """The purchase if it went through. Raises ``ProviderRejected`` when Shippo says that it did
    not, ``OutcomeUnknown`` while it says neither."""
    status = transaction.get("status")
    if status == "ERROR":
        raise ProviderRejected("not_bought", "Shippo could not buy this label")
    if status != "SUCCESS":
        raise OutcomeUnknown("the purchase is still being worked on")
    return transaction


def _label(transaction: Json, shipment_id: str, rate: Json) -> Label:
    try:
        return wire.parse_label(transaction, shipment_id, rate)
    except ValueError as error:
        raise OutcomeUnknown(f"unreadable label: {error}") from error
