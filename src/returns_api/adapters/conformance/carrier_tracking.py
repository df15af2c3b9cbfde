"""What every carrier adapter must do about scans: each told once, none forged."""

from __future__ import annotations

from datetime import UTC, datetime

from returns_api.adapters.conformance import raised
from returns_api.adapters.conformance.carrier_rig import (
    CarrierRig,
    bought,
    needs,
    request_for,
    without,
)
from returns_api.ports.carriers import Capability, Label, TrackingScan, TrackingStatus

_MOVES = (TrackingStatus.IN_TRANSIT, TrackingStatus.DELIVERED)


async def scans_come_oldest_first(rig: CarrierRig) -> None:
    """Asked for, scans come in the order in which they happened, and of no other parcel."""
    request = request_for()
    shipment = await rig.carrier.prepare_label(rig.account, request)
    assert await rig.carrier.track(rig.account, shipment) == []
    label = await rig.carrier.buy_label(rig.account, shipment, request)
    scans = await _moved(rig, label)
    assert [each.at for each in scans] == sorted(each.at for each in scans)
    assert [each.status for each in scans][-2:] == list(_MOVES)
    assert {each.tracking_code for each in scans} == {label.tracking_code}
    assert {each.carrier_shipment_id for each in scans} <= {label.carrier_shipment_id, None}


@needs(Capability.WEBHOOKS)
async def webhooks_tell_the_same_scans(rig: CarrierRig) -> None:
    """Polling and webhooks tell the same."""
    _, label = await bought(rig, request_for())
    scans = await _moved(rig, label)
    parsed = [rig.carrier.parse_event(body) for body in await rig.webhooks()]
    assert set(scans) <= {scan for event in parsed for scan in event.scans}


@needs(Capability.WEBHOOKS)
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


@without(Capability.WEBHOOKS)
async def without_webhooks_nothing_passes(rig: CarrierRig) -> None:
    """Where the carrier sends nothing, nothing is genuine, whatever it is signed with."""
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    signed = rig.sign("right", b"{}", now)
    for headers in ({}, signed, dict.fromkeys(signed, "")):
        assert not rig.carrier.verify(headers, b"{}", ["right"], now)


async def nonsense_is_no_event(rig: CarrierRig) -> None:
    """Bodies that are no event raise ``ValueError`` and nothing else."""
    bodies = (b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"id":NaN}', b"[" * 100_000)
    for body in bodies:
        error = await raised(_parse(rig, body))
        assert isinstance(error, ValueError), f"{body[:20]!r}: {error!r}"


async def _moved(rig: CarrierRig, label: Label) -> list[TrackingScan]:
    for status in _MOVES:
        await rig.scan(label.tracking_code, status)
    return list(await rig.carrier.track(rig.account, label.carrier_shipment_id))


async def _parse(rig: CarrierRig, body: bytes) -> object:
    return rig.carrier.parse_event(body)
