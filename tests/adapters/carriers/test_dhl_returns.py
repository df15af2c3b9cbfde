"""DHL Parcel DE Returns on the wire: what is sent, what is read, what is refused; no network."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.adapters.carriers.dhl_returns_address import (
    receiver_for,
    shipper,
    street_and_house,
)
from returns_api.adapters.carriers.dhl_returns_wire import (
    build_order,
    build_track,
    parse_order,
    parse_track,
    refuse,
)
from returns_api.adapters.http import Reply
from returns_api.ports.carriers import Address, CarrierAccount, Form, LabelRequest, TrackingStatus
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable

ACCOUNT = CarrierAccount("https://api-eu.dhl.com/", "key:user:pa:ss", "deu")
BUYER = Address("Ada Käufer", "Hauptstraße 12a", "Berlin", "10115", "DE", email="ada@example.de")
SHOP = Address("Returns", "Lager 1", "Bonn", "53113", "DE")
REQUEST = LabelRequest("shm_1", BUYER, SHOP, 850)
PDF, PNG = (b64encode(magic + b"...").decode() for magic in (b"%PDF-1.4", b"\x89PNG\r\n\x1a\n"))


def order(**more: Any) -> Any:
    return {
        "sstatus": {"title": "Created", "status": 201},
        "shipmentNo": "999991587211",
        "label": {"b64": PDF},
        "qrLabel": {"b64": PNG},
        "qrLink": "https://www.dhl.de/retoure/qr/1",
        "routingCode": "40327653113+99000933090010",
        **more,
    }


def test_one_call_makes_the_label() -> None:
    call = build_order(ACCOUNT, REQUEST)
    address = "https://api-eu.dhl.com/parcel/de/shipping/returns/v1/orders?labelType=BOTH"
    assert (call.method, call.url) == ("POST", address)
    assert call.headers["dhl-api-key"] == "key"
    assert call.headers["authorization"] == f"Basic {b64encode(b'user:pa:ss').decode()}"
    assert orjson.loads(call.body) == {
        "receiverId": "deu",
        "customerReference": "shm_1",
        "shipmentReference": "shm_1",
        "shipper": {
            "name1": "Ada Käufer",
            "addressStreet": "Hauptstraße",
            "addressHouse": "12a",
            "postalCode": "10115",
            "city": "Berlin",
            "email": "ada@example.de",
        },
        "itemWeight": {"uom": "g", "value": 850},
    }
    green = orjson.loads(build_order(ACCOUNT, replace(REQUEST, service="gogreen_plus")).body)
    assert green["services"] == {"goGreenPlus": True}


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (replace(REQUEST, service="express"), "no_such_service"),
        (replace(REQUEST, weight_grams=31_501), "too_heavy"),
        (replace(REQUEST, sender=replace(BUYER, country="US")), "country_not_served"),
        (replace(REQUEST, sender=replace(BUYER, country="CH")), "customs_needed"),
        (replace(REQUEST, sender=replace(BUYER, country="AT")), "no_receiver"),
        (replace(REQUEST, sender=replace(BUYER, street1="Hauptstraße")), "house_number_missing"),
        (replace(REQUEST, sender=replace(BUYER, postcode="10-")), "postcode_does_not_fit"),
        (replace(REQUEST, sender=replace(BUYER, city="B" * 41)), "address_does_not_fit"),
        (replace(REQUEST, sender=replace(BUYER, street1="x" * 99 + " 1")), "address_does_not_fit"),
    ],
)
def test_what_dhl_does_not_take_is_refused_before_it_is_sent(
    request_: LabelRequest, code: str
) -> None:
    with pytest.raises(ProviderRejected) as refused:
        build_order(ACCOUNT, request_)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("first", "second", "read"),
    [
        ("Hauptstr. 1", None, ("Hauptstr.", "1")),
        ("Straße des 17. Juni 135 b", None, ("Straße des 17. Juni", "135 b")),
        ("12 rue de la Paix", None, ("rue de la Paix", "12")),
        ("Am Markt, 5-7", None, ("Am Markt", "5-7")),
        ("Hauptstraße", "12a", ("Hauptstraße", "12a")),
    ],
)
def test_street_and_number(first: str, second: str | None, read: tuple[str, str]) -> None:
    assert street_and_house(replace(BUYER, street1=first, street2=second)) == read


def test_receivers_by_country() -> None:
    assert receiver_for("deu", "DE") == "deu"
    assert receiver_for("DE=lager, AT=aut", "AT") == "aut"


@given(st.text(max_size=200), st.text(max_size=80), st.text(max_size=40))
def test_any_address_fits_or_is_refused(name: str, street: str, email: str) -> None:
    address = replace(BUYER, name=name, street1=street, email=email)
    try:
        sent = shipper(address)
    except ProviderRejected:
        return
    assert all(1 <= len(sent[part]) <= 50 for part in ("name1", "addressStreet"))
    assert len(sent["addressHouse"]) <= 10


def test_a_label_comes_with_its_files_and_without_a_price() -> None:
    label = parse_order(order(), REQUEST)
    assert label.carrier_shipment_id == label.tracking_code == "999991587211"
    assert (label.cost_minor, label.currency, label.label_url) == (None, None, None)
    assert [(each.form, each.media_type) for each in label.documents] == [
        (Form.LABEL, "application/pdf"),
        (Form.QR, "image/png"),
    ]
    alone = parse_order(order(qrLabel=None, qrLink="javascript:1"), REQUEST)
    assert ([each.form for each in alone.documents], alone.qr_url) == ([Form.LABEL], None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sstatus": {"title": "OK", "status": 200}},
        {"sstatus": None},
        {"shipmentNo": ""},
        {"shipmentNo": "1&x=2"},
        {"label": {"b64": "!"}},
        {"label": {"b64": b64encode(b"<html>").decode()}},
        {"label": {}},
    ],
)
def test_orders_that_cannot_be_read(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_order(order(**wrong), REQUEST)


def test_scans_are_berlin_s_time_and_ours_alone() -> None:
    assert build_track(ACCOUNT, "99 1").url.endswith(
        "/track/shipments?trackingNumber=99+1&service=parcel-de"
    )
    events = [
        {"timestamp": "2026-07-02T09:00:00", "statusCode": "delivered", "description": "Da"},
        {"timestamp": "2026-07-01T09:00:00+00:00", "statusCode": "transit"},
        {"timestamp": "2026-07-01T08:00:00", "statusCode": "something new"},
    ]
    other = {"id": "other", "events": events}
    found = parse_track({"shipments": [other, {"id": "9", "events": events}]}, "9")
    assert [(each.status, each.at) for each in found] == [
        (TrackingStatus.UNKNOWN, datetime(2026, 7, 1, 6, tzinfo=UTC)),
        (TrackingStatus.IN_TRANSIT, datetime(2026, 7, 1, 9, tzinfo=UTC)),
        (TrackingStatus.DELIVERED, datetime(2026, 7, 2, 7, tzinfo=UTC)),
    ]
    assert {each.tracking_code for each in found} == {"9"}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"title":"Canary street","status":400}', ProviderRejected),
        (404, b'{"title":"No result found","status":404}', ProviderRejected),
        (401, b'{"title":"Unauthorized","status":401}', ProviderUnavailable),
        (403, b'{"title":"Forbidden","status":403}', ProviderUnavailable),
        (404, b"<html>", OutcomeUnknown),
        (400, b'{"error":"a proxy"}', OutcomeUnknown),
    ],
)
def test_refusals(status: int, body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error) as refused:
        refuse(Reply(status, {}, body))
    assert "Canary" not in str(refused.value)


def test_a_secret_of_another_form_can_be_mended() -> None:
    for secret in ("", "key", "key:user", ":user:pass", "ké:user:pass"):
        with pytest.raises(ProviderUnavailable):
            build_order(replace(ACCOUNT, secret=secret), REQUEST)
