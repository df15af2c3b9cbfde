"""The carrier simulator for tests: labels counted, parcels moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from returns_api.ports.carriers import CarrierAccount
from tests.support.simulator import Simulator

API_KEY = "EZTK_carrier"


class Carrier(Simulator):
    """A running carrier."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__("carrier", data_dir)

    @property
    def account(self) -> CarrierAccount:
        """Where and as whom to call it."""
        return CarrierAccount(self.base_url, API_KEY, "carrier")

    async def labels(self, reference: str) -> dict[str, Any]:
        """What the ledger says of one reference; zeros when it never heard of it."""
        found = await self.control("GET", f"ledger?reference={reference}")
        nothing = {"shipments": 0, "bought": 0, "voided": 0, "net_minor": 0}
        return dict(found["references"].get(reference, nothing))

    async def scan(self, shipment: str, status: str, **more: Any) -> None:
        """One scan of a parcel; ``at``, ``delay``, ``announce``, ``message`` may be given."""
        await self.control("POST", "scans", {"shipment": shipment, "status": status, **more})

    async def walk(self, shipment: str, to: str = "delivered") -> None:
        """Every missing scan up to ``to``."""
        await self.control("POST", "walk", {"shipment": shipment, "to": to})

    async def pickups(self) -> dict[str, Any]:
        """Every pickup by its id: its state and how often it was booked."""
        return dict((await self.control("GET", "pickups"))["pickups"])

    async def register_webhook(self, url: str, secret: str, **more: Any) -> None:
        """Where to announce events."""
        await self.control("POST", "webhooks", {"url": url, "secret": secret, **more})

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
