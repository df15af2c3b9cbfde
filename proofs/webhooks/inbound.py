"""T13: webhooks of a shop platform, spoilt in every way, leave what a clean run in order leaves.

Of the deliveries a fifth is a repetition, five in a hundred are old messages that come once more
under a new id, as many have one bit flipped, and as many are forged otherwise: signed with another
shop's secret, without a signature, with two, with one that is not ASCII or too long. All of it is
shuffled; what is genuine is signed with one of two live secrets. Another shop is told the same
messages once, in their order.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

from proofs.harness.client import Client
from proofs.harness.report import say
from proofs.harness.shops import in_parallel
from proofs.harness.stage import Lane
from proofs.webhooks.told import PLATFORMS, Headers, Platform, Told
from tests.support.context import ADDRESS
from tests.support.intake import Intake

from returns_api.domain import ids
from returns_api.domain.events import SYSTEM
from returns_api.domain.shops import ShopSettings
from returns_api.usecases.connections import ConnectionValues, put_connection
from returns_api.usecases.context import Context
from returns_api.usecases.shops import create_shop
from returns_api.wiring import running_context

REPEATED: Final = 0.20
OLD: Final = 0.05
FLIPPED: Final = 0.05
FORGED: Final = 0.05
AT_ONCE: Final = 8
ACK_MS: Final = 500.0
QUIET_SECONDS: Final = 1_800.0
SOURCE: Final = "platform"
SECRETS: Final = ("the_new_secret", "the_old_secret")
THEIRS: Final = "the_secret_of_another_shop"
BAD_ID: Final = "forged"
"""How the ids of deliveries begin that nobody genuine sent."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery and the answer that it must get."""

    body: bytes
    headers: Headers
    status: int


@dataclass(slots=True)
class Shop:
    """A shop of the platform, and how its deliveries were answered."""

    intake: Intake
    took: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/v1/hooks/{ids.encode('shp', self.intake.shop)}/{SOURCE}"

    async def take(self, client: Client, sent: Sequence[Sent]) -> None:
        """Deliver all, several at once, each timed."""
        await in_parallel([partial(self._one, client, each) for each in sent], AT_ONCE)

    async def _one(self, client: Client, sent: Sent) -> None:
        begun = time.perf_counter()
        answer = await client.send_raw("POST", self.path, sent.headers, sent.body)
        self.took.append((time.perf_counter() - begun) * 1000)
        if answer.status != sent.status:
            self.wrong.append(f"{answer.status} instead of {sent.status}")

    async def messages(self) -> Counter[str]:
        rows = await self.intake.rows(
            "SELECT CASE WHEN event_id LIKE $1 THEN 'forged' ELSE state END AS what, count(*) AS n"
            " FROM inbox GROUP BY 1",
            f"{BAD_ID}%",
        )
        return Counter({row["what"]: row["n"] for row in rows})

    async def quiet(self) -> Counter[str]:
        """Once every message is done. Raises ``TimeoutError``."""
        async with asyncio.timeout(QUIET_SECONDS):
            while True:
                found = await self.messages()
                if not found["received"]:
                    return found
                await asyncio.sleep(0.5)


async def prove_inbound(lane: Lane, name: str, deliveries: int, chance: Random) -> dict[str, Any]:
    """The figures of one platform; ``wrong`` is empty when every promise held."""
    platform, secret = PLATFORMS[name], partial(chance.choice, SECRETS)
    genuine = [each for order in _orders(platform, deliveries) for each in order]
    spoilt = list(_spoilt(platform, genuine, deliveries, chance))
    chance.shuffle(spoilt)
    async with AsyncExitStack() as stack:
        ctx, _ = await stack.enter_async_context(running_context(lane.settings, pool_size=4))
        client = await stack.enter_async_context(Client(lane.urls))
        clean, dirty = await _shop(ctx, name), await _shop(ctx, name)
        say(f"{name}: {len(genuine)} messages in order")
        for stage in range(len(_first(platform))):
            told = genuine[stage :: len(_first(platform))]
            await clean.take(client, [_sent(platform, each, secret()) for each in told])
            calm = await clean.quiet()
        say(f"{name}: {len(spoilt)} deliveries spoilt")
        await dirty.take(client, spoilt)
        found = await dirty.quiet()
        orders, different = await _different(clean.intake, dirty.intake)
    figures = _figures(clean, dirty, calm, found, different, spoilt)
    figures["wrong"] += [] if orders * len(_first(platform)) == len(genuine) else ["orders missing"]
    return {"orders": orders, **figures}


def _figures(
    clean: Shop,
    dirty: Shop,
    calm: Counter[str],
    found: Counter[str],
    different: list[str],
    spoilt: Sequence[Sent],
) -> dict[str, Any]:
    refused = sum(each.status == 401 for each in spoilt)
    p99 = _percentile(dirty.took, 0.99)
    wrong = [*clean.wrong, *dirty.wrong, *(f"{each} differ" for each in different)]
    wrong += [f"{found['forged']} forged messages were stored"] if found["forged"] else []
    wrong += ["messages are dead"] if found["dead"] + calm["dead"] else []
    wrong += [f"p99 of {p99} ms"] if p99 > ACK_MS else []
    return {
        "deliveries": len(spoilt),
        "tampered": refused,
        "tampered_stored": found["forged"],
        "stored": sum(found.values()),
        "ack_ms_p50": _percentile(dirty.took, 0.5),
        "ack_ms_p99": p99,
        "states_that_differ": different,
        "wrong": wrong[:10],
    }


def _orders(platform: Platform, deliveries: int) -> Iterator[Sequence[Told]]:
    share = 1 - REPEATED - OLD - FLIPPED - FORGED
    return (platform.told(n) for n in range(round(deliveries * share / len(_first(platform)))))


def _first(platform: Platform) -> Sequence[Told]:
    return platform.told(0)


def _spoilt(
    platform: Platform, genuine: Sequence[Told], deliveries: int, chance: Random
) -> Iterator[Sent]:
    """Everything genuine once, and what comes beside it; not shuffled yet."""
    for each in genuine:
        yield _sent(platform, each, chance.choice(SECRETS))
    for each in chance.choices(genuine, k=round(deliveries * REPEATED)):
        yield _sent(platform, each, chance.choice(SECRETS))
    for number, each in enumerate(chance.choices(genuine, k=round(deliveries * OLD))):
        again = Told(f"again-{number}", each.topic, each.body)
        yield _sent(platform, again, chance.choice(SECRETS))
    for number, each in enumerate(chance.choices(genuine, k=round(deliveries * FLIPPED))):
        yield _flipped(platform, Told(f"{BAD_ID}-bit-{number}", each.topic, each.body), chance)
    ways = _forgeries(platform)
    for number, each in enumerate(chance.choices(genuine, k=round(deliveries * FORGED))):
        forged = Told(f"{BAD_ID}-{number}", each.topic, each.body)
        yield ways[number % len(ways)](forged)


def _sent(platform: Platform, told: Told, secret: str, status: int = 200) -> Sent:
    headers = platform.signed(told.body, told.topic, told.event_id, secret)
    return Sent(told.body, headers, status)


def _flipped(platform: Platform, told: Told, chance: Random) -> Sent:
    headers = platform.signed(told.body, told.topic, told.event_id, chance.choice(SECRETS))
    body = bytearray(told.body)
    body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
    return Sent(bytes(body), headers, 401)


def _forgeries(platform: Platform) -> list[Any]:
    name = platform.signature

    def with_signature(change: Mapping[str, str], told: Told) -> Sent:
        good = platform.signed(told.body, told.topic, told.event_id, SECRETS[0])
        kept = {key: value for key, value in good.items() if key != name}
        return Sent(told.body, {**kept, **change}, 401)

    def twice(told: Told) -> Sent:
        good = platform.signed(told.body, told.topic, told.event_id, SECRETS[0])
        return with_signature({name: f"{good[name]}\r\n{name}: {good[name]}"}, told)

    return [
        lambda told: _sent(platform, told, THEIRS, 401),
        partial(with_signature, {}),
        partial(with_signature, {name: "ü" * 22}),
        partial(with_signature, {name: "A" * 5_000}),
        twice,
    ]


async def _shop(ctx: Context, adapter: str) -> Shop:
    made = await create_shop(
        ctx, ShopSettings("Field & Loom", "Europe/Berlin", "EUR", "DE", "de-DE", ADDRESS)
    )
    values = ConnectionValues(
        kind="shop",
        adapter=adapter,
        account=f"{made.id}.example",
        base_url="https://outside.example",
        gateways=(),
        secret=None,
        webhook_secrets=SECRETS,
    )
    await put_connection(ctx, made.id, SYSTEM, SOURCE, values, None)
    return Shop(Intake(ctx, made.id))


async def _different(one: Intake, other: Intake) -> tuple[int, list[str]]:
    """How many orders there are, and which parts of the two shops' states are not the same."""
    left, right = await one.state(), await other.state()
    return len(left["orders"]), [name for name in left if left[name] != right[name]]


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(math.ceil(len(ordered) * share), len(ordered)) - 1], 1)
