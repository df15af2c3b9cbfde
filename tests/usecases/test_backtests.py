"""Back-tests as jobs: on real returns, in rounds, over a kill, fenced, and what they add up to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from returns_api.db import backtests as rows
from returns_api.domain import ids
from returns_api.usecases import backtests
from returns_api.usecases.context import Context
from returns_api.wiring import running_context
from returns_api.worker.jobs import KINDS
from tests.support.live import LiveServer
from tests.support.living import server, world
from tests.support.patience import PATIENCE
from tests.support.world import POLICY, Past, World, bearer

__all__ = ["server", "world"]

PATH = "/v1/admin/backtests"
COPIES = backtests.PAGE * backtests.PAGES_PER_JOB + 700
"""More returns than one round of the job looks at."""
STRICTER = POLICY.replace("return_shipping: 4.90", "return_shipping: 6.90")
CLOSED = POLICY.replace("resolutions: {refund: 30 days, exchange: 60 days}", "refuse: no_returns")

MULTIPLY = """
WITH base AS (SELECT * FROM returns WHERE shop_id = $1 AND id = $2),
made AS (
    SELECT n, ('ffffffff-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id
    FROM generate_series(1, $3::int) AS n
),
quoted AS (
    INSERT INTO quotes SELECT (jsonb_populate_record(q, jsonb_build_object('id', made.id,
        'return_id', null))).*
    FROM made, base JOIN quotes q ON q.shop_id = base.shop_id AND q.id = base.quote_id
)
INSERT INTO returns SELECT (jsonb_populate_record(r, jsonb_build_object('id', made.id,
    'quote_id', made.id, 'number', 'copy-' || made.n))).*
FROM made, returns r WHERE r.shop_id = $1 AND r.id = $2
"""


@dataclass
class House:
    """Our shop: a client, a context whose clock can be moved, and its owner's connection."""

    ctx: Context
    past: Past
    http: httpx.AsyncClient
    shop: UUID
    owner: Any

    async def draft(self, source: str) -> str:
        made = await self.http.post("/v1/admin/policies", json={"source": source})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def start(self, status: int = 202, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(PATH, json=body)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def see(self, backtest: dict[str, Any]) -> dict[str, Any]:
        answer = await self.http.get(f"{PATH}/{backtest['id']}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def run(self, backtest: dict[str, Any]) -> dict[str, Any]:
        """One wake-up of its job."""
        key = ids.decode("bt", backtest["id"])
        assert key is not None
        await KINDS["run_backtest"].run(self.ctx, self.shop, key)
        return await self.see(backtest)


@pytest.fixture
async def house(server: LiveServer, world: World, database_url: str) -> AsyncIterator[House]:
    past = Past()
    headers = bearer(world.ours.keys["admin"])
    owner = await asyncpg.connect(database_url)
    async with (
        running_context(server.settings, pool_size=3, clock=past) as (ctx, _),
        httpx.AsyncClient(
            base_url=server.url, headers=headers, trust_env=False, timeout=PATIENCE
        ) as http,
    ):
        made = House(ctx, past, http, world.ours.id, owner)
        for one in (await http.get(PATH)).json()["items"]:
            if one["state"] == "queued":  # the world's own counts towards the limit
                await made.run(one)
        yield made
    await owner.close()


async def known_returns(house: House) -> tuple[list[Any], int]:
    """Those of the world, and how many of them were asked for as something else than a refund: a
    back-test reckons the money of refunds, and no law grants goods, repairs or store credit."""
    known = (await house.http.get("/v1/returns")).json()["items"]
    return known, sum(one["resolution"] != "refund" for one in known)


async def test_a_draft_is_tried_on_every_return(house: House) -> None:
    known, otherwise = await known_returns(house)
    dearer = len(known) - otherwise
    begun = await house.start(policy_version=await house.draft(STRICTER))
    assert (begun["state"], begun["done"], begun["total"]) == ("queued", 0, len(known))
    assert (await house.see(begun))["report"] is None
    done = await house.run(begun)
    assert (done["state"], done["done"], done["failure"]) == ("succeeded", len(known), None)
    report = done["report"]
    assert report["returns"] == report["replayed"] == len(known)
    assert report["differing"] == report["flipped"] == 0
    assert report["turns"]["stricter"] == dearer
    assert report["money"]["EUR"] == {
        "more_minor": 0,
        "less_minor": 200 * dearer,
        "net_minor": -200 * dearer,
    }
    assert report["by"]["reason"][0]["name"] == "size_too_small"
    assert report["by"]["country"][0]["lines"] == len(known)
    shown = {one["return"] for one in report["most_affected"]}
    assert shown <= {one["number"] for one in known}
    assert len(shown) == min(len(known), 10)
    assert (await house.run(begun)) == done, "a late wake-up changes nothing"
    listed = (await house.http.get(PATH)).json()["items"]
    assert listed[0]["id"] == begun["id"]
    assert "report" not in listed[0]


async def test_the_same_text_changes_nothing(house: House) -> None:
    begun = await house.start(policy_version=await house.draft(POLICY))
    report = (await house.run(begun))["report"]
    assert set(report["turns"].values()) == {0}
    assert (report["money"], report["most_affected"]) == ({}, [])


async def test_one_version_can_stand_in_for_all(house: House) -> None:
    draft, other = await house.draft(POLICY), await house.draft(STRICTER)
    begun = await house.start(policy_version=draft, against=other)
    report = (await house.run(begun))["report"]
    _, otherwise = await known_returns(house)
    assert (
        report["turns"]["kinder"] == report["lines"] - otherwise == report["replayed"] - otherwise
    )
    assert report["money"]["EUR"]["more_minor"] == 200 * report["turns"]["kinder"]


async def test_what_the_law_grants_no_draft_takes(house: House) -> None:
    begun = await house.start(policy_version=await house.draft(CLOSED))
    report = (await house.run(begun))["report"]
    _, otherwise = await known_returns(house)
    assert report["returns"] > report["flipped"] == otherwise


async def test_only_returns_of_the_time_are_looked_at(house: House) -> None:
    draft = await house.draft(STRICTER)
    begun = await house.start(policy_version=draft, opened_until="2020-01-01T00:00:00Z")
    assert (begun["total"], (await house.run(begun))["report"]["returns"]) == (0, 0)
    refused = await house.start(
        409,
        policy_version=draft,
        opened_from="2026-02-01T00:00:00Z",
        opened_until="2026-01-01T00:00:00Z",
    )
    assert refused["errors"][0]["field"] == "opened_from"


async def test_a_draft_that_was_edited_ends_it(house: House) -> None:
    draft = await house.draft(STRICTER)
    begun = await house.start(policy_version=draft)
    edited = await house.http.put(
        f"/v1/admin/policies/{draft}", json={"source": CLOSED}, headers={"if-match": '"1"'}
    )
    assert edited.status_code == 200
    done = await house.run(begun)
    assert (done["state"], done["report"]) == ("failed", None)
    assert "was changed" in done["failure"]


async def test_so_many_and_no_more(house: House, world: World) -> None:
    draft = await house.draft(STRICTER)
    begun = [await house.start(policy_version=draft) for _ in range(backtests.OPEN_MAX)]
    assert (await house.start(409, policy_version=draft))["code"] == "conflict"
    for one in begun:
        assert (await house.run(one))["state"] == "succeeded"
    stranger = {"authorization": bearer(world.theirs.keys["admin"])["authorization"]}
    path = f"{PATH}/{begun[0]['id']}"
    assert (await house.http.get(path, headers=stranger)).status_code == 404
    body = {"policy_version": draft}
    assert (await house.http.post(PATH, json=body, headers=stranger)).status_code == 404
    theirs = {"policy_version": world.theirs.things["pv"][0]}
    assert (await house.http.post(PATH, json=theirs)).status_code == 404
    agent = bearer(world.ours.keys["agent"])
    assert (await house.http.get(PATH, headers=agent)).status_code == 403


async def test_thousands_in_rounds_over_a_kill(house: House, world: World) -> None:
    model = ids.decode("ret", world.ours.things["ret"][0])
    _, otherwise = await known_returns(house)
    await house.owner.execute(MULTIPLY, house.shop, model, COPIES)
    begun = await house.start(policy_version=await house.draft(STRICTER))
    total = begun["total"]
    assert total > COPIES
    key = ids.decode("bt", begun["id"])
    assert key is not None
    first = await house.run(begun)
    assert (first["state"], first["done"]) == ("running", backtests.PAGE * backtests.PAGES_PER_JOB)

    now = house.ctx.clock()
    async with house.ctx.database.transaction(house.shop) as tx:
        taken = await rows.RUNS.claim(tx, key, now, now + house.ctx.lease)
    assert taken is not None, "somebody takes it and is killed"
    assert (await house.run(begun))["done"] == first["done"], "it is held"
    assert (house.shop, key) not in await backtests.due_backtests(house.ctx, 100)
    house.past.ago = -(house.ctx.lease + timedelta(seconds=1))
    assert (house.shop, key) in await backtests.due_backtests(house.ctx, 100)
    done = await house.run(begun)
    assert (done["state"], done["done"]) == ("succeeded", total)
    report = done["report"]
    assert report["returns"] == report["replayed"] == total
    assert report["turns"]["stricter"] + otherwise == report["lines"] == total
    async with house.ctx.database.transaction(house.shop) as tx:
        late = await rows.RUNS.carry(
            tx, taken, until=None, done=1, cursor=key, partial={"returns": 1}
        )
    assert late is False, "the one that was taken for dead writes nothing"
    kept = await house.owner.fetchrow("SELECT * FROM backtests WHERE id = $1", key)
    assert (kept["partial"], kept["cursor"], kept["due_at"]) == (None, None, None)
    assert json.loads(kept["report"])["returns"] == total
