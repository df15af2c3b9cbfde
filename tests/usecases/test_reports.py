"""Reports: figures counted by hand, figures beside a slow reference, and a roll-up that can be
killed, doubled and built anew without a difference."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from bench.many_returns import fill_up
from bench.reports import added_up
from proofs.report_reference import reference

from returns_api.db import report_days
from returns_api.db import reports as report_rows
from returns_api.domain.errors import Conflict, DoesNotFit, NotFound
from returns_api.domain.events import SYSTEM
from returns_api.domain.reports import REPORTS, Report
from returns_api.domain.shops import ShopSettings
from returns_api.usecases import reports
from returns_api.usecases.context import Context
from returns_api.usecases.reports import Question
from returns_api.usecases.shops import change_shop, create_shop
from returns_api.worker import sweep
from returns_api.worker.jobs import KINDS
from tests.support.context import ADDRESS, Clock
from tests.support.postgres import PostgresForTests
from tests.support.story import Story
from tests.support.story_orders import goods

ROLLING = {"roll_up_reports": KINDS["roll_up_reports"]}
YEAR = Question(date(2025, 8, 1), date(2026, 10, 31), limit=10_000)
DAYS = 24  # from 10 October: with the end of summer time and the end of a month


@pytest.fixture
async def owner(postgres: PostgresForTests, story_database: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(postgres.url(story_database))
    yield connection
    await connection.close()


@dataclass
class Bulk:
    """A shop whose rows are written past the service, so that no story has to keep its promises."""

    ctx: Context
    clock: Clock
    shop: UUID


@pytest.fixture
async def bulk(story_ctx: Context, story_clock: Clock) -> Bulk:
    settings = ShopSettings("Bulk", "Europe/Berlin", "EUR", "DE", "de-DE", ADDRESS)
    return Bulk(story_ctx, story_clock, (await create_shop(story_ctx, settings)).id)


async def ask(story: Story | Bulk, name: str, **asked: Any) -> list[dict[str, Any]]:
    """The rows of a report after everything due was counted."""
    with_first = {"first": date(2026, 10, 1), **asked}
    return list((await answer(story.ctx, story.shop, name, Question(**with_first))).rows)


async def answer(ctx: Context, shop: UUID, name: str, asked: Question) -> reports.Answered:
    """The answer of a report, counted as far as it is due."""
    with suppress(Conflict):
        await reports.view_report(ctx, shop, name, asked)
    await sweep.drain(ctx, ROLLING)
    return await reports.view_report(ctx, shop, name, asked)


def picked(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


async def test_figures_are_those_counted_by_hand(story: Story) -> None:
    coat = goods("coat", 5000, 4, vendor="Loom", options=(("size", "M"), ("colour", "red")))
    order = await story.order(coat, goods("shirt", 2000, 2, vendor="Mill"))
    small = await story.open(order, {"coat": 2}, reason="size_too_small")
    bad = await story.open(order, {"shirt": 1}, reason="defective", photos={"shirt": 1})
    await story.drain(hours=6)
    for ret in (small, bad):
        await story.scan(ret, "in_transit")
    await story.drain(days=2)
    await story.scan(small, "delivered")
    await story.receive(small, {"coat": 2})
    await story.inspect(small, ("coat", "sealed"), ("coat", "used_worn"), disposition="restock")
    await story.drain()
    await story.drain(days=15)  # the shirt never comes

    assert picked(
        await ask(story, "reasons"), "reason", "fault", "category", "units", "received_units"
    ) == [("size_too_small", "buyer", "fit", 2, 2), ("defective", "merchant", "quality", 1, 0)]
    rates = ("sku", "vendor", "sold", "returned", "quality", "return_rate", "quality_rate")
    assert picked(await ask(story, "skus", min_volume=1), *rates) == [
        ("SKU-coat", "Loom", 4, 2, 0, 500_000, 0),
        ("SKU-shirt", "Mill", 2, 1, 1, 500_000, 500_000),
    ]
    assert picked(await ask(story, "vendors", min_volume=3), "vendor", "sold") == [("Loom", 4)]
    assert await ask(story, "skus") == []  # below the usual 20
    assert picked(
        await ask(story, "variants"), "product", "option", "value", "reason", "units"
    ) == [
        ("SKU-coat", "colour", "red", "size_too_small", 2),
        ("SKU-coat", "size", "M", "size_too_small", 2),
    ]
    paid = 5000 + 5000 * 70 // 100 - 490
    costs = {row["cost"]: (row["currency"], row["times"], row["amount"]) for row in
             await ask(story, "costs")}  # fmt: skip
    assert costs["refund"] == ("EUR", 1, paid)
    assert costs["return_freight"] == ("EUR", 1, -490)
    assert costs["grade_deduction"] == ("EUR", 1, -1500)
    assert picked(await ask(story, "recovery"), "disposition", "grade", "units", "value") == [
        ("restock", "sealed", 1, 5000),
        ("restock", "used_worn", 1, 5000),
    ]
    steps = {row["step"]: row for row in await ask(story, "steps")}
    assert (steps["approved"]["returns"], steps["approved"]["mean_seconds"]) == (2, 6 * 3600)
    assert picked([steps["in_transit"]], "returns", "seconds", "within_1_day", "within_3_days") == [
        (1, 2 * 86_400, 0, 1)
    ]
    due = {row["deadline"]: row for row in await ask(story, "deadlines")}
    assert picked([due["arrive"]], "owner", "begun", "kept", "breached", "breach_rate") == [
        ("warehouse", 2, 1, 1, 500_000)
    ]
    (parcels,) = await ask(story, "carriers", group="carrier")
    assert (parcels["parcels"], parcels["delivered"], parcels["late"]) == (2, 1, 1)
    assert parcels["mean_transit_seconds"] == 2 * 86_400
    assert parcels["label_cost"] == costs["label"][2]


async def test_money_that_went_out_early_and_was_lost_is_named(bulk: Bulk, owner: Any) -> None:
    await fill_up(owner, bulk.shop, 0, 120, days=4)
    whole = (await answer(bulk.ctx, bulk.shop, "fast-refunds", YEAR)).rows
    by_state = await ask(bulk, "fast-refunds", group="state", first=YEAR.first, last=YEAR.last)
    assert {row["currency"] for row in whole} <= {"EUR", "USD"}
    assert sum(row["lost"] for row in whole) == sum(row["lost"] for row in by_state) > 0
    euros = Question(YEAR.first, YEAR.last, currency="EUR")
    only = (await reports.view_report(bulk.ctx, bulk.shop, "fast-refunds", euros)).rows
    assert only == [row for row in whole if row["currency"] == "EUR"]


async def different(owner: Any, ctx: Context, shop: UUID, zone: str) -> list[str]:
    """Reports that are not what the slow reference counts, over the year and over parts of it."""
    wrong = []
    for first, last in (
        (YEAR.first, YEAR.last),
        (date(2025, 10, 26), date(2025, 10, 26)),
        (date(2025, 9, 28), date(2025, 11, 1)),
        (date(2025, 10, 1), date(2025, 10, 31)),
    ):
        assert first is not None
        assert last is not None
        expected = await reference(owner, shop, zone, first, last)
        for report in REPORTS.values():
            asked = Question(first, last, min_volume=0 if report.volume else None, limit=10_000)
            found = await reports.view_report(ctx, shop, report.name, asked)
            if rows_of(report, found.rows) != added_up(report, expected):
                wrong.append(f"{report.name} {first} {last}")
    return wrong


def rows_of(report: Report, rows: Any) -> dict[Any, list[int]]:
    figures = [column.name for column in report.source.figures]
    return {
        (tuple(row[name] for name in report.keys), row.get("currency") or ""): [
            row[name] for name in figures
        ]
        for row in rows
    }


async def dump(owner: Any) -> list[Any]:
    return list(
        await owner.fetch(
            "SELECT * FROM report_rollups ORDER BY source, span, starts_on, keys, currency"
        )
    )


CHANGED = """
WITH moved AS (
    UPDATE returns SET state = 'canceled', sequence = 100 WHERE shop_id = $1 AND state = $2
    RETURNING id, order_id),
lines AS (UPDATE return_lines l SET state = 'canceled' FROM moved WHERE l.return_id = moved.id)
INSERT INTO events (shop_id, id, resource_type, resource_id, sequence, type, at, actor, order_id,
                    return_id, data)
SELECT $1, uuidv7(), 'return', id, 100, 'return.canceled', now(), 'system', order_id, id,
       '{"state": "canceled"}' FROM moved
"""


async def test_figures_equal_a_slow_reference_whatever_happens_on_the_way(
    bulk: Bulk, owner: Any
) -> None:
    ctx, shop = bulk.ctx, bulk.shop
    await fill_up(owner, shop, 0, 200, days=DAYS)
    await answer(ctx, shop, "reasons", YEAR)
    assert await different(owner, ctx, shop, "Europe/Berlin") == []
    built = await dump(owner)
    assert len(built) > 1_000

    await owner.execute(CHANGED, shop, "requested")
    bulk.clock.forward(minutes=6)
    await answer(ctx, shop, "reasons", YEAR)
    assert await dump(owner) != built
    assert await different(owner, ctx, shop, "Europe/Berlin") == []

    await owner.execute(CHANGED, shop, "approved")
    bulk.clock.forward(minutes=6)
    await asyncio.gather(*(reports.roll_up(ctx, shop, shop) for _ in range(3)))
    assert await different(owner, ctx, shop, "Europe/Berlin") == []
    followed = await dump(owner)
    await reports.rebuild(ctx, shop)
    with pytest.raises(Conflict):
        await reports.view_report(ctx, shop, "reasons", YEAR)
    await answer(ctx, shop, "reasons", YEAR)
    assert await dump(owner) == followed

    version = await owner.fetchval("SELECT version FROM shops WHERE shop_id = $1", shop)
    await change_shop(ctx, shop, SYSTEM, version, {"timezone": "Asia/Kathmandu"})
    await answer(ctx, shop, "reasons", YEAR)
    assert await different(owner, ctx, shop, "Asia/Kathmandu") == []


async def test_a_roll_up_that_is_killed_between_days_is_carried_on(bulk: Bulk, owner: Any) -> None:
    """Whoever comes after the lease goes on; whoever was thought dead writes nothing more."""
    ctx, shop = bulk.ctx, bulk.shop
    await fill_up(owner, shop, 0, 12, days=3)
    with pytest.raises(Conflict):
        await reports.view_report(ctx, shop, "reasons", YEAR)
    async with ctx.database.transaction(shop) as tx:
        now = ctx.clock()
        dead = await report_rows.claim(tx, now, now + ctx.lease)
    assert dead is not None
    await reports.roll_up(ctx, shop, shop)  # held: nothing happens
    assert await dump(owner) == []
    bulk.clock.forward(minutes=2)
    await sweep.drain(ctx, ROLLING)
    whole = await dump(owner)
    async with ctx.database.transaction(shop) as tx:
        late = await report_rows.hold(tx, dead["attempt"], now)
        assert not late
    async with ctx.database.transaction(shop) as tx:
        await report_days.count_day(tx, date(2025, 10, 11), now, now + timedelta(seconds=1))
    await reports.rebuild(ctx, shop)
    await sweep.drain(ctx, ROLLING)
    assert await dump(owner) == whole


async def test_what_a_report_does_not_have_is_refused_by_name(story: Story) -> None:
    for name, asked, refused in (
        ("nonsense", Question(), NotFound),
        ("reasons", Question(group="sku"), DoesNotFit),
        ("reasons", Question(currency="EUR"), DoesNotFit),
        ("reasons", Question(min_volume=3), DoesNotFit),
        ("costs", Question(date(2026, 2, 2), date(2026, 2, 1)), DoesNotFit),
        ("costs", Question(date(2000, 1, 1), date(2026, 2, 1)), DoesNotFit),
    ):
        if refused is not NotFound:
            await answer(story.ctx, story.shop, "reasons", Question())
        with pytest.raises(refused):
            await reports.view_report(story.ctx, story.shop, name, asked)
