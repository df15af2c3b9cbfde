"""Store credit over HTTP: a checkout pays once, a buyer reads the own balance, refusals name it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.live import LiveServer
from tests.support.patience import PATIENCE
from tests.support.world import World, bearer


@pytest.fixture
async def http(server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE) as client:
        yield client


async def debit(
    http: httpx.AsyncClient, world: World, role: str, key: str, **body: Any
) -> httpx.Response:
    path = f"/v1/store-credits/{world.ours.made[0]['sc']}/debits"
    headers = {**bearer(world.ours.keys[role]), "Idempotency-Key": key}
    return await http.post(path, json=body, headers=headers)


async def read(http: httpx.AsyncClient, world: World, role: str, more: str = "") -> httpx.Response:
    path = f"/v1/store-credits/{world.ours.made[0]['sc']}{more}"
    return await http.get(path, headers=bearer(world.ours.keys[role]))


async def test_a_key_pays_once_and_more_than_the_balance_is_refused_by_name(
    http: httpx.AsyncClient, world: World
) -> None:
    before = await read(http, world, "agent")
    balance = before.json()["balance"]
    assert before.headers["etag"] == f'"{before.json()["sequence"]}"'
    first = await debit(http, world, "agent", "pay", amount=10, reference="#7")
    again = await debit(http, world, "agent", "pay", amount=10, reference="#7")
    assert (first.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert (first.json()["amount"], first.json()["balance"]) == (-10, balance - 10)
    refused = await debit(http, world, "agent", "more", amount=balance)
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "not_enough_credit")
    assert (problem["balance"], problem["requested"]) == (balance - 10, balance)
    assert (problem["currency"], problem["store_credit"]) == ("EUR", before.json()["store_credit"])


async def test_a_buyer_reads_the_own_balance_without_the_shop_s_references(
    http: httpx.AsyncClient, world: World
) -> None:
    seen = (await read(http, world, "buyer")).json()
    assert seen == (await read(http, world, "finance")).json()
    for role, shown in (("finance", True), ("buyer", False)):
        moves = (await read(http, world, role, "/movements")).json()["items"]
        assert [move["no"] for move in moves] == list(range(seen["sequence"], 1, -1))
        assert any(move["client_reference"] for move in moves) == shown
        assert any(move["actor_key"] for move in moves) == shown
        assert sum(move["amount"] for move in moves) == seen["balance"]
    assert (await debit(http, world, "buyer", "no", amount=1)).status_code == 403
    assert (await debit(http, world, "warehouse", "no", amount=1)).status_code == 403


async def test_movements_come_in_pages(http: httpx.AsyncClient, world: World) -> None:
    found, cursor = [], ""
    while True:
        page = (await read(http, world, "finance", f"/movements?limit=2{cursor}")).json()
        found += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    whole = (await read(http, world, "finance", "/movements?limit=100")).json()["items"]
    assert found == whole
    assert len(found) > 2


async def test_what_is_owed_is_taken_as_far_as_it_goes(
    http: httpx.AsyncClient, world: World
) -> None:
    balance = (await read(http, world, "finance")).json()["balance"]
    path = f"/v1/store-credits/{world.ours.made[0]['sc']}/recoveries"
    headers = {**bearer(world.ours.keys["finance"]), "Idempotency-Key": "take"}
    answer = await http.post(path, json={"amount": balance + 5}, headers=headers)
    assert (answer.json()["taken"], answer.json()["owed"]) == (balance, 5)
    agent = {**bearer(world.ours.keys["agent"]), "Idempotency-Key": "take"}
    assert (await http.post(path, json={"amount": 1}, headers=agent)).status_code == 403
