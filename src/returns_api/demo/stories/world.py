"""What all stories share: the running service, its bank and carrier, a mail server, and the time.

Owns moving the time of all of them at once. Nothing here waits for days: the service and both
simulators are told that they have passed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from returns_api.clocks import MovedClock
from returns_api.config import Settings
from returns_api.demo import calls
from returns_api.demo.calls import CALL_SECONDS, Json
from returns_api.demo.stories.mailbox import Mailbox, a_mailbox
from returns_api.usecases.context import Context
from returns_api.wiring import running_context


@dataclass(frozen=True, slots=True)
class World:
    """``ctx`` makes shops, which no key can do, and is used for nothing else."""

    settings: Settings
    url: str
    http: httpx.AsyncClient = field(repr=False)
    ctx: Context = field(repr=False)
    mailbox: Mailbox = field(repr=False)
    clock: MovedClock = field(repr=False)

    @property
    def now(self) -> datetime:
        return self.clock()

    async def forward(self, by: timedelta) -> None:
        """Let time pass for the service, the bank and the carrier."""
        self.clock.forward(by)
        body = {"ahead_seconds": self.clock.ahead_seconds}
        for place in (self.settings.bank_url, self.settings.carrier_url):
            await calls.control(self.http, str(place), "clock", body, "PUT")

    async def bank(self, path: str, body: Json) -> Json:
        return await calls.control(self.http, str(self.settings.bank_url), path, body)

    async def carrier(self, path: str, body: Json) -> Json:
        return await calls.control(self.http, str(self.settings.carrier_url), path, body)

    async def unheard(self) -> int:
        """How many webhooks of the bank and the carrier the service has not taken yet."""
        urls = (self.settings.bank_url, self.settings.carrier_url)
        counts = [await calls.control(self.http, str(url), "deliveries", {}, "GET") for url in urls]
        return sum(int(each.get("due", 0)) for each in counts)

    async def bank_ledger(self, payment: str) -> Json:
        """What the bank counted on a payment, by payment and by our reference."""
        url = f"{self.settings.bank_url}/_control/ledger"
        return calls.read(await self.http.get(url, params={"payment": payment}))


@asynccontextmanager
async def a_world(settings: Settings, url: str) -> AsyncIterator[World]:
    """Of a service that answers at ``url`` and was started with these settings, which name its
    database, its bank and carrier and the file of its clock."""
    assert settings.clock_file is not None
    async with (
        a_mailbox() as mailbox,
        httpx.AsyncClient(timeout=CALL_SECONDS, trust_env=False) as http,
        running_context(settings, pool_size=2) as (ctx, _),
    ):
        world = World(settings, url, http, ctx, mailbox, MovedClock(settings.clock_file))
        await world.forward(timedelta(0))  # all of them look at the same clock from here on
        yield world
