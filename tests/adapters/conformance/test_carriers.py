"""The shipped carrier checks, for each built-in adapter on the carrier simulator."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from returns_api.adapters.carriers.easypost import EasyPostCarrier
from returns_api.adapters.carriers.shippo import ShippoCarrier
from returns_api.adapters.conformance import Check, Fault
from returns_api.adapters.conformance.carriers import CHECKS, CarrierRig
from returns_api.adapters.http import HttpClient
from returns_api.ports.carriers import TrackingStatus
from tests.adapters.conftest import DEADLINE
from tests.support.carrier import Carrier
from tests.support.recorder import Recorder

HANG_SECONDS = 1.5


class EasyPostOnCarrier:
    """``CarrierRig``; see there."""

    deadline_seconds = DEADLINE
    service = "Priority"

    def __init__(self, carrier: Carrier, http: HttpClient, recorder: Recorder) -> None:
        self.carrier: EasyPostCarrier | ShippoCarrier = EasyPostCarrier(http)
        self.account = carrier.account
        self.stranger = replace(carrier.account, secret="")
        self.unreachable = replace(carrier.account, base_url="http://127.0.0.1:9")
        self._simulator = carrier
        self._recorder = recorder

    async def misbehave(self, fault: Fault, *, reading: bool = False) -> None:
        on = "read" if reading else "label"
        await self._simulator.script({"fault": fault.value, "on": on, "seconds": HANG_SECONDS})

    async def bought(self, reference: str) -> int:
        return int((await self._simulator.labels(reference))["bought"])

    async def scan(self, carrier_shipment_id: str, status: TrackingStatus) -> None:
        await self._simulator.scan(carrier_shipment_id, status.value)

    async def webhooks(self) -> Sequence[bytes]:
        await self._simulator.quiet()
        return [each.body for each in self._recorder.requests]

    def sign(self, secret: str, body: bytes, at: datetime) -> Mapping[str, str]:
        key = unicodedata.normalize("NFKD", secret).encode()
        digest = hmac.new(key, body, hashlib.sha256).hexdigest()
        return {"x-hmac-signature": f"hmac-sha256-hex={digest}"}


class ShippoOnCarrier(EasyPostOnCarrier):
    """The same books behind Shippo's words."""

    service = "usps_priority"

    def __init__(self, carrier: Carrier, http: HttpClient, recorder: Recorder) -> None:
        super().__init__(carrier, http, recorder)
        self.carrier = ShippoCarrier(http)

    def sign(self, secret: str, body: bytes, at: datetime) -> Mapping[str, str]:
        stamp = str(int(at.timestamp()))
        signed = stamp.encode() + b"." + body
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return {"shippo-auth-signature": f"t={stamp},v1={digest}"}


@pytest.fixture(params=[EasyPostOnCarrier, ShippoOnCarrier])
async def rig(
    request: Any, carrier: Carrier, http: HttpClient, recorder: Recorder
) -> EasyPostOnCarrier:
    await carrier.register_webhook(f"{recorder.url}/hooks", "secret")
    made: EasyPostOnCarrier = request.param(carrier, http, recorder)
    return made


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_on_the_carrier(check: Check[CarrierRig], rig: EasyPostOnCarrier) -> None:
    await check(rig)
