"""A Context for tests: real database, real sealing, real HTTP to loopback; time and ids by hand."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import uuid_utils.compat as uuids

from returns_api.adapters.carriers.dhl_returns import DhlReturnsCarrier
from returns_api.adapters.carriers.easypost import EasyPostCarrier
from returns_api.adapters.documents import PdfPrinter
from returns_api.adapters.http import GuardedClient, HttpClient, Timeout
from returns_api.adapters.notifiers.compose import TextComposer
from returns_api.adapters.notifiers.onesignal import OneSignalMessenger
from returns_api.adapters.notifiers.smtp import SmtpMessenger
from returns_api.adapters.notifiers.twilio import TwilioMessenger
from returns_api.adapters.payments.stripe import StripePayments
from returns_api.adapters.photos import ApartCleaner, ObjectStore
from returns_api.adapters.sealing import FernetSealer
from returns_api.adapters.shops.shopify import ShopifyShop
from returns_api.adapters.shops.woocommerce import WooCommerceShop
from returns_api.adapters.webhooks import Webhooks
from returns_api.db.engine import Database
from returns_api.usecases.context import Context
from tests.support.patience import PATIENCE

ADDRESS = {
    "name": "Field & Loom Returns",
    "street1": "Lagerstr. 1",
    "street2": None,
    "city": "Berlin",
    "region": None,
    "postcode": "10115",
    "country": "DE",
    "email": None,
    "phone": None,
}

PIXELS = 50_000_000
START = datetime(2026, 11, 21, 9, 12, 44, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """Aware UTC that moves only when told."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **units: float) -> datetime:
        self.now += timedelta(**units)
        return self.now


@asynccontextmanager
async def a_context(
    database_url: str,
    clock: Clock,
    *,
    deadline_seconds: float = PATIENCE,
    measure: Timeout = asyncio.timeout,
    pool_size: int = 5,
    photo_store: str = "memory:///",
) -> AsyncIterator[Context]:
    """Everything a use case needs, against ``database_url`` as the service's own role."""
    # However many want a connection at once, and however slow the machine: each gets one.
    database = Database(database_url, pool_size=pool_size, wait_seconds=PATIENCE)
    http = HttpClient(deadline_seconds=deadline_seconds, timeout=measure)
    guarded = GuardedClient(allow_loopback=True, deadline_seconds=PATIENCE)
    await database.open()
    try:
        yield Context(
            database=database,
            clock=clock,
            new_id=uuids.uuid7,
            new_secret=lambda: secrets.token_hex(24),
            sealer=FernetSealer([b"k" * 32]),
            payments={"stripe": StripePayments(http)},
            carriers={
                "easypost": EasyPostCarrier(http),
                "dhl_returns": DhlReturnsCarrier(http),
            },
            shops={"shopify": ShopifyShop(), "woocommerce": WooCommerceShop()},
            messengers={
                "smtp": SmtpMessenger(allow_loopback=True, deadline_seconds=PATIENCE),
                "twilio": TwilioMessenger(http, allow_loopback=True),
                "onesignal": OneSignalMessenger(http, allow_loopback=True),
            },
            composer=TextComposer(),
            webhooks=Webhooks(guarded, allow_loopback=True),
            wake=lambda: None,
            public_url="http://returns.test",
            printer=PdfPrinter(),
            cleaner=ApartCleaner(PIXELS),
            photos=ObjectStore(photo_store),
        )
    finally:
        await database.close()
        await http.aclose()
        await guarded.aclose()
