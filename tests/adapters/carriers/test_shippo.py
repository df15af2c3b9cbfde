"""Shippo's wire format: what is sent, what is read, what is refused, without any network."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.adapters.carriers.shippo_wire import (
    build_shipment,
    choose_rate,
    find_bought,
    parse_event,
    parse_label,
    parse_track,
    refuse,
    verify_signature,
)
from returns_api.adapters.http import Reply
from returns_api.ports.carriers import Address, CarrierAccount, LabelRequest, TrackingStatus
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable

ACCOUNT = CarrierAccount("https://api.goshippo.com", "shippo_test_1", "main")
BUYER = Address("Ada", "965 Mission St.", "San Francisco", "94105", "US", region="CA")
SHOP = Address("Returns", "215 Clayton St.", "San Francisco", "94117", "US", region="CA")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def rate(number: int, amount: str = "5.50", currency: str = "USD", token: str = "a") -> Any:
    return {
        "object_id": f"r{number}",
        "amount": amount,
        "currency": currency,
        "provider": "USPS",
        "servicelevel": {"name": "x", "token": token},
    }


def shipment(*rates: Any, service: str = "") -> Any:
    return {"object_id": "s1", "metadata": f"shm_1|{service}", "rates": list(rates)}


def bought(**more: Any) -> Any:
    return {
        "object_id": "t1",
        "status": "SUCCESS",
        "rate": "r1",
        "metadata": "s1",
        "tracking_number": "9400",
        "label_url": "https://deliver.goshippo.com/1.pdf",
        **more,
    }


def test_a_return_is_asked_for_as_the_outward_trip() -> None:
    call = build_shipment(ACCOUNT, LabelRequest("shm_1", BUYER, SHOP, 850, "usps_priority"))
    body = orjson.loads(call.body)
    assert (call.method, call.url) == ("POST", "https://api.goshippo.com/shipments/")
    assert call.headers["authorization"] == "ShippoToken shippo_test_1"
    assert body["extra"]["is_return"] is True
    assert (body["address_to"]["name"], body["address_from"]["name"]) == ("Ada", "Returns")
    assert (body["parcels"][0]["weight"], body["parcels"][0]["mass_unit"]) == ("850", "g")
    assert body["metadata"] == "shm_1|usps_priority"


@pytest.mark.parametrize(
    ("rates", "service", "chosen"),
    [
        ([rate(1, "7.65"), rate(2, "4.25")], "", "r2"),
        ([rate(2, "4.25"), rate(1, "4.25")], "", "r1"),
        ([rate(1, "7.65", token="b"), rate(2, "4.25")], "b", "r1"),
        ([rate(1, "900", "JPY")], "", "r1"),
    ],
)
def test_the_cheapest_of_what_was_asked_for(rates: Any, service: str, chosen: str) -> None:
    assert choose_rate(shipment(*rates, service=service))["object_id"] == chosen


@pytest.mark.parametrize(
    ("found", "error"),
    [
        (shipment(), ProviderRejected),
        (shipment(rate(1), service="rocket"), ProviderRejected),
        (shipment(rate(1), rate(2, currency="EUR")), ProviderRejected),
        (shipment(rate(1, "4.255")), OutcomeUnknown),
        (shipment(rate(1, "-1.00")), OutcomeUnknown),
        (shipment(rate(1, "1.5", "JPY")), OutcomeUnknown),
        (shipment({"object_id": "r1"}), OutcomeUnknown),
        ({"object_id": "s1", "rates": []}, OutcomeUnknown),
    ],
)
def test_rates_that_nobody_can_choose_from(found: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        choose_rate(found)


@pytest.mark.parametrize(
    ("results", "there"),
    [
        ([], False),
        ([bought()], True),
        ([bought(status="ERROR")], False),
        ([bought(status="ERROR"), bought()], True),
        ([bought(status="REFUNDPENDING")], True),
        ([bought(metadata="s2")], False),
        ([bought(rate="r2")], False),
    ],
)
def test_a_purchase_is_found_by_rate_and_shipment(results: Any, there: bool) -> None:
    assert (find_bought({"results": results}, "s1", rate(1)) is not None) is there


@pytest.mark.parametrize("status", ["QUEUED", "WAITING", "SOMETHING_NEW"])
def test_a_purchase_under_way_is_neither_there_nor_absent(status: str) -> None:
    with pytest.raises(OutcomeUnknown):
        find_bought({"results": [bought(status=status)]}, "s1", rate(1))


def test_a_label_is_priced_by_its_rate() -> None:
    label = parse_label(bought(), "s1", rate(1))
    assert (label.cost_minor, label.currency, label.service) == (550, "USD", "a")
    for other in ({"rate": "r2"}, {"metadata": "s2"}, {"label_url": "javascript:1"}):
        with pytest.raises(ValueError, match=r"asked for|web address"):
            parse_label(bought(**other), "s1", rate(1))


def scan(status: str, day: int, code: str | None = None) -> Any:
    found = {"status": status, "status_date": f"2026-03-0{day}T10:00:00Z", "status_details": "x"}
    return {**found, "substatus": {"code": code}} if code else found


def test_scans_in_our_words_oldest_first() -> None:
    history = [
        scan("DELIVERED", 5),
        scan("TRANSIT", 4, "out_for_delivery"),
        scan("PRE_TRANSIT", 1),
        scan("TRANSIT", 2),
        scan("TRANSIT", 3, "pickup_available"),
        scan("RETURNED", 6),
        scan("FAILURE", 7),
        scan("NEW_WORD", 8),
    ]
    found = parse_track({"tracking_number": "9400", "tracking_history": history})
    assert [each.status for each in found] == [
        TrackingStatus.PRE_TRANSIT,
        TrackingStatus.IN_TRANSIT,
        TrackingStatus.AVAILABLE_FOR_PICKUP,
        TrackingStatus.OUT_FOR_DELIVERY,
        TrackingStatus.DELIVERED,
        TrackingStatus.RETURN_TO_SENDER,
        TrackingStatus.FAILURE,
        TrackingStatus.UNKNOWN,
    ]
    alone = {"tracking_number": "9", "tracking_history": [], "tracking_status": scan("TRANSIT", 2)}
    assert [each.status for each in parse_track(alone)] == [TrackingStatus.IN_TRANSIT]


def test_the_same_event_again_is_the_same() -> None:
    data = {"tracking_number": "9400", "tracking_history": [scan("TRANSIT", 2)]}
    body = orjson.dumps({"event": "track_updated", "data": data})
    assert parse_event(body) == parse_event(body)
    later = orjson.dumps({"event": "track_updated", "data": data, "test": False})
    assert parse_event(later).event_id != parse_event(body).event_id
    other = parse_event(b'{"event":"transaction_created","data":{}}')
    assert (other.topic, other.scans) == ("transaction_created", ())


@given(st.binary(max_size=200))
def test_nothing_but_value_errors_from_any_bytes(body: bytes) -> None:
    try:
        parse_event(body)
    except ValueError:
        return


def test_a_signature_is_good_for_five_minutes() -> None:

    stamp = int(NOW.timestamp())
    digest = hmac.new(b"right", f"{stamp}.".encode() + b"{}", hashlib.sha256).hexdigest()
    header = f"t={stamp},v1={digest}"
    for seconds, good in ((0, True), (300, True), (301, False), (-300, True), (-301, False)):
        at = NOW + timedelta(seconds=seconds)
        assert verify_signature(header, b"{}", ["old", "right"], at) is good
    for forged in (
        f"t={stamp}",
        f"v1={digest}",
        f"t={stamp},t={stamp},v1={digest}",
        f"{header},v1=x",
    ):
        assert not verify_signature(forged, b"{}", ["right"], NOW)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"rate":["not found"]}', ProviderRejected),
        (404, b'{"detail":"Not found."}', ProviderRejected),
        (401, b'{"detail":"Invalid token"}', ProviderUnavailable),
        (402, b'{"detail":"No funds"}', ProviderUnavailable),
        (404, b"<html>", OutcomeUnknown),
    ],
)
def test_refusals(status: int, body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error) as refused:
        refuse(Reply(status, {}, body))
    assert "funds" not in str(refused.value)
