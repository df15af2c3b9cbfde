"""What every carrier adapter must do: never two labels for one shipment, every scan once seen.

Owns the checks of labels and the list of all. Which checks apply follows from what the adapter
declares: ``checks_for``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from returns_api.adapters.conformance import ACTED, Fault, raised, within
from returns_api.adapters.conformance.carrier_pickups import (
    a_time_is_booked_once,
    asking_for_times_books_nothing,
    busy_couriers_are_unavailable,
    couriers_are_called_off,
    unclear_bookings_are_unknown,
)
from returns_api.adapters.conformance.carrier_rig import (
    BUYER,
    LACKS,
    NEEDS,
    SHOP,
    CarrierCheck,
    CarrierRig,
    bought,
    needs,
    request_for,
    without,
)
from returns_api.adapters.conformance.carrier_tracking import (
    nonsense_is_no_event,
    only_genuine_webhooks_pass,
    scans_come_oldest_first,
    webhooks_tell_the_same_scans,
    without_webhooks_nothing_passes,
)
from returns_api.ports.carriers import Capability, Form, TrackingStatus
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable

__all__ = ["BUYER", "CHECKS", "SHOP", "CarrierCheck", "CarrierRig", "checks_for", "request_for"]


async def buys_one_label(rig: CarrierRig) -> None:
    """Preparing costs nothing; buying gives one label that can be printed and followed."""
    request = request_for()
    shipment = await rig.carrier.prepare_label(rig.account, request)
    assert await rig.bought(request.reference) == 0
    label = await rig.carrier.buy_label(rig.account, shipment, request)
    assert label.tracking_code
    assert label.carrier_shipment_id
    forms = {document.form for document in label.documents if document.content}
    assert Form.LABEL in forms or str(label.label_url).startswith("http")
    assert await rig.bought(request.reference) == 1


@needs(Capability.RATES)
async def labels_have_a_price(rig: CarrierRig) -> None:
    """The price is known with the label, in minor units."""
    _, label = await bought(rig, request_for())
    assert label.cost_minor is not None
    assert label.cost_minor > 0
    assert label.currency is not None


@needs(Capability.QR)
async def labels_have_a_code(rig: CarrierRig) -> None:
    """A code for the counter comes with the label, as a picture or a link."""
    _, label = await bought(rig, request_for())
    shown = {document.form for document in label.documents if document.content}
    assert Form.QR in shown or str(label.qr_url).startswith("https://")


@needs(Capability.LOOK_UP)
async def look_up_gives_the_same_label(rig: CarrierRig) -> None:
    """What was prepared is certainly not bought; what was bought is found as it was."""
    request = request_for()
    shipment = await rig.carrier.prepare_label(rig.account, request)
    assert await rig.carrier.look_up_label(rig.account, shipment) is None
    label = await rig.carrier.buy_label(rig.account, shipment, request)
    assert label.carrier_shipment_id == shipment
    assert await rig.carrier.look_up_label(rig.account, shipment) == label


@without(Capability.LOOK_UP)
async def without_look_up_nothing_is_denied(rig: CarrierRig) -> None:
    """An adapter that cannot ask never says that something was not bought."""
    shipment, label = await bought(rig, request_for())
    for name in (shipment, label.carrier_shipment_id):
        error = await raised(rig.carrier.look_up_label(rig.account, name))
        assert isinstance(error, OutcomeUnknown), error


@needs(Capability.LOOK_UP)
async def buying_again_gives_the_same_label(rig: CarrierRig) -> None:
    """A second purchase of a shipment is the first one's label, not a second one."""
    request = request_for()
    shipment, label = await bought(rig, request)
    assert await rig.carrier.buy_label(rig.account, shipment, request) == label
    assert await rig.bought(request.reference) == 1


@needs(Capability.RATES)
async def cheapest_unless_named(rig: CarrierRig) -> None:
    """Without a service the cheapest is bought, with one exactly that; an unknown is refused."""
    cheap, named = [(await bought(rig, request_for(service)))[1] for service in (None, rig.service)]
    assert named.service == rig.service
    assert (cheap.cost_minor or 0) < (named.cost_minor or 0)


async def unknown_services_are_refused(rig: CarrierRig) -> None:
    """A service that is not there is refused before anything is bought."""
    error = await raised(rig.carrier.prepare_label(rig.account, request_for("Rocket")))
    assert isinstance(error, ProviderRejected), error


@needs(Capability.LOOK_UP)
async def bad_answers_are_unknown(rig: CarrierRig) -> None:
    """An unclear answer to a purchase is unknown in time; look-up and buying again find one."""
    for fault in ACTED:
        request = request_for()
        shipment = await rig.carrier.prepare_label(rig.account, request)
        await rig.misbehave(fault)
        async with within(rig.deadline_seconds):
            error = await raised(rig.carrier.buy_label(rig.account, shipment, request))
        assert isinstance(error, OutcomeUnknown), f"{fault}: {error!r}"
        label = await rig.carrier.look_up_label(rig.account, shipment)
        assert label is not None, fault
        assert await rig.carrier.buy_label(rig.account, shipment, request) == label
        assert await rig.bought(request.reference) == 1, fault


@without(Capability.LOOK_UP)
async def unclear_purchases_can_be_repeated(rig: CarrierRig) -> None:
    """An unclear answer is unknown in time, and the same purchase again gives a label."""
    for fault in (*ACTED, Fault.RESET_BEFORE, Fault.ERROR_BEFORE, Fault.REDIRECT):
        request = request_for()
        shipment = await rig.carrier.prepare_label(rig.account, request)
        await rig.misbehave(fault)
        async with within(rig.deadline_seconds):
            error = await raised(rig.carrier.buy_label(rig.account, shipment, request))
        assert isinstance(error, OutcomeUnknown), f"{fault}: {error!r}"
        label = await rig.carrier.buy_label(rig.account, shipment, request)
        assert label.tracking_code, fault


@needs(Capability.LOOK_UP)
async def lost_purchases_can_be_repeated(rig: CarrierRig) -> None:
    """A purchase lost on the way is unknown, then absent, then bought once."""
    for fault in (Fault.RESET_BEFORE, Fault.ERROR_BEFORE, Fault.REDIRECT):
        request = request_for()
        shipment = await rig.carrier.prepare_label(rig.account, request)
        await rig.misbehave(fault)
        error = await raised(rig.carrier.buy_label(rig.account, shipment, request))
        assert isinstance(error, OutcomeUnknown), f"{fault}: {error!r}"
        assert await rig.carrier.look_up_label(rig.account, shipment) is None
        await rig.carrier.buy_label(rig.account, shipment, request)
        assert await rig.bought(request.reference) == 1


@needs(Capability.LOOK_UP)
async def failed_look_ups_never_say_none(rig: CarrierRig) -> None:
    """A look-up that fails raises: "not bought" must be the carrier's own word."""
    shipment, _ = await bought(rig, request_for())
    for fault in (Fault.RESET_BEFORE, Fault.ERROR_BEFORE, Fault.GARBAGE, Fault.HANG_BEFORE):
        await rig.misbehave(fault, reading=True)
        async with within(rig.deadline_seconds):
            error = await raised(rig.carrier.look_up_label(rig.account, shipment))
        assert isinstance(error, OutcomeUnknown), f"{fault}: {error!r}"
    for account in (rig.unreachable, rig.stranger):
        error = await raised(rig.carrier.look_up_label(account, shipment))
        assert isinstance(error, OutcomeUnknown | ProviderUnavailable), error


async def busy_carriers_are_unavailable(rig: CarrierRig) -> None:
    """429, refused connections and refused credentials bought nothing."""
    request = request_for()
    shipment = await rig.carrier.prepare_label(rig.account, request)
    await rig.misbehave(Fault.RATE_LIMITED)
    error = await raised(rig.carrier.buy_label(rig.account, shipment, request))
    assert isinstance(error, ProviderUnavailable), error
    assert error.retry_after is not None
    for account in (rig.unreachable, rig.stranger):
        error = await raised(rig.carrier.buy_label(account, shipment, request))
        assert isinstance(error, ProviderUnavailable), error
    assert await rig.bought(request.reference) == 0


@needs(Capability.VOID)
async def voids_only_unused_labels(rig: CarrierRig) -> None:
    """An unused label is given back, also when asked twice; a scanned one is not."""
    (unused, _), (used, _) = [await bought(rig, request_for()) for _ in range(2)]
    assert await rig.carrier.void_label(rig.account, unused)
    assert await rig.carrier.void_label(rig.account, unused)
    await rig.scan(used, TrackingStatus.IN_TRANSIT)
    assert not await rig.carrier.void_label(rig.account, used)


@without(Capability.VOID)
async def without_voiding_it_says_so(rig: CarrierRig) -> None:
    """Where nothing can be given back, asking is refused."""
    _, label = await bought(rig, request_for())
    error = await raised(rig.carrier.void_label(rig.account, label.carrier_shipment_id))
    assert isinstance(error, ProviderRejected), error


async def buyers_stay_out_of_errors(rig: CarrierRig) -> None:
    """No error text repeats a name or a street, whatever the carrier wrote."""
    secret = replace(BUYER, name="Zz-Canary", street1="Canary-Str. 9", country="")
    request = replace(request_for("Rocket"), sender=secret)
    error = await raised(rig.carrier.prepare_label(rig.account, request))
    assert error is not None
    assert "anary" not in f"{error} {error!r}"


CHECKS: tuple[CarrierCheck, ...] = (
    buys_one_label,
    labels_have_a_price,
    labels_have_a_code,
    look_up_gives_the_same_label,
    without_look_up_nothing_is_denied,
    buying_again_gives_the_same_label,
    cheapest_unless_named,
    unknown_services_are_refused,
    bad_answers_are_unknown,
    unclear_purchases_can_be_repeated,
    lost_purchases_can_be_repeated,
    failed_look_ups_never_say_none,
    busy_carriers_are_unavailable,
    voids_only_unused_labels,
    without_voiding_it_says_so,
    scans_come_oldest_first,
    webhooks_tell_the_same_scans,
    only_genuine_webhooks_pass,
    without_webhooks_nothing_passes,
    nonsense_is_no_event,
    buyers_stay_out_of_errors,
    asking_for_times_books_nothing,
    a_time_is_booked_once,
    unclear_bookings_are_unknown,
    busy_couriers_are_unavailable,
    couriers_are_called_off,
)


def checks_for(capabilities: Collection[Capability]) -> tuple[CarrierCheck, ...]:
    """The checks that apply to an adapter, by what it declares."""
    offered = frozenset(capabilities)
    return tuple(
        check
        for check in CHECKS
        if offered >= NEEDS.get(check, frozenset()) and LACKS.get(check) not in offered
    )
