"""What an adapter must do that lets couriers come: ask for nothing, book one, call it off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

from returns_api.adapters.conformance import ACTED, Fault, raised, within
from returns_api.adapters.conformance.carrier_rig import (
    BUYER,
    CarrierRig,
    bought,
    needs,
    request_for,
)
from returns_api.ports.carriers import Capability
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable
from returns_api.ports.pickups import PickupCarrier, PickupSlot

_UNSEEN = (Fault.RESET_BEFORE, Fault.ERROR_BEFORE, Fault.REDIRECT)


@needs(Capability.PICKUPS)
async def asking_for_times_books_nothing(rig: CarrierRig) -> None:
    """Times lie within what was asked for, have a price, and cost nothing until one is booked."""
    slots = await _slots(rig)
    starts = [slot.starts_at for slot in slots]
    assert slots
    assert starts == sorted(starts)
    for slot in slots:
        assert slot.starts_at < slot.ends_at
        assert slot.cost_minor >= 0
        assert await rig.couriers(slot.carrier_pickup_id) == 0


@needs(Capability.PICKUPS)
async def a_time_is_booked_once(rig: CarrierRig) -> None:
    """Booking again gives the first confirmation."""
    slot = (await _slots(rig))[0]
    confirmation = await _of(rig).book_pickup(rig.account, slot)
    assert confirmation
    assert await _of(rig).book_pickup(rig.account, slot) == confirmation
    assert await rig.couriers(slot.carrier_pickup_id) == 1


@needs(Capability.PICKUPS)
async def unclear_bookings_are_unknown(rig: CarrierRig) -> None:
    """An unclear answer is unknown in time; booking again finds the one courier."""
    slots = await _slots(rig, days=len(ACTED) + len(_UNSEEN))
    for fault, slot in zip((*ACTED, *_UNSEEN), slots, strict=False):
        await rig.misbehave_with_courier(fault)
        async with within(rig.deadline_seconds):
            error = await raised(_of(rig).book_pickup(rig.account, slot))
        assert isinstance(error, OutcomeUnknown), f"{fault}: {error!r}"
        assert await _of(rig).book_pickup(rig.account, slot)
        assert await rig.couriers(slot.carrier_pickup_id) == 1, fault


@needs(Capability.PICKUPS)
async def busy_couriers_are_unavailable(rig: CarrierRig) -> None:
    """429, refused connections and refused credentials booked nothing."""
    slot = (await _slots(rig))[0]
    await rig.misbehave_with_courier(Fault.RATE_LIMITED)
    error = await raised(_of(rig).book_pickup(rig.account, slot))
    assert isinstance(error, ProviderUnavailable), error
    for account in (rig.unreachable, rig.stranger):
        error = await raised(_of(rig).book_pickup(account, slot))
        assert isinstance(error, ProviderUnavailable), error
    assert await rig.couriers(slot.carrier_pickup_id) == 0


@needs(Capability.PICKUPS)
async def couriers_are_called_off(rig: CarrierRig) -> None:
    """Calling off is harmless twice, and does nothing where nobody was going to come."""
    booked, unbooked = (await _slots(rig))[:2]
    await _of(rig).book_pickup(rig.account, booked)
    assert await _of(rig).cancel_pickup(rig.account, booked.carrier_pickup_id)
    assert await _of(rig).cancel_pickup(rig.account, booked.carrier_pickup_id)
    assert not await _of(rig).cancel_pickup(rig.account, unbooked.carrier_pickup_id)


async def _slots(rig: CarrierRig, days: int = 3) -> list[PickupSlot]:
    """Times of a bought label, on as many days as asked for; no courier comes on a Sunday."""
    shipment, _ = await bought(rig, request_for())
    first = datetime(2031, 3, 3, 9, tzinfo=UTC)  # a Monday
    mornings = [first + timedelta(days=day + day // 6) for day in range(days)]
    windows = [(each, each + timedelta(hours=4)) for each in mornings]
    return list(await _of(rig).pickup_slots(rig.account, shipment, BUYER, windows))


def _of(rig: CarrierRig) -> PickupCarrier:
    return cast("PickupCarrier", rig.carrier)
