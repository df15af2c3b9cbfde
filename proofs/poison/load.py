"""The load: good orders and poison at one steady pace, to one shop, over HTTP.

Two kinds of poison are what a real platform's reader cannot read; the others go through the reader
with the bugs. Beside them come wake-ups that no message stands behind.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from uuid import UUID

from proofs.harness.client import Client
from proofs.harness.stage import Lane
from proofs.poison.shop import BUGS, NAME, PREFIX
from proofs.webhooks.told import PLATFORMS, Headers, Told
from tests.support.context import ADDRESS

from returns_api.domain import ids
from returns_api.domain.events import SYSTEM
from returns_api.domain.shops import ShopSettings
from returns_api.usecases.connections import ConnectionValues, put_connection
from returns_api.usecases.context import Context
from returns_api.usecases.shops import create_shop

GOOD: Final = "shopify"
SOURCES: Final = (GOOD, NAME)
SECRET: Final = "the_secret_of_both"
UNREADABLE: Final = {"bad_payload": b'{"id": "none", "line_items": 7}', "not_json": b"<order/>"}
KINDS: Final = (*UNREADABLE, *BUGS)
_SHOPIFY: Final = PLATFORMS["shopify"]
_WAKE_UP: Final = (
    "INSERT INTO pgqueuer (priority, entrypoint, payload, status, created)"
    " VALUES (0, $1, $2, 'queued', now())"
)
NO_ROW: Final = {"process_inbox": b"no/such-thing", "no_such_kind": b"nothing"}
"""Wake-ups: with a payload that nobody can read, and of a kind that nobody knows."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery: the source it comes by, its body and its headers."""

    source: str
    body: bytes
    headers: Headers


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop whose two platforms are connected."""

    id: UUID
    token: str

    def path(self, source: str) -> str:
        return f"/v1/hooks/{ids.encode('shp', self.id)}/{source}"


async def new_shop(ctx: Context) -> Shop:
    settings = ShopSettings("Field & Loom", "Europe/Berlin", "EUR", "DE", "de-DE", ADDRESS)
    made = await create_shop(ctx, settings)
    for name in SOURCES:
        values = ConnectionValues(
            kind="shop",
            adapter=name,
            account=f"{name}.{made.id}.example",
            base_url="https://outside.example",
            gateways=(),
            secret=None,
            webhook_secrets=(SECRET,),
        )
        await put_connection(ctx, made.id, SYSTEM, name, values, None)
    return Shop(made.id, made.key.token)


def good(first: int, count: int) -> list[Sent]:
    """Orders of their own numbers."""
    return [_sent(GOOD, _order(number)) for number in range(first, first + count)]


def poison(first: int, count: int) -> Iterator[Sent]:
    """As many of each kind as of any other, give or take one."""
    for number in range(first, first + count):
        kind, order = KINDS[number % len(KINDS)], _order(number)
        if kind in UNREADABLE:
            body = UNREADABLE[kind] + b" " * (number - first)
            yield _sent(GOOD, Told(f"{kind}-{number}", order.topic, body))
        else:
            yield _sent(NAME, Told(f"{kind}-{number}", PREFIX + kind, order.body))


async def send(client: Client, shop: Shop, sent: Sequence[Sent], rate: float) -> list[str]:
    """Deliver all, ``rate`` a second; returns what was answered otherwise than with 200."""
    wrong: list[str] = []

    async def one(each: Sent) -> None:
        answer = await client.send_raw("POST", shop.path(each.source), each.headers, each.body)
        if answer.status != 200:
            wrong.append(f"{each.source}: {answer.status}")

    begun = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number, each in enumerate(sent):
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            tasks.create_task(one(each))
    return wrong


def mixed(good_ones: Sequence[Sent], bad_ones: Sequence[Sent], chance: Random) -> list[Sent]:
    """The good ones in their order, the others anywhere among them."""
    places = sorted(chance.choices(range(len(good_ones) + 1), k=len(bad_ones)), reverse=True)
    found = list(good_ones)
    for place, each in zip(places, bad_ones, strict=True):
        found.insert(place, each)
    return found


async def wake_nobody(lane: Lane, count: int) -> None:
    """``count`` wake-ups of each kind without a row."""
    async with lane.superuser() as connection:
        for entrypoint, payload in NO_ROW.items():
            for _ in range(count):
                await connection.execute(_WAKE_UP, entrypoint, payload)


def _order(number: int) -> Told:
    return _SHOPIFY.told(number)[0]


def _sent(source: str, told: Told) -> Sent:
    headers: Any = _SHOPIFY.signed(told.body, told.topic, told.event_id, SECRET)
    return Sent(source, told.body, headers)
