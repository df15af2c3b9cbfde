"""Opening in one statement, compare-and-set moves, units given back exactly once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from returns_api.db import opening
from returns_api.db import returns as rows
from returns_api.domain.returns import LineChange
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order


async def test_an_opening_is_all_or_nothing(story: Story) -> None:
    """Whatever fails in it, nothing of it stays: no number, no return, no claim, no used quote."""
    order = await story.order(goods("shirt", 2000, 2))
    quote = await story.quote(order, {"shirt": 2})
    await story.rows("UPDATE order_lines SET shipped = 1 RETURNING id")
    with pytest.raises(Exception, match="taken by another return"):
        await story.accept(order, quote)
    for table in ("returns", "return_lines", "unit_claims", "shipments"):
        assert await story.rows(f"SELECT 1 FROM {table}") == []
    (head,) = await story.rows("SELECT returns_opened FROM orders")
    assert head["returns_opened"] == 0
    (stored,) = await story.rows("SELECT return_id FROM quotes")
    assert stored["return_id"] is None
    await story.rows("UPDATE order_lines SET shipped = 2 RETURNING id")
    assert (await story.accept(order, quote)).ret.number == "#1001-R1"


async def test_what_open_answers_is_what_a_read_gives(story: Story) -> None:
    order = await story.order(goods("shirt", 2000, 3), goods("lamp", 60000))
    for asked in ({"shirt": 1}, {"shirt": 2, "lamp": 1}):
        quote = await story.quote(order, asked)
        opened = await story.accept(order, quote)
        read = await story.view(opened.ret)
        assert opened.ret == read.ret
        assert opened.shipment is not None
        assert read.shipment is not None
        assert replace(opened.shipment, due_at=read.shipment.due_at) == read.shipment


async def test_a_move_hits_only_the_version_that_was_seen(story: Story) -> None:
    order = await story.order(goods("shirt", 2000))
    ret = await story.open(order, {"shirt": 1})
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        now = story.clock()
        assert await rows.move(tx, ret.id, 7, now, state="canceled") is None
        assert await rows.move(tx, ret.id, 1, now, state="canceled") == 2
        assert await rows.move(tx, ret.id, 1, now, state="expired") is None
        await tx.undo()


async def test_released_units_go_back_once(story: Story) -> None:
    order, ret = await _opened(story)
    line = ret.lines[0]
    change = LineChange(line, "canceled", release=line.units)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await rows.save_lines(tx, [change])
        counts = await opening.line_counts(tx, [line.order_line_id])
        assert [row["claimed"] for row in counts] == [0]
        assert await tx.connection.fetchval("SELECT count(*) FROM unit_claims") == 0
        await tx.undo()

    async def twice() -> None:
        async with story.ctx.database.transaction(story.shop) as tx:
            await rows.save_lines(tx, [change])
            await rows.save_lines(tx, [change])

    with pytest.raises(asyncpg.CheckViolationError):
        await twice()
    assert (await story.load(order.id)).lines[0].claimed == 3


async def test_a_part_of_the_units_can_be_released(story: Story) -> None:
    order, ret = await _opened(story)
    change = LineChange(ret.lines[0], "received", received=2, release=(3,))
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await rows.save_lines(tx, [change])
        found = await rows.one(tx, ret.id)
        assert found is not None
        assert (found.lines[0].state, found.lines[0].received) == ("received", 2)
        claims = await tx.connection.fetch("SELECT unit_no FROM unit_claims ORDER BY unit_no")
        assert [row["unit_no"] for row in claims] == [1, 2]
        await tx.undo()
    assert (await story.load(order.id)).lines[0].claimed == 3


async def _opened(story: Story) -> tuple[Order, Any]:
    order = await story.order(goods("shirt", 2000, 3))
    return order, await story.open(order, {"shirt": 3}, method="in_store")
