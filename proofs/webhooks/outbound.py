"""T14: our own webhooks, ten thousand events to a receiver that fails three times in ten.

The clock is moved from one due time to the next, over five days and a quarter, so that the whole
schedule is seen: one receiver fails now and then, one always, one is gone, and one answers nothing
good for five days. What each received is counted at the receiver, every signature is checked by the
reference library at the time at which it was made, and what died is replayed over HTTP.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final
from uuid import UUID

import time_machine
from proofs.harness.client import Client
from proofs.harness.report import say
from proofs.harness.shops import in_parallel
from proofs.harness.stage import Lane
from standardwebhooks import Webhook, WebhookVerificationError
from tests.support.context import ADDRESS, Clock
from tests.support.receiver import Received, Receiver, Reply, receiving

from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.shops import ShopSettings
from returns_api.domain.webhooks import MAX_TRIES, wait_after
from returns_api.usecases.context import Context
from returns_api.usecases.deliveries import deliver_event, due_deliveries
from returns_api.usecases.shops import create_shop
from returns_api.usecases.webhook_endpoints import create_endpoint
from returns_api.wiring import running_context

BAD: Final = 0.30
NEVER: Final = 100
"""Events for a receiver that never takes one."""
GONE: Final = 20
STEP: Final = timedelta(seconds=1)
"""How exactly the clock stops at a due time."""
EVERY: Final = timedelta(hours=6)
WHOLE: Final = timedelta(hours=126)
ASKED: Final = timedelta(hours=1)
"""What a receiver that is busy asks for by ``Retry-After``."""
BUSY: Final = 503
AT_ONCE: Final = 8
CHUNK: Final = 500
TOPICS: Final = {
    "good": "refund.succeeded",
    "never": "transfer.failed",
    "gone": "shipment.lost",
    "failing": "refund.overdue",
}
_NEXT: Final = "SELECT min(due_at) FROM deliveries WHERE state = 'queued'"
_TRIES: Final = (
    "SELECT a.event_id, a.endpoint_id, array_agg(a.at ORDER BY a.no) AS at,"
    " array_agg(a.status ORDER BY a.no) AS status, d.state"
    " FROM delivery_attempts a JOIN deliveries d USING (shop_id, event_id, endpoint_id)"
    " GROUP BY 1, 2, d.state"
)


@dataclass(slots=True)
class Merchant:
    """The receivers, by the paths of their endpoints; what they got and what they made of it."""

    clock: Clock
    chance: Random
    checks: dict[str, Webhook] = field(default_factory=dict)
    mended: bool = False
    got: Counter[tuple[str, str]] = field(default_factory=Counter)
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    forged: int = 0

    def answer(self, one: Received) -> Reply:
        name = one.path.removeprefix("/")
        try:
            with time_machine.travel(self.clock(), tick=False):
                self.checks[name].verify(one.body, one.headers)
        except WebhookVerificationError:
            self.forged += 1
        key = name, one.headers["webhook-id"]
        self.got[key] += 1
        reply = self._reply(name)
        self.taken[key] += reply.status < 300 and not reply.hang_up
        return reply

    def _reply(self, name: str) -> Reply:
        if self.mended or (name == "good" and self.chance.random() >= BAD):
            return Reply(204)
        if name == "gone":
            return Reply(410)
        if name != "good":
            return Reply(500)
        busy = Reply(BUSY, (("retry-after", str(int(ASKED.total_seconds()))),))
        elsewhere = Reply(302, (("location", "/gone"),))
        return self.chance.choice([Reply(500), Reply(404), Reply(hang_up=True), elsewhere, busy])


@dataclass(slots=True)
class World:
    """A shop with four endpoints, its merchant, and the clock that is moved."""

    ctx: Context
    connection: Any
    clock: Clock
    shop: UUID
    merchant: Merchant
    endpoints: dict[str, UUID]

    async def happen(self, name: str, count: int) -> None:
        """Commit events that the endpoint ``name`` listens to."""
        for first in range(0, count, CHUNK):
            events = [self._event(TOPICS[name]) for _ in range(min(CHUNK, count - first))]
            async with self.ctx.database.transaction(self.shop) as tx:
                await emit(tx, events)

    def _event(self, kind: str) -> Event:
        refund = self.ctx.new_id()
        data = {"refund": ids.encode("ref", refund), "state": "succeeded", "amount": 8410}
        return Event(
            id=self.ctx.new_id(), type=kind, resource_type="refund", resource_id=refund,
            sequence=1, at=self.clock(), by=SYSTEM, data=data,
        )  # fmt: skip

    async def drain(self) -> None:
        """Deliver what is due at this time."""
        while due := await due_deliveries(self.ctx, 1_000):
            work = [partial(deliver_event, self.ctx, shop, event) for shop, event in due]
            await in_parallel(work, AT_ONCE)

    async def until(self, end: datetime) -> None:
        """From due time to due time."""
        await self.drain()
        while (due := await self.connection.fetchval(_NEXT)) is not None and due + STEP <= end:
            self.clock.now = max(self.clock.now, due + STEP)
            await self.drain()
        self.clock.now = end


async def prove_outbound(lane: Lane, events: int, chance: Random) -> dict[str, Any]:
    """The figures; ``wrong`` is empty when every promise held."""
    start = datetime.now(UTC).replace(microsecond=0) - WHOLE - timedelta(hours=1)
    clock = Clock(start)
    async with AsyncExitStack() as stack:
        opened = running_context(lane.settings, pool_size=AT_ONCE + 2, clock=clock)
        ctx, _ = await stack.enter_async_context(opened)
        receiver = await stack.enter_async_context(receiving())
        connection = await stack.enter_async_context(lane.superuser())
        client = await stack.enter_async_context(Client(lane.urls))
        settings = ShopSettings("Field & Loom", "Europe/Berlin", "EUR", "DE", "de-DE", ADDRESS)
        made = await create_shop(ctx, settings)
        world = await _world(ctx, connection, clock, made.id, receiver, chance)
        for name, count in (("good", events), ("never", NEVER), ("gone", GONE)):
            await world.happen(name, count)
        say(f"{events} events; the first tries")
        while clock() < start + WHOLE:
            await world.happen("failing", 1)
            await world.until(clock() + EVERY)
        say(f"{sum(world.merchant.got.values())} tries over {WHOLE}")
        figures = await _figures(world, events)
        figures["replayed"] = await _replay(world, client, made.key.token, start)
        figures["wrong"] += [] if figures["replayed"] == NEVER else ["not all were replayed"]
        figures["wrong"] += ["a signature was refused"] if world.merchant.forged else []
    return figures


async def _world(
    ctx: Context, connection: Any, clock: Clock, shop: UUID, receiver: Receiver, chance: Random
) -> World:
    merchant, endpoints = Merchant(clock, chance), {}
    receiver.answer = merchant.answer
    for name, topic in TOPICS.items():
        made = await create_endpoint(
            ctx, shop, SYSTEM, url=f"{receiver.base_url}/{name}", topics=(topic,), description=None
        )
        endpoints[name] = made.endpoint["id"]
        merchant.checks[name] = Webhook(made.secret)
    return World(ctx, connection, clock, shop, merchant, endpoints)


async def _figures(world: World, events: int) -> dict[str, Any]:
    rows = await world.connection.fetch(_TRIES)
    by_name = {endpoint: name for name, endpoint in world.endpoints.items()}
    of: dict[str, list[Any]] = {name: [] for name in TOPICS}
    for row in rows:
        of[by_name[row["endpoint_id"]]].append(row)
    lost = events - sum(row["state"] == "succeeded" for row in of["good"])
    got, taken = _of(world.merchant.got, "good"), _of(world.merchant.taken, "good")
    duplicates = sum(got.values()) - len(got)
    unrecorded = sum(_bad(row["status"]) for row in of["good"])
    off = sum(_off_schedule(row) for row in rows)
    spans = [row["at"][-1] - row["at"][0] for row in of["never"]]
    told = await world.connection.fetch(
        "SELECT id, state, disabled_reason FROM webhook_endpoints WHERE state = 'disabled'"
    )
    disabled = {by_name[row["id"]]: row["disabled_reason"] for row in told}
    checks = {
        "events were lost": lost == 0 and len(taken) == events,
        "an event was taken twice": max(taken.values(), default=0) == 1,
        "more duplicates than tries without a recorded 2xx": duplicates <= unrecorded,
        "tries are off the schedule": off == 0,
        "not ten tries and dead": all(
            len(row["at"]) == MAX_TRIES and row["state"] == "dead" for row in of["never"]
        )
        and len(spans) == NEVER,
        "not the endpoints that had to be": disabled == {"gone": "gone", "failing": "failing"},
        "a gone endpoint was asked again": len(_of(world.merchant.got, "gone")) <= AT_ONCE,
    }
    return {
        "events": events,
        "tries": sum(world.merchant.got.values()),
        "bad_share": round(unrecorded / max(sum(got.values()), 1), 3),
        "lost": lost,
        "duplicates": duplicates,
        "tries_without_2xx": unrecorded,
        "off_schedule": off,
        "hours_of_ten_tries": [round(f(spans).total_seconds() / 3600, 1) for f in (min, max)],
        "disabled": disabled,
        "wrong": [text for text, held in checks.items() if not held],
    }


def _of(counted: Counter[tuple[str, str]], name: str) -> dict[str, int]:
    return {key[1]: count for key, count in counted.items() if key[0] == name and count}


def _bad(statuses: Sequence[int | None]) -> int:
    return sum(status is None or not 200 <= status < 300 for status in statuses)


def _off_schedule(row: Any) -> int:
    """How many tries came before their time, or later than the clock's step."""
    seed, off = f"{row['event_id']}/{row['endpoint_id']}", 0
    for tries, (before, at) in enumerate(zip(row["at"], row["at"][1:], strict=False), start=1):
        wait = wait_after(tries, seed)
        assert wait is not None
        due = before + (max(wait, ASKED) if row["status"][tries - 1] == BUSY else wait)
        off += not due <= at <= due + STEP
    return off


async def _replay(world: World, client: Client, token: str, since: datetime) -> int:
    """Ask for everything that died at the receiver that is well by now; how many it took."""
    world.merchant.mended = True
    path = f"/v1/admin/webhook-endpoints/{ids.encode('whe', world.endpoints['never'])}/replay"
    world.clock.now = datetime.now(UTC)
    more, key = True, 0
    while more:
        body = {"since": since.isoformat()}
        answer = await client.send("POST", path, token, body, key=f"replay-{key}")
        if answer.status != 202:
            raise RuntimeError(f"{path}: {answer}")
        more, key = answer.json()["more"], key + 1
        await asyncio.sleep(0.01)
        world.clock.now = datetime.now(UTC)
        await world.drain()
    return len(_of(world.merchant.taken, "never"))
