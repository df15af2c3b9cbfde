"""DHL's adapter and the carrier's DHL face against DHL's own API description.

Prism stands between them and refuses on either way what the description does not allow. Its copy
differs in the addresses only: the version stands in the path here. Tracking is in no description
that is at hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import orjson
import pytest
import yaml

from returns_api.adapters.carriers import dhl_returns_wire as wire
from returns_api.adapters.carriers.dhl_returns import DhlReturnsCarrier
from returns_api.adapters.conformance.carriers import request_for
from returns_api.adapters.http import HttpClient
from returns_api.ports.carriers import CarrierAccount
from tests.support import node
from tests.support.carrier import Carrier
from tests.support.prism import prism

pytestmark = pytest.mark.xdist_group("node")
BASE = "/parcel/de/shipping/returns/v1"


@pytest.fixture(scope="module")
def judge(
    carrier_process: Carrier, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CarrierAccount]:
    content = yaml.safe_load(node.spec("dhl_returns.yaml").read_text(encoding="utf-8"))
    content["paths"] = {f"{BASE}/orders": content["paths"]["/orders"]}
    copy = tmp_path_factory.mktemp("dhl") / "dhl.json"
    copy.write_bytes(orjson.dumps(content))
    with prism(copy, carrier_process.base_url) as url:
        yield CarrierAccount(url, "key:user:pass", "deu")


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    http = HttpClient()
    yield http
    await http.aclose()


async def test_both_ends_keep_to_the_description(
    judge: CarrierAccount, carrier: Carrier, client: HttpClient
) -> None:
    adapter = DhlReturnsCarrier(client)
    for service in (None, "gogreen_plus"):
        request = request_for(service)
        label = await adapter.buy_label(judge, "planned:x", request)
        assert label.documents
        assert (await carrier.labels(request.reference))["bought"] == 1


async def test_the_judge_is_awake(judge: CarrierAccount, client: HttpClient) -> None:
    call = wire.build_order(judge, request_for())
    good = orjson.loads(call.body)
    for wrong in (
        {"receiverId": 7},
        {"itemWeight": {"uom": "lb", "value": 1}},
        {"shipper": {**good["shipper"], "addressHouse": ""}},
        {"services": {"goGreenPlus": "yes"}},
    ):
        body = orjson.dumps({**good, **wrong})
        assert (await client.send(replace(call, body=body))).status == 422


def test_only_documented_names_are_sent() -> None:
    """The description does not forbid others, so they are compared here."""
    described = yaml.safe_load(node.spec("dhl_returns.yaml").read_text(encoding="utf-8"))
    shapes = described["components"]["schemas"]
    account = CarrierAccount("https://api-eu.dhl.com", "key:user:pass", "deu")
    sent = orjson.loads(wire.build_order(account, request_for("gogreen_plus")).body)
    assert set(sent) <= set(shapes["ReturnOrder"]["properties"])
    assert set(sent["shipper"]) <= set(shapes["ContactAddress"]["properties"])
    assert set(sent["services"]) <= set(shapes["VAS"]["properties"])
