"""The statements behind every movement of money: guards in the statement, locks, counters."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from returns_api.db import attempts, refunds, reservations
from returns_api.db import transfers as rows
from returns_api.db.attempts import Ended
from returns_api.db.transfer_changes import apply_change
from returns_api.domain.refunds import TransferChange
from tests.support.story import Story
from tests.support.story_orders import goods

PAID = 10000


async def paid(story: Story) -> tuple[UUID, UUID]:
    """An order of 100.00 and its payment."""
    order = await story.order(goods("thing", PAID))
    return order.id, (await story.load(order.id)).payments[0].id


@pytest.mark.parametrize(("amount", "fits"), [(PAID, True), (PAID + 1, False)])
async def test_a_reservation_is_refused_in_the_statement_itself(
    story: Story, amount: int, fits: bool
) -> None:
    _, payment = await paid(story)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        assert await reservations.reserve(tx, {payment: amount}) == fits
        await tx.undo()
        assert not await reservations.reserve(tx, {payment: 1, story.ctx.new_id(): 1})
        await tx.undo()
        assert await reservations.reserve(tx, {})


async def test_the_database_refuses_what_the_statement_would_let_through(story: Story) -> None:
    _, payment = await paid(story)

    async def grab() -> None:
        async with story.ctx.database.transaction(story.shop) as tx:
            await tx.connection.execute(
                "UPDATE payments SET reserved = captured + 1 WHERE id = $1", payment
            )

    with pytest.raises(asyncpg.CheckViolationError):
        await grab()


async def test_a_claim_is_exclusive_until_its_lease_ends(story: Story) -> None:
    order = await story.order(goods("thing", PAID))
    view = await story.refund(order, 100)
    transfer, now = view.transfers[0]["id"], story.clock()

    async def claim(after: timedelta) -> Any:
        async with story.ctx.database.transaction(story.shop) as tx:
            row = await attempts.take(tx, transfer, now + after)
            if row is not None:
                until = now + after + timedelta(seconds=45)
                await attempts.start(tx, transfer, row["attempt"], "send", now + after, until)
            return row

    first = await claim(timedelta())
    assert first["attempt"] == 1
    assert await claim(timedelta(seconds=44)) is None
    again = await claim(timedelta(seconds=45))
    assert again["attempt"] == 2
    done = await asyncio.gather(*(claim(timedelta(seconds=200)) for _ in range(5)))
    assert sum(row is not None for row in done) == 1


async def test_a_claim_says_whether_the_payment_is_overdrawn(story: Story) -> None:
    order = await story.order(goods("thing", PAID))
    view = await story.refund(order, 6000)
    now = story.clock()
    for fact, overdrawn in ((4000, False), (4001, True)):
        await story.tell(story.dispute_of(order.intents[0], fact, name=f"dp_{fact}"))
        async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
            row = await attempts.take(tx, view.transfers[0]["id"], now)
            assert row is not None
            assert row["overdrawn"] == overdrawn
            await tx.undo()
        await story.tell(story.dispute_of(order.intents[0], fact, won=True, name=f"dp_{fact}"))


async def test_an_outcome_is_written_only_by_the_try_that_holds_the_transfer(story: Story) -> None:
    order = await story.order(goods("thing", PAID))
    view = await story.refund(order, 100)
    transfer, now = view.transfers[0]["id"], story.clock()
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        row = await attempts.take(tx, transfer, now)
        assert row is not None
        await attempts.start(tx, transfer, 1, "look_up", now, now + timedelta(seconds=45))
        held = rows.record(row)
        change = TransferChange("succeeded", None, 0, -100, 100)
        await tx.connection.execute("UPDATE transfers SET attempt = 9 WHERE id = $1", transfer)
        assert not await apply_change(tx, held, change, now)
        await tx.connection.execute("UPDATE transfers SET attempt = 1 WHERE id = $1", transfer)
        await tx.connection.execute("UPDATE transfers SET state = 'failed' WHERE id = $1", transfer)
        assert not await apply_change(tx, held, change, now)
        assert not await apply_change(tx, held, change, now, None, Ended("succeeded", None))
        counters = await tx.connection.fetchrow("SELECT reserved, refunded FROM payments")
        assert tuple(counters or ()) == (100, 0)
        assert await tx.connection.fetchval("SELECT state FROM transfer_attempts") == "in_flight"
        await tx.connection.execute("UPDATE transfers SET state = 'queued' WHERE id = $1", transfer)
        assert await apply_change(tx, held, change, now, None, Ended("succeeded", None))
        counters = await tx.connection.fetchrow("SELECT reserved, refunded FROM payments")
        assert tuple(counters or ()) == (0, 100)
        assert await tx.connection.fetchval("SELECT outcome FROM transfer_attempts") == "succeeded"
        await tx.undo()


async def test_a_transfer_may_have_only_one_try_in_flight(story: Story) -> None:
    """N8, held by the database."""
    order = await story.order(goods("thing", PAID))
    transfer = (await story.refund(order, 100)).transfers[0]["id"]
    now, until = story.clock(), story.clock() + timedelta(seconds=45)

    async def two() -> None:
        async with story.ctx.database.transaction(story.shop) as tx:
            await attempts.start(tx, transfer, 1, "look_up", now, until)
            await tx.connection.execute(
                "INSERT INTO transfer_attempts (shop_id, transfer_id, no, kind, state, started_at)"
                " SELECT shop_id, transfer_id, 2, kind, state, started_at FROM transfer_attempts"
            )

    with pytest.raises(asyncpg.UniqueViolationError):
        await two()


async def test_a_try_counts_only_as_the_next_one(story: Story) -> None:
    order = await story.order(goods("thing", PAID))
    transfer = (await story.refund(order, 100)).transfers[0]["id"]
    now, until = story.clock(), story.clock() + timedelta(seconds=45)
    async with story.ctx.database.transaction(story.shop) as tx:
        await attempts.start(tx, transfer, 1, "send", now, until)
        await attempts.start(tx, transfer, 2, "look_up", now, until)
        rows = await tx.connection.fetch("SELECT no, state FROM transfer_attempts ORDER BY no")
        assert [tuple(row) for row in rows] == [(1, "abandoned"), (2, "in_flight")]
        for no in (2, 4):
            with pytest.raises(AssertionError):
                await attempts.start(tx, transfer, no, "send", now, until)
            with pytest.raises(AssertionError):
                await attempts.count(tx, transfer, no, now, until)


async def test_shipping_that_is_owed_counts_until_it_is_given_up(story: Story) -> None:
    order = await story.order(goods("thing", PAID))
    ret = await story.open(order, {"thing": 1}, method="in_store")
    await story.bring_back(ret)
    refund = (await story.refund_of(ret)).refund["id"]
    parts = [{"kind": "shipping", "line": "ship", "amount": 490}, {"kind": "goods", "amount": 1}]
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        for state, counted in (("failed", 490), ("succeeded", 490), ("canceled", 0)):
            await tx.connection.execute(
                "UPDATE refunds SET parts = $1, state = $2 WHERE id = $3", parts, state, refund
            )
            found = await refunds.shipping_refunded(tx, order.id)
            assert found.get("ship", 0) == counted
        await tx.undo()
