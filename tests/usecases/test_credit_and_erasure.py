"""Store credit that is given while the person behind the order is erased: it is nobody's then."""

from __future__ import annotations

import asyncio

from returns_api.domain.events import By
from returns_api.domain.orders import PersonErased
from returns_api.usecases import refunds
from returns_api.usecases.refunds import RefundWish
from tests.support.paid import an_order
from tests.support.story import Story

PRESENT = RefundWish(kind="goodwill", amount_minor=500, to="store_credit")


async def holders(story: Story) -> list[tuple[str, bytes | None, int]]:
    rows = await story.rows("SELECT holder, holder_key, balance_minor FROM store_credits")
    return [(row["holder"], row["holder_key"], row["balance_minor"]) for row in rows]


async def test_credit_that_is_given_while_the_buyer_is_erased_is_nobody_s(story: Story) -> None:
    """The account was opened for a key that was read before the erasure, and kept it for ever."""
    order = await an_order(story)
    async with story.ctx.database.transaction(story.shop) as tx:
        await refunds.create_refund(tx, story.ctx, By("finance"), order.id, PRESENT)
        erasing = asyncio.create_task(
            story.see(PersonErased("c-1", "anna@example.com", (order.name,)))
        )
        await ended_or_waiting(story, erasing)
    await erasing
    assert await holders(story) == [("nobody", None, 500)]


async def test_credit_that_is_given_after_the_erasure_began_is_the_order_s(story: Story) -> None:
    order = await an_order(story)
    await story.see(PersonErased("c-1", "anna@example.com", (order.name,)))
    async with story.ctx.database.transaction(story.shop) as tx:
        await refunds.create_refund(tx, story.ctx, By("finance"), order.id, PRESENT)
    assert await holders(story) == [("order", order.id.bytes, 500)]


async def ended_or_waiting(story: Story, task: asyncio.Task[None]) -> None:
    """Until the task is done, or stands in front of a lock that we hold."""
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
    while not task.done() and not await story.rows(waiting):
        pass  # the look itself lets the task go on
