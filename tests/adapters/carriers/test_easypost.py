"""EasyPost's wire format: what is sent, what is read, what is refused, without any network."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.adapters.carriers.easypost_wire import (
    build_buy,
    build_retrieve,
    build_shipment,
    choose_rate,
    ounces_tenths,
    parse_event,
    parse_label,
    parse_tracker,
    rate_cost,
    refuse,
    verify_signature,
)
from returns_api.adapters.http import Reply
from returns_api.ports.carriers import (
    Address,
    CarrierAccount,
    Label,
    LabelRequest,
    TrackingScan,
    TrackingStatus,
)
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable

ACCOUNT = CarrierAccount("https://api.easypost.com", "EZAK1", "main")
BUYER = Address("Ada", "Hauptstr. 1", "Berlin", "10115", "DE", email="ada@example.com")
SHOP = Address("Returns", "1 Main St", "Reno", "89501", "US", region="NV")
REQUEST = LabelRequest("shm_1", BUYER, SHOP, 850)


def rate(price: str, currency: str = "USD", service: str = "Ground", **more: str) -> dict[str, str]:
    ident = f"rate_{price}{service}"
    return {"id": ident, "rate": price, "currency": currency, "service": service, **more}


BOUGHT: dict[str, Any] = {
    "id": "shp_1",
    "tracking_code": "EZ1",
    "selected_rate": rate("5.82", carrier="USPS"),
    "postage_label": {"label_url": "https://x.example/1.png", "label_pdf_url": None},
}
TRACKER: dict[str, Any] = {
    "object": "Tracker",
    "tracking_code": "EZ1",
    "shipment_id": "shp_1",
    "status": "delivered",
    "updated_at": "2026-03-03T10:00:00Z",
    "tracking_details": [
        {"status": "delivered", "datetime": "2026-03-03T10:00:00Z", "message": "Delivered"},
        {"status": "in_transit", "datetime": "2026-03-02T10:00:00+01:00", "message": None},
    ],
}


def test_a_shipment_turns_the_addresses_round() -> None:
    """With is_return EasyPost swaps the two: the buyer stands as the outward trip's receiver."""
    call = build_shipment(ACCOUNT, replace(REQUEST, service="Priority"))
    sent = orjson.loads(call.body)["shipment"]
    assert sent["is_return"] is True
    assert sent["reference"] == "shm_1"
    assert sent["to_address"] == {
        "name": "Ada",
        "street1": "Hauptstr. 1",
        "city": "Berlin",
        "zip": "10115",
        "country": "DE",
        "email": "ada@example.com",
    }
    assert sent["from_address"]["state"] == "NV"
    assert sent["parcel"] == {"weight": 30.0}
    assert sent["options"] == {"label_format": "PDF", "print_custom_2": "Priority"}
    kind, _, token = call.headers["authorization"].partition(" ")
    assert (kind, b64decode(token)) == ("Basic", b"EZAK1:")


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    assert build_retrieve(ACCOUNT, "../users?x").url.endswith("/v2/shipments/..%2Fusers%3Fx")
    call = build_buy(ACCOUNT, "shp_1", "rate_1")
    assert call.url.endswith("/v2/shipments/shp_1/buy")
    assert orjson.loads(call.body) == {"rate": {"id": "rate_1"}}


@pytest.mark.parametrize(
    ("grams", "tenths"),
    [(0, 1), (1, 1), (2, 1), (3, 2), (28, 10), (29, 11), (850, 300), (1000, 353)],
)
def test_weights_round_up(grams: int, tenths: int) -> None:
    assert ounces_tenths(grams) == tenths


@given(st.integers(1, 10**7))
def test_declared_weight_is_never_short_nor_much_too_long(grams: int) -> None:
    exact = grams * 10**10
    declared = ounces_tenths(grams) * 28_349_523_125
    assert 0 <= declared - exact < 28_349_523_125


@pytest.mark.parametrize(
    ("price", "currency", "minor"),
    [("5.82", "USD", 582), ("580", "JPY", 580), ("5.8", "EUR", 580), ("1.234", "KWD", 1_234)],
)
def test_prices(price: str, currency: str, minor: int) -> None:
    assert rate_cost(rate(price, currency)) == (minor, currency)


@pytest.mark.parametrize(
    "wrong",
    [
        rate("5.821"),
        rate("-5.82"),
        rate("NaN"),
        rate("1e3"),
        rate("5,82"),
        rate(""),
        rate("5.82", "XTS"),
        rate("5.82", "usd"),
        {"rate": 5.82, "currency": "USD"},
        {"currency": "USD"},
    ],
)
def test_prices_that_are_not_exact_are_not_read(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        rate_cost(wrong)


def test_the_cheapest_rate_of_the_wanted_service() -> None:
    rates = [rate("7.10"), rate("5.82"), rate("4.00", service="Slow"), rate("5.90")]
    assert choose_rate({"rates": rates})["rate"] == "4.00"
    wanted = {"rates": rates, "options": {"print_custom_2": "Ground"}}
    assert choose_rate(wanted)["rate"] == "5.82"


@pytest.mark.parametrize(
    ("shipment", "expected"),
    [
        ({"rates": []}, ProviderRejected),
        ({"rates": [rate("1.00")], "options": {"print_custom_2": "Rocket"}}, ProviderRejected),
        ({"rates": [rate("1.00"), rate("0.90", "EUR")]}, ProviderRejected),
        ({"rates": None}, OutcomeUnknown),
        ({"rates": ["x"]}, OutcomeUnknown),
        ({"rates": [{"rate": "1.00"}]}, OutcomeUnknown),
        ({"rates": [rate("1.00")] * 1_001}, OutcomeUnknown),
    ],
)
def test_rates_that_cannot_be_bought(
    shipment: dict[str, object], expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        choose_rate(shipment)


def test_a_label_is_read() -> None:
    expected = Label("shp_1", "EZ1", "USPS", "Ground", "https://x.example/1.png", 582, "USD")
    assert parse_label(BOUGHT) == expected
    pdf = {**BOUGHT["postage_label"], "label_pdf_url": "https://x.example/1.pdf"}
    read = parse_label({**BOUGHT, "postage_label": pdf})
    assert read == replace(expected, label_url="https://x.example/1.pdf")
    assert parse_label({"id": "shp_1", "postage_label": None, "selected_rate": None}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"postage_label": None},
        {"selected_rate": None},
        {"tracking_code": None},
        {"id": ""},
        {"postage_label": {"label_url": "javascript:alert(1)"}},
        {"postage_label": {}},
        {"selected_rate": rate("5.821", carrier="USPS")},
    ],
)
def test_half_a_label_is_not_read(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_label({**BOUGHT, **change})


def test_scans_are_read_oldest_first() -> None:
    first, last = parse_tracker(TRACKER)
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert first == TrackingScan("EZ1", "shp_1", TrackingStatus.IN_TRANSIT, at)
    assert last.status is TrackingStatus.DELIVERED
    assert last.description == "Delivered"


def test_a_tracker_without_scans() -> None:
    bare = {**TRACKER, "tracking_details": []}
    assert [scan.status for scan in parse_tracker(bare)] == [TrackingStatus.DELIVERED]
    assert parse_tracker({**bare, "status": "unknown"}) == ()
    assert parse_tracker({**bare, "status": "a word that EasyPost adds later"}) == ()


@pytest.mark.parametrize(
    "detail",
    [
        {"status": "in_transit"},
        {"status": "in_transit", "datetime": "yesterday"},
        {"status": "in_transit", "datetime": "2026-03-02T10:00:00"},
        {"status": "in_transit", "datetime": "9999-12-31T23:59:59-14:00"},
        {"status": "in_transit", "datetime": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_scans_without_a_usable_time_are_not_read(detail: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_tracker({**TRACKER, "tracking_details": [detail]})


def test_events() -> None:
    def event(topic: str, result: object) -> bytes:
        content = {"id": "evt_1", "object": "Event", "description": topic, "result": result}
        return orjson.dumps(content)

    for topic in ("tracker.created", "tracker.updated"):
        assert parse_event(event(topic, TRACKER)).scans == parse_tracker(TRACKER)
    assert parse_event(event("batch.updated", {"id": "batch_1"})).scans == ()


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_event(body)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (422, b'{"error":{"code":"SHIPMENT.INVALID"}}', ProviderRejected),
        (404, b'{"error":{"code":"NOT_FOUND"}}', ProviderRejected),
        (401, b'{"error":{"code":"APIKEY.INACTIVE"}}', ProviderUnavailable),
        (402, b'{"error":{"code":"PAYMENT_REQUIRED"}}', ProviderUnavailable),
        (403, b'{"error":{"code":"FORBIDDEN"}}', ProviderUnavailable),
        (400, b"<html>", OutcomeUnknown),
        (422, b'{"error":"words"}', OutcomeUnknown),
    ],
)
def test_errors(status: int, body: bytes, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        refuse(Reply(status, {}, body))


# Accepted by ``validate_webhook`` of EasyPost's own library (PyPI easypost 10.7.0), which
# normalises the secret, so both spellings of the accent are the same secret.
SIGNED = b'{"id":"evt_1"}'
SIGNATURE = "hmac-sha256-hex=648a648ccf2d4fb82924f631da8d92ecfb4d0e8406023c78f9a215117f1ac4d0"


@pytest.mark.parametrize("secret", ["s\u00e9cret", "se\u0301cret"])
def test_the_signature_of_easypost_s_own_library(secret: str) -> None:
    assert verify_signature(SIGNATURE, SIGNED, ["other", secret])


@pytest.mark.parametrize(
    "header",
    [
        "",
        SIGNATURE.removeprefix("hmac-sha256-hex="),
        SIGNATURE.upper(),
        f" {SIGNATURE}",
        f"{SIGNATURE}, {SIGNATURE}",
        f"{SIGNATURE}é",
        "hmac-sha256-hex=" + "0" * 64,
        "hmac-sha256-hex=",
    ],
)
def test_other_signature_headers_do_not_pass(header: str) -> None:
    assert not verify_signature(header, SIGNED, ["s\u00e9cret"])
