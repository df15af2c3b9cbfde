"""The books of whole stories: written with their facts, sealed behind them, always balanced."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from returns_api.domain.ledger import canonical, digest_of, genesis
from returns_api.usecases import ledger
from returns_api.worker import sweep
from tests.support.story import Order, Story, goods

NEWEST = UUID(int=2**128 - 1)


async def balances(
    story: Story, order: Order | None = None, at: datetime | None = None
) -> dict[str, int]:
    _, rows = await ledger.view_balances(
        story.ctx, story.shop, at=at, order_id=None if order is None else order.id
    )
    return {row["account"]: row["balance"] for row in rows if row["balance"]}


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


async def test_a_long_tail_is_sealed_in_batches(story: Story) -> None:
    order = await story.order(goods("thing", 1000))
    await story.rows(
        "WITH made AS (INSERT INTO ledger_entries (shop_id, id, fact, source_type, source_id,"
        " order_id, at, actor) SELECT shop_id, gen_random_uuid(), 'x', 'order', id, id, now(),"
        " 'system' FROM orders, generate_series(1, 1100) WHERE id = $1 RETURNING shop_id, id)"
        " INSERT INTO ledger_unsealed SELECT shop_id, id FROM made",
        order.id,
    )
    await ledger.seal_ledger(story.ctx, story.shop, story.shop)
    assert await verify(story) == 1101
