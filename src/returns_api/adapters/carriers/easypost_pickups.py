"""EasyPost pickups: which calls, in which order, and what an unclear one means.

EasyPost has no idempotency keys: a courier comes twice only if two *pickups* are bought, and the
slot names the one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from returns_api.adapters.carriers import easypost_pickups_wire as wire
from returns_api.adapters.carriers.easypost_wire import refuse
from returns_api.adapters.http import Call, HttpClient
from returns_api.ports.carriers import Address, CarrierAccount
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.pickups import PickupSlot, Window


class EasyPostPickups:
    """``ports.pickups.PickupCarrier`` for EasyPost; a part of its carrier."""

    _http: HttpClient

    async def pickup_slots(
        self,
        account: CarrierAccount,
        carrier_shipment_id: str,
        sender: Address,
        windows: Sequence[Window],
    ) -> Sequence[PickupSlot]:
        """Ask for each window in turn; one that EasyPost refuses is not offered."""
        found = []
        async with self._http.total_deadline():
            for window in windows:
                call = wire.build_pickup(account, carrier_shipment_id, sender, window)
                try:
                    slot = wire.parse_slot(await self._pickup(call))
                except ProviderRejected:
                    continue
                except ValueError as error:
                    raise OutcomeUnknown(f"unreadable pickup: {error}") from error
                if slot is not None and (slot.starts_at, slot.ends_at) == window:
                    found.append(slot)
        return sorted(found, key=lambda slot: (slot.starts_at, slot.cost_minor))

    async def book_pickup(self, account: CarrierAccount, slot: PickupSlot) -> str:
        """Buy the slot's rate, unless that was done before: looked at first."""
        looked = False
        try:
            async with self._http.total_deadline():
                booked = self._confirmed(
                    await self._seen_pickup(account, slot.carrier_pickup_id), slot
                )
                looked = True
                return booked or await self._buy_slot(account, slot)
        except OutcomeUnknown as error:
            if looked:
                raise
            raise ProviderUnavailable("could not look before booking; booked nothing") from error

    async def cancel_pickup(self, account: CarrierAccount, carrier_pickup_id: str) -> bool:
        """Cancel; where EasyPost refuses, the pickup itself says whether it was done before."""
        async with self._http.total_deadline():
            try:
                pickup = await self._pickup(wire.build_cancel(account, carrier_pickup_id))
            except ProviderRejected:
                pickup = await self._seen_pickup(account, carrier_pickup_id)
        if pickup.get("id") != carrier_pickup_id:
            raise OutcomeUnknown("another pickup was shown than the one asked for")
        return pickup.get("status") == wire.CANCELED

    async def _buy_slot(self, account: CarrierAccount, slot: PickupSlot) -> str:
        bought = await self._pickup(wire.build_buy(account, slot))
        confirmation = self._confirmed(bought, slot)
        if confirmation is None:
            raise OutcomeUnknown("bought, and not scheduled")
        return confirmation

    @staticmethod
    def _confirmed(pickup: Mapping[str, object], slot: PickupSlot) -> str | None:
        try:
            return wire.parse_confirmation(pickup, slot)
        except ValueError as error:
            raise OutcomeUnknown(f"unreadable pickup: {error}") from error

    async def _seen_pickup(self, account: CarrierAccount, pickup_id: str) -> Mapping[str, object]:
        """A refusal (say, another account's key) proves nothing."""
        try:
            return await self._pickup(wire.build_retrieve(account, pickup_id))
        except ProviderRejected as error:
            raise OutcomeUnknown(f"look-up refused: {error.code}") from error

    async def _pickup(self, call: Call) -> Mapping[str, object]:
        reply = await self._http.send(call)
        refuse(reply)
        return reply.json_object()
