"""The shipped carrier checks, for each built-in adapter on the carrier simulator."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

import pytest

from returns_api.adapters.carriers.dhl_returns import DhlReturnsCarrier
from returns_api.adapters.carriers.easypost import EasyPostCarrier
from returns_api.adapters.carriers.shippo import ShippoCarrier
from returns_api.adapters.conformance import Fault
from returns_api.adapters.conformance.carriers import CarrierCheck, checks_for
from returns_api.adapters.http import HttpClient
from returns_api.ports.carriers import Carrier as CarrierPort
from returns_api.ports.carriers import TrackingStatus
from tests.support.carrier import Carrier
from tests.support.patience import PATIENCE
from tests.support.recorder import Recorder

HANG_SECONDS = 4.0


class EasyPostOnCarrier:
    """``CarrierRig``; see there."""

    deadline_seconds = PATIENCE
    adapter: ClassVar[type[EasyPostCarrier | ShippoCarrier | DhlReturnsCarrier]] = EasyPostCarrier
    service: str | None = "Priority"

    def __init__(self, carrier: Carrier, http: HttpClient, recorder: Recorder) -> None:
        self.carrier: CarrierPort = self.adapter(http)
        self.account = carrier.account
        self.stranger = replace(carrier.account, secret="")
        self.unreachable = replace(carrier.account, base_url="http://127.0.0.1:9")
        self._simulator = carrier
        self._recorder = recorder

    async def misbehave(self, fault: Fault, *, reading: bool = False) -> None:
        on = "read" if reading else "label"
        await self._simulator.script({"fault": fault.value, "on": on, "seconds": HANG_SECONDS})

    async def misbehave_with_courier(self, fault: Fault) -> None:
        step = {"fault": fault.value, "on": "pickup", "seconds": HANG_SECONDS}
        await self._simulator.script(step)

    async def couriers(self, carrier_pickup_id: str) -> int:
        return int((await self._simulator.pickups())[carrier_pickup_id]["booked"])

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

    adapter = ShippoCarrier
    service = "usps_priority"

    def sign(self, secret: str, body: bytes, at: datetime) -> Mapping[str, str]:
        stamp = str(int(at.timestamp()))
        signed = stamp.encode() + b"." + body
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return {"shippo-auth-signature": f"t={stamp},v1={digest}"}


class DhlOnCarrier(EasyPostOnCarrier):
    """The same books behind DHL's words; what it does not offer, its capabilities say."""

    adapter = DhlReturnsCarrier
    service = None

    def __init__(self, carrier: Carrier, http: HttpClient, recorder: Recorder) -> None:
        super().__init__(carrier, http, recorder)
        self.account = replace(carrier.account, secret="key:user:pass", account="deu")
        self.unreachable = replace(self.account, base_url="http://127.0.0.1:9")


RIGS = (EasyPostOnCarrier, ShippoOnCarrier, DhlOnCarrier)
CASES = [(rig, check) for rig in RIGS for check in checks_for(rig.adapter.capabilities)]


@pytest.mark.parametrize(
    ("made", "check"), CASES, ids=[f"{rig.adapter.name}-{check.__name__}" for rig, check in CASES]
)
async def test_on_the_carrier(
    made: type[EasyPostOnCarrier],
    check: CarrierCheck,
    carrier: Carrier,
    http: HttpClient,
    recorder: Recorder,
) -> None:
    await carrier.register_webhook(f"{recorder.url}/hooks", "secret")
    await check(made(carrier, http, recorder))
