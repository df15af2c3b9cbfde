"""Exports: every line once however often the worker is killed, fetched in parts or by a link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import orjson
import pytest
from bench.many_returns import fill_up
from bench.seeding import TERMS

from returns_api.domain.events import SYSTEM
from returns_api.domain.shops import ShopSettings
from returns_api.usecases import exports
from returns_api.usecases.context import Context
from returns_api.usecases.people import erase_by_email
from returns_api.usecases.shops import create_shop
from returns_api.worker import sweep
from returns_api.worker.jobs import KINDS
from tests.support.context import ADDRESS, Clock
from tests.support.desk import Desk, a_desk, ret_path
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import Story
from tests.support.story_orders import goods

RUNNING = {name: KINDS[name] for name in ("run_export", "forget_export")}


@pytest.fixture
async def owner(postgres: PostgresForTests, story_database: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(postgres.url(story_database))
    yield connection
    await connection.close()


async def lines_of(desk: Desk, export: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for part in range(1, export["parts"] + 1):
        answer = await desk.people["admin"].get(f"/v1/exports/{export['id']}/lines?part={part}")
        assert answer.headers["content-type"] == "application/x-ndjson"
        found += [orjson.loads(line) for line in answer.content.splitlines()]
    return found


async def test_an_export_holds_what_was_said_and_no_note_and_its_link_ends(
    story: Story, postgres: PostgresForTests, story_database: str
) -> None:
    order = await story.order(goods("coat", 5000), goods("hat", 900))
    ret = await story.open(order, {"coat": 1})
    async with a_desk(story, postgres.url(story_database, user=APP_ROLE), order) as desk:
        await desk.do("buyer", f"{ret_path(ret.id)}/messages", {"text": "The sleeve."})
        await desk.do("agent", f"{ret_path(ret.id)}/notes", {"text": "secret"})
        whole = {}
        for kind in ("orders", "returns"):
            begun = await desk.do("admin", "/v1/exports", {"kind": kind})
            assert (begun["state"], begun["total"]) == ("queued", 1)
            await sweep.drain(story.ctx, RUNNING)
            whole[kind] = await desk.get("admin", f"/v1/exports/{begun['id']}")
            assert (whole[kind]["state"], whole[kind]["done"]) == ("succeeded", 1)
        (bought,) = await lines_of(desk, whole["orders"])
        assert (bought["number"], bought["buyer"]["email"]) == ("#1001", "anna@example.com")
        assert [line["unit_price"] for line in bought["lines"]] == [5000, 900]
        (back,) = await lines_of(desk, whole["returns"])
        assert (back["number"], back["messages"][0]["text"]) == ("#1001-R1", "The sleeve.")
        assert [event["type"] for event in back["events"]] == ["return.opened", "message.sent"]
        assert "secret" not in str(back)

        link = urlsplit(whole["returns"]["link"])
        address = f"{link.path}?{link.query}"
        stranger = desk.people["buyer"]
        file = await stranger.get(address)
        assert [orjson.loads(line) for line in file.content.splitlines()] == [back]
        assert (await stranger.get(f"{address}&part=2")).content == b""
        other = address.replace(whole["returns"]["id"], whole["orders"]["id"])
        assert (await stranger.get(other)).status_code == 404
        assert (await stranger.get(f"{address}x")).status_code == 404
        story.clock.forward(hours=2)
        assert (await stranger.get(address)).status_code == 404

        await erase_by_email(story.ctx, story.shop, "anna@example.com")
        gone = await desk.people["admin"].get(f"/v1/exports/{whole['orders']['id']}")
        assert gone.status_code == 404
        await desk.do("admin", "/v1/exports", {"kind": "orders"})
        await sweep.drain(story.ctx, RUNNING)
        listed = (await desk.get("admin", "/v1/exports"))["items"]
        (anonymous,) = await lines_of(desk, listed[0])
        assert anonymous["buyer"] is None
        story.clock.forward(days=8)
        await sweep.drain(story.ctx, RUNNING)
        assert (await desk.get("admin", "/v1/exports"))["items"] == []


async def test_killed_on_the_way_it_goes_on_and_no_line_is_lost_or_doubled(
    story_ctx: Context, story_clock: Clock, owner: Any
) -> None:
    settings = ShopSettings("Bulk", "Europe/Berlin", "EUR", "DE", "de-DE", ADDRESS)
    ctx, shop = story_ctx, (await create_shop(story_ctx, settings)).id
    await fill_up(owner, shop, 0, 650)
    await owner.execute(
        "UPDATE returns SET terms = $1", orjson.dumps({**TERMS, "lines": {}}).decode()
    )
    run = await exports.start_export(ctx, shop, SYSTEM, "returns")
    kills = 0
    while (await exports.view_export(ctx, shop, run["id"]))["state"] != "succeeded":
        worker = asyncio.create_task(exports.run_export(ctx, shop, run["id"]))
        before = await owner.fetchval("SELECT parts FROM exports")
        while not worker.done() and await owner.fetchval("SELECT parts FROM exports") == before:
            pass
        kills += worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        story_clock.forward(minutes=2)
    assert kills >= 2
    row = await exports.view_export(ctx, shop, run["id"])
    parts = [await exports.read_part(ctx, shop, run["id"], no) for no in range(1, row["parts"] + 1)]
    names = [orjson.loads(line)["number"] for part in parts for line in part.splitlines()]
    assert (row["done"], row["total"], row["size"]) == (650, 650, sum(map(len, parts)))
    assert sorted(names) == sorted(f"B{number}" for number in range(650))
