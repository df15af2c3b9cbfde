"""What every carrier adapter must do: never two labels for one shipment, every scan once seen."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from returns_api.adapters.conformance import ACTED, Check, Fault, raised, within
from returns_api.ports.carriers import (
    Address,
    Carrier,
    CarrierAccount,
    LabelRequest,
    TrackingScan,
    TrackingStatus,
)
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable

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
    service: str
    """A service that is offered and is not the cheapest."""

    async def misbehave(self, fault: Fault, *, reading: bool = False) -> None:
        """Do this with the next purchase, or with the next read."""
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


async def buys_one_label(rig: CarrierRig) -> None:
    """Prepare costs nothing; buy gives a label with a price; look-up gives the same."""
    request = request_for()
    shipment = await rig.carrier.prepare_label(rig.account, request)
    assert await rig.bought(request.reference) == 0
    assert await rig.carrier.look_up_label(rig.account, shipment) is None
    label = await rig.carrier.buy_label(rig.account, shipment)
    assert label.carrier_shipment_id == shipment
    assert label.cost_minor > 0
    assert label.tracking_code
    assert label.label_url.startswith("http")
    assert await rig.carrier.look_up_label(rig.account, shipment) == label
    assert await rig.bought(request.reference) == 1


async def buying_again_gives_the_same_label(rig: CarrierRig) -> None:
    """A second purchase of a shipment is the first one's label, not a second one."""
    request = request_for()
    shipment = await rig.carrier.prepare_label(rig.account, request)
    label = await rig.carrier.buy_label(rig.account, shipment)
    assert await rig.carrier.buy_label(rig.account, shipment) == label
    assert await rig.bought(request.reference) == 1


async def cheapest_unless_named(rig: CarrierRig) -> None:
    """Without a service the cheapest is bought, with one exactly that; an unknown is refused."""
    shipments = [
        await rig.carrier.prepare_label(rig.account, request_for(service))
        for service in (None, rig.service)
    ]
    cheap, named = [await rig.carrier.buy_label(rig.account, each) for each in shipments]
    assert named.service == rig.service
    assert cheap.cost_minor < named.cost_minor
    error = await raised(rig.carrier.prepare_label(rig.account, request_for("Rocket")))
    assert isinstance(error, ProviderRejected), error


async def bad_answers_are_unknown(rig: CarrierRig) -> None:
    """An unclear answer to a purchase is unknown in time; look-up and buying again find one."""
    for fault in ACTED:
        request = request_for()
        shipment = await rig.carrier.prepare_label(rig.account, request)
        await rig.misbehave(fault)
        async with within(rig.deadline_seconds):
            error = await raised(rig.carrier.buy_label(rig.account, shipment))
        assert isinstance(error, OutcomeUnknown), f"{fault}: {error!r}"
        label = await rig.carrier.look_up_label(rig.account, shipment)
        assert label is not None, fault
        assert await rig.carrier.buy_label(rig.account, shipment) == label
        assert await rig.bought(request.reference) == 1, fault


async def lost_purchases_can_be_repeated(rig: CarrierRig) -> None:
    """A purchase lost on the way is unknown, then absent, then bought once."""
    for fault in (Fault.RESET_BEFORE, Fault.ERROR_BEFORE, Fault.REDIRECT):
        request = request_for()
        shipment = await rig.carrier.prepare_label(rig.account, request)
        await rig.misbehave(fault)
        error = await raised(rig.carrier.buy_label(rig.account, shipment))
        assert isinstance(error, OutcomeUnknown), f"{fault}: {error!r}"
        assert await rig.carrier.look_up_label(rig.account, shipment) is None
        await rig.carrier.buy_label(rig.account, shipment)
        assert await rig.bought(request.reference) == 1


async def failed_look_ups_never_say_none(rig: CarrierRig) -> None:
    """A look-up that fails raises: "not bought" must be the carrier's own word."""
    shipment = await rig.carrier.prepare_label(rig.account, request_for())
    await rig.carrier.buy_label(rig.account, shipment)
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
    error = await raised(rig.carrier.buy_label(rig.account, shipment))
    assert isinstance(error, ProviderUnavailable), error
    assert error.retry_after is not None
    for account in (rig.unreachable, rig.stranger):
        error = await raised(rig.carrier.prepare_label(account, request))
        assert isinstance(error, ProviderUnavailable), error
    assert await rig.bought(request.reference) == 0


async def voids_only_unused_labels(rig: CarrierRig) -> None:
    """An unused label is given back, also when asked twice; a scanned one is not."""
    unused, used = [await rig.carrier.prepare_label(rig.account, request_for()) for _ in range(2)]
    for shipment in (unused, used):
        await rig.carrier.buy_label(rig.account, shipment)
    assert await rig.carrier.void_label(rig.account, unused)
    assert await rig.carrier.void_label(rig.account, unused)
    await rig.scan(used, TrackingStatus.IN_TRANSIT)
    assert not await rig.carrier.void_label(rig.account, used)


async def scans_come_oldest_first(rig: CarrierRig) -> None:
    """Polling and webhooks tell the same scans, in the order in which they happened."""
    shipment = await rig.carrier.prepare_label(rig.account, request_for())
    assert await rig.carrier.track(rig.account, shipment) == []
    label = await rig.carrier.buy_label(rig.account, shipment)
    for status in (TrackingStatus.IN_TRANSIT, TrackingStatus.DELIVERED):
        await rig.scan(shipment, status)
    scans = await rig.carrier.track(rig.account, shipment)
    assert [each.at for each in scans] == sorted(each.at for each in scans)
    assert [each.status for each in scans][-2:] == [
        TrackingStatus.IN_TRANSIT,
        TrackingStatus.DELIVERED,
    ]
    assert {each.tracking_code for each in scans} == {label.tracking_code}
    assert {each.carrier_shipment_id for each in scans} <= {shipment, None}
    assert set(scans) <= set(await _scans(rig))


async def only_genuine_webhooks_pass(rig: CarrierRig) -> None:
    """Right secret among several passes; any other byte, secret or header does not."""
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    body = b'{"id":"evt_1","n":1}'
    good = rig.sign("r\u00efght", body, now)
    verify = rig.carrier.verify
    assert verify(good, body, ["old", "r\u00efght"], now)
    for position in range(len(body)):
        flipped = body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
        assert not verify(good, flipped, ["r\u00efght"], now)
    assert not verify(good, body, ["wrong", ""], now)
    assert not verify(rig.sign("", body, now), body, [""], now), "an empty secret signs nothing"
    assert not verify({}, body, ["r\u00efght"], now)
    for name, value in good.items():
        for forged in ("", value[:20], value + "é", value + "0" * 100_000, "\x00"):
            assert not verify({**good, name: forged}, body, ["r\u00efght"], now), forged[:20]


async def nonsense_is_no_event(rig: CarrierRig) -> None:
    """Bodies that are no event raise ``ValueError`` and nothing else."""
    bodies = (b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"id":NaN}', b"[" * 100_000)
    for body in bodies:
        error = await raised(_parse(rig, body))
        assert isinstance(error, ValueError), f"{body[:20]!r}: {error!r}"


async def buyers_stay_out_of_errors(rig: CarrierRig) -> None:
    """No error text repeats a name or a street, whatever the carrier wrote."""
    secret = replace(BUYER, name="Zz-Canary", street1="Canary-Str. 9", country="")
    request = replace(request_for("Rocket"), sender=secret)
    error = await raised(rig.carrier.prepare_label(rig.account, request))
    assert error is not None
    assert "anary" not in f"{error} {error!r}"


CHECKS: tuple[Check[CarrierRig], ...] = (
    buys_one_label,
    buying_again_gives_the_same_label,
    cheapest_unless_named,
    bad_answers_are_unknown,
    lost_purchases_can_be_repeated,
    failed_look_ups_never_say_none,
    busy_carriers_are_unavailable,
    voids_only_unused_labels,
    scans_come_oldest_first,
    only_genuine_webhooks_pass,
    nonsense_is_no_event,
    buyers_stay_out_of_errors,
)


async def _scans(rig: CarrierRig) -> list[TrackingScan]:
    parsed = [rig.carrier.parse_event(body) for body in await rig.webhooks()]
    return [scan for event in parsed for scan in event.scans]


async def _parse(rig: CarrierRig, body: bytes) -> object:
    return rig.carrier.parse_event(body)
