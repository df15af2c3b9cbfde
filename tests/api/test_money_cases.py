"""Money case 20: what a storefront's body may say about money, and whose orders there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.checksums import checksums
from tests.support.live import LiveServer
from tests.support.patience import PATIENCE
from tests.support.world import World, asked, bearer


@pytest.fixture
async def http(server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE) as client:
        yield client


async def told(
    http: httpx.AsyncClient, world: World, path: str, body: Mapping[str, Any]
) -> httpx.Response:
    """What the first buyer is answered."""
    headers = {**bearer(world.ours.keys["buyer"]), "idempotency-key": str(uuid4())}
    return await http.post(path, json=body, headers=headers)


@pytest.mark.parametrize(
    "said",
    [
        {"fee": 0},
        {"return_freight": 0},
        {"restocking_ppm": 0},
        {"amount": 1},
        {"refund": {"total": 990_000}},
        {"receive_now": True},
        {"location": "shop floor"},
        {"state": "approved"},
    ],
    ids=lambda said: next(iter(said)),
)
async def test_20_a_buyer_sets_no_fee_amount_receipt_or_place(
    http: httpx.AsyncClient, world: World, database_url: str, said: dict[str, Any]
) -> None:
    made = world.ours.made[0]
    quote, returned = asked(made["ord"], made["li"]), {"quote": made["qt"]}
    before = await checksums(database_url, world.ours.id)
    deep = {**quote, "lines": [{**quote["lines"][0], **said}]}
    for path, body in (
        ("/v1/quotes", {**quote, **said}),
        ("/v1/quotes", deep),
        ("/v1/returns", {**returned, **said}),
    ):
        answer = await told(http, world, path, body)
        assert answer.status_code == 422, (path, answer.text)
        assert next(iter(said)) in answer.text
    assert await checksums(database_url, world.ours.id) == before


async def test_20_another_buyers_order_does_not_exist(
    http: httpx.AsyncClient, world: World, database_url: str
) -> None:
    other = world.ours.made[1]
    before = await checksums(database_url, world.ours.id)
    for path, body in (
        ("/v1/quotes", asked(other["ord"], other["li"])),
        ("/v1/returns", {"quote": other["qt"]}),
    ):
        answer = await told(http, world, path, body)
        assert answer.status_code == 404, (path, answer.text)
    answer = await told(http, world, "/v1/refunds", {"order": other["ord"], "amount": 1})
    assert answer.status_code == 403, "a buyer refunds nothing"
    assert await checksums(database_url, world.ours.id) == before
