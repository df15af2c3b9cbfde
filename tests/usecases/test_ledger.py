"""The books of whole stories: written with their facts, sealed behind them, always balanced."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from returns_api.db import audits as audit_rows
from returns_api.db import ledger as rows
from returns_api.domain.audits import Tally
from returns_api.domain.errors import Conflict
from returns_api.domain.events import SYSTEM
from returns_api.domain.ledger import Captured, canonical, captures, digest_of, genesis
from returns_api.usecases import audits, ledger
from returns_api.usecases._auditing import Place
from returns_api.usecases._books import stamp
from returns_api.worker import sweep
from tests.support.postgres import PostgresForTests
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

NEWEST = UUID(int=2**128 - 1)


async def balances(
    story: Story, order: Order | None = None, at: datetime | None = None
) -> dict[str, int]:
    found = await ledger.view_balances(
        story.ctx, story.shop, at=at, order_id=None if order is None else order.id
    )
    return {row["account"]: row["balance"] for row in found if row["balance"]}


async def rules(story: Story, order: Order) -> list[tuple[str, int]]:
    """Every posting of an order, oldest first."""
    found = await ledger.list_entries(
        story.ctx, story.shop, before=NEWEST, limit=100, order_id=order.id
    )
    return [(p["rule"], p["amount_minor"]) for view in reversed(found) for p in view.postings]


async def test_a_refund_is_in_the_books_from_its_request_to_its_arrival(story: Story) -> None:
    order = await story.order(goods("thing", 10000))
    assert await balances(story, order) == {"clearing": 10000, "merchant": -10000}
    await story.refund(order, 3000)
    assert await balances(story, order) == {
        "clearing": 10000,
        "merchant": -7000,
        "reserved": -3000,
    }
    await story.drain()
    assert await balances(story, order) == {"clearing": 7000, "merchant": -7000}
    assert await rules(story, order) == [
        ("payment_captured", 10000),
        ("refund_owed", 3000),
        ("transfer_reserved", 3000),
        ("transfer_succeeded", 3000),
    ]


async def test_what_is_given_up_is_not_owed_and_what_is_taken_up_is_again(story: Story) -> None:
    order = await story.order(goods("thing", 8000), paid=(5000, 3000))
    view = await story.refund(order, 6000)
    await story.cancel(view.refund["id"])
    assert await balances(story, order) == {"clearing": 8000, "merchant": -8000}
    assert (await rules(story, order))[-3:] == [
        ("transfer_released", 5000),
        ("transfer_released", 1000),
        ("refund_given_up", 6000),
    ]


async def test_a_balance_can_be_read_as_of_any_time(story: Story) -> None:
    order = await story.order(goods("thing", 10000))
    paid = story.ctx.clock()
    story.clock.forward(days=1)
    await story.refund(order, 4000)
    await story.drain()
    assert await balances(story, at=paid - timedelta(seconds=1)) == {}
    assert await balances(story, at=paid) == {"clearing": 10000, "merchant": -10000}
    assert await balances(story) == {"clearing": 6000, "merchant": -6000}


async def chain(story: Story) -> list[Any]:
    return await story.rows(
        "SELECT s.position, s.digest, e.* FROM ledger_entries e JOIN ledger_seals s"
        " ON s.shop_id = e.shop_id AND s.entry_id = e.id ORDER BY s.position"
    )


async def verify(story: Story) -> int:
    """Make every seal again from the rows alone; returns how many there are."""
    digest, postings = genesis(story.shop), await story.rows("SELECT * FROM ledger_postings")
    entries = await chain(story)
    for position, entry in enumerate(entries, start=1):
        own = [posting for posting in postings if posting["entry_id"] == entry["id"]]
        digest = digest_of(digest, canonical(position, entry, own))
        assert (entry["position"], entry["digest"]) == (position, digest)
    return len(entries)


async def test_every_entry_is_sealed_once_in_one_chain(story: Story) -> None:
    for _ in range(5):
        await story.refund(await story.order(goods("thing", 1000)), 400)
    assert await verify(story) == 0
    await asyncio.gather(*(ledger.seal_ledger(story.ctx, story.shop, story.shop) for _ in range(6)))
    await sweep.drain(story.ctx)
    written = await story.rows("SELECT id FROM ledger_entries")
    assert await verify(story) == len(written) >= 15
    assert await story.rows("SELECT 1 FROM ledger_unsealed") == []
    assert await ledger.due_seals(story.ctx, 10) == []


async def test_an_entry_that_was_committed_late_is_sealed_too(story: Story) -> None:
    """Its id is older than that of an entry that is sealed already: ids are no order of commits."""
    order = await story.order(goods("thing", 1000))
    (payment,) = await story.rows("SELECT id FROM payments")
    late = stamp(story.ctx)
    await story.refund(order, 400)
    await sweep.drain(story.ctx)
    sealed = await verify(story)
    async with story.ctx.database.transaction(story.shop) as tx:
        for made, delta in ((late, 1), (stamp(story.ctx), -1)):
            told = [Captured(payment["id"], delta, "EUR")]
            await rows.post(tx, captures(made, order.id, told))
    await sweep.drain(story.ctx)
    assert await verify(story) == sealed + 2
    assert await story.rows("SELECT 1 FROM ledger_unsealed") == []


async def test_a_long_tail_is_sealed_in_batches(story: Story) -> None:
    order = await story.order(goods("thing", 1000))
    (payment,) = await story.rows("SELECT id FROM payments")
    for number in range(550):
        async with story.ctx.database.transaction(story.shop) as tx:
            for delta in (number + 1, -number - 1):
                told = [Captured(payment["id"], delta, "EUR")]
                await rows.post(tx, captures(stamp(story.ctx), order.id, told))
    await ledger.seal_ledger(story.ctx, story.shop, story.shop)
    assert await verify(story) == 1101


async def test_an_audit_in_one_go_reads_everything(story: Story) -> None:
    """A refund that arrived: an audit finds nothing, and its anchor is the end of the chain."""
    order = await story.order(goods("thing", 10000))
    await story.refund(order, 2000)
    await story.drain()
    found = await audits.audit_shop(story.ctx, story.shop)
    assert (found.tally.counts, found.done) == ({}, found.total)
    assert found.position == len(await chain(story)) > 0


async def audited(story: Story) -> Any:
    row = await audits.start_audit(story.ctx, story.shop, SYSTEM)
    await story.drain()
    return await audits.view_audit(story.ctx, story.shop, row["id"])


FORGE = """
    SET session_replication_role = replica;
    INSERT INTO ledger_unsealed SELECT shop_id, entry_id FROM ledger_seals;
    DELETE FROM ledger_seals;
    UPDATE ledger_entries SET actor = 'someone else'"""
CUT = "DELETE FROM ledger_seals WHERE position = (SELECT max(position) FROM ledger_seals)"
MEND = """
    INSERT INTO ledger_unsealed SELECT shop_id, id FROM ledger_entries e
    WHERE NOT EXISTS (SELECT FROM ledger_seals s WHERE s.entry_id = e.id);
    DELETE FROM audits"""


async def test_an_audit_runs_as_a_job_and_anchors_the_chain(
    story: Story, postgres: PostgresForTests, story_database: str
) -> None:
    """A new chain that is right in itself: only what an earlier audit saw can tell."""
    await story.refund(await story.order(goods("thing", 1000)), 400)
    await story.drain()
    clean = await audited(story)
    assert (clean["state"], clean["breaches"]) == ("succeeded", 0)
    assert clean["position"] == await verify(story)
    assert clean["done"] == clean["total"] + 1, "its own event came meanwhile"
    events = [event["type"] for event in await story.events(clean["id"])]
    assert events == ["audit.created", "audit.succeeded"]
    owner = await asyncpg.connect(postgres.url(story_database))
    try:
        await owner.execute(FORGE)
        await sweep.drain(story.ctx)
        forged = await audited(story)
        assert set(forged["report"]["counts"]) == {"N10 chain rewritten"}
        assert forged["digest"] is None, "a chain that does not hold is no anchor"
        await owner.execute(CUT)
        cut = await audited(story)
        assert set(cut["report"]["counts"]) == {
            "N10 chain cut off",
            "N10 entry left out of the chain",
        }
        await owner.execute(MEND)
        await story.drain()
    finally:
        await owner.close()


async def test_an_audit_goes_on_where_it_was_stopped(story: Story) -> None:
    row = await audits.start_audit(story.ctx, story.shop, SYSTEM)
    await audits.start_audit(story.ctx, story.shop, SYSTEM)
    with pytest.raises(Conflict, match="at most 2"):
        await audits.start_audit(story.ctx, story.shop, SYSTEM)
    async with story.ctx.database.transaction(story.shop) as tx:
        until = story.ctx.clock() + timedelta(seconds=1)
        held = await audit_rows.RUNS.claim(tx, row["id"], story.ctx.clock(), until)
        assert held is not None
        kept = {"done": 3, "breaches": 0, "report": Tally().to_json()}
        place = Place("shop").to_json()
        assert await audit_rows.RUNS.carry(tx, held, until=None, place=place, **kept)
    await story.drain(seconds=2)
    done = await audits.view_audit(story.ctx, story.shop, row["id"])
    assert (done["state"], done["done"], done["position"]) == ("succeeded", 3, 0)
    async with story.ctx.database.transaction(story.shop) as tx:
        assert not await audit_rows.RUNS.carry(tx, held, until=None, place=None, **kept)
