"""The carrier itself: labels kept through kill -9, parcels that move, stall and get lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from datetime import UTC, datetime

import orjson
import pytest

from returns_api.adapters.carriers.easypost import EasyPostCarrier
from returns_api.adapters.conformance.carriers import request_for
from returns_api.adapters.http import Call, HttpClient, Reply
from returns_api.ports.carriers import Label
from tests.support.carrier import Carrier
from tests.support.recorder import Recorder


async def bought(carrier: Carrier, http: HttpClient) -> Label:
    easypost = EasyPostCarrier(http)
    request = request_for()
    shipment = await easypost.prepare_label(carrier.account, request)
    return await easypost.buy_label(carrier.account, shipment, request)


async def test_labels_survive_kill_9(carrier: Carrier, http: HttpClient) -> None:
    label = await bought(carrier, http)
    carrier.kill_and_restart()
    easypost = EasyPostCarrier(http)
    found = await easypost.look_up_label(carrier.account, label.carrier_shipment_id)
    assert found == label


async def test_label_files_are_what_they_say(carrier: Carrier, http: HttpClient) -> None:
    label = await bought(carrier, http)
    assert label.label_url is not None
    pdf = await http.send(Call("GET", label.label_url))
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.body.startswith(b"%PDF-1.4")
    assert label.tracking_code.encode() in pdf.body
    assert pdf.body.rstrip().endswith(b"%%EOF")
    for kind in ("png", "qr.png"):
        image = await http.send(Call("GET", label.label_url.replace("pdf", kind)))
        assert image.body.startswith(b"\x89PNG\r\n\x1a\n")
    nothing = await http.send(Call("GET", label.label_url.replace("pdf", "exe")))
    assert nothing.status == 404


async def test_a_qr_code_is_given_on_request(carrier: Carrier, http: HttpClient) -> None:
    label = await bought(carrier, http)
    path = f"/v2/shipments/{label.carrier_shipment_id}/forms"
    reply = await easypost_call(carrier, http, path, {"form": {"type": "label_qr_code"}})
    forms = reply.json_object()["forms"]
    assert isinstance(forms, list)
    assert forms[0]["form_type"] == "label_qr_code"
    assert (await http.send(Call("GET", forms[0]["form_url"]))).status == 200


async def test_a_label_is_sold_once(carrier: Carrier, http: HttpClient) -> None:
    label = await bought(carrier, http)
    path = f"/v2/shipments/{label.carrier_shipment_id}/buy"
    reply = await easypost_call(carrier, http, path, {"rate": {"id": "rate_1"}})
    assert reply.status == 422
    assert b"SHIPMENT.POSTAGE.EXISTS" in reply.body


async def test_parcels_walk_stall_and_get_lost(carrier: Carrier, http: HttpClient) -> None:
    await carrier.control("PUT", "faults", {"auto_walk": True, "life_seconds": 3600})
    labels = []
    for fate in ("none", "stalled", "lost"):
        await carrier.script({"fault": fate, "on": "label"})
        labels.append(await bought(carrier, http))
    for _ in range(5):
        await carrier.control("POST", "advance", {"seconds": 3601})
    easypost = EasyPostCarrier(http)
    ends = [
        [scan.status.value for scan in await easypost.track(carrier.account, each)][-1]
        for each in (label.carrier_shipment_id for label in labels)
    ]
    assert ends == ["delivered", "pre_transit", "in_transit"]


async def test_scans_late_lost_and_out_of_order(
    carrier: Carrier, http: HttpClient, recorder: Recorder
) -> None:
    await carrier.register_webhook(recorder.url, "secret")
    label = await bought(carrier, http)
    code, now = label.tracking_code, time.time()
    await carrier.scan(code, "delivered", at=now + 60)
    await carrier.scan(code, "in_transit", at=now + 30)
    await carrier.scan(code, "out_for_delivery", at=now + 45, announce=False)
    await carrier.quiet()
    easypost = EasyPostCarrier(http)
    scans = await easypost.track(carrier.account, label.carrier_shipment_id)
    order = ["pre_transit", "in_transit", "out_for_delivery", "delivered"]
    assert [scan.status.value for scan in scans] == order
    assert len(recorder.requests) == 3, "created, and the two scans that were announced"
    for each in recorder.requests:
        assert easypost.verify(each.headers, each.body, ["secret"], datetime.now(UTC))
    begun = time.monotonic()
    await carrier.scan(code, "delivered", delay=0.3)
    await carrier.quiet()
    assert len(recorder.requests) == 4
    assert time.monotonic() - begun >= 0.29, "late as told; how late is the machine's matter"


async def test_prices_follow_the_country(carrier: Carrier, http: HttpClient) -> None:
    label = await bought(carrier, http)
    assert label.currency == "EUR", "it leaves from a German buyer"


async def easypost_call(
    carrier: Carrier, http: HttpClient, path: str, content: dict[str, object]
) -> Reply:
    headers = {"authorization": "Basic RVpUS19jYXJyaWVyOg=="}
    return await http.send(Call("POST", carrier.base_url + path, headers, orjson.dumps(content)))


@pytest.mark.parametrize("name", ["bank", "carrier"])
async def test_simulators_import_nothing_of_the_service(name: str) -> None:
    """They stand alone: what they load of the package is themselves."""
    code = (
        f"import sys, returns_api.simulators.{name}.__main__ as _\n"
        "print([m for m in sys.modules if m.startswith('returns_api.') "
        "and not m.startswith('returns_api.simulators')])"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert output.strip() == b"[]"
