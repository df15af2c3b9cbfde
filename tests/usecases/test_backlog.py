"""How late work is: counted past half a minute, while nobody is at it (S12)."""

from __future__ import annotations

import asyncio

from returns_api.usecases.backlog import late_jobs
from returns_api.usecases.transfers import due_transfers, send_transfer
from returns_api.worker import sweep
from tests.support.moved import gated, one_transfer
from tests.support.story import Story
from tests.support.story_orders import goods

SEND = {"send_transfer": due_transfers}


async def test_an_accepted_refund_is_late_after_half_a_minute_and_not_once_it_is_sent(
    story: Story,
) -> None:
    order = await story.order(goods("thing", 100_00))
    await sweep.drain(story.ctx)
    await story.refund(order, 30_00)
    story.clock.forward(seconds=29)
    assert await late_jobs(story.ctx, SEND) == {"send_transfer": 0}
    story.clock.forward(seconds=1)
    assert await late_jobs(story.ctx, SEND) == {"send_transfer": 1}
    await sweep.drain(story.ctx)
    assert await late_jobs(story.ctx, SEND) == {"send_transfer": 0}


async def test_what_somebody_works_on_is_not_late_until_its_lease_is_over(story: Story) -> None:
    gate, ctx = gated(story, "refund")
    order = await story.order(goods("thing", 100_00))
    await sweep.drain(ctx)
    made = await story.refund(order, 30_00)
    move = await one_transfer(story, made.refund["id"])
    at_work = asyncio.create_task(send_transfer(ctx, story.shop, move["id"]))
    await gate.arrived.wait()
    story.clock.forward(seconds=40)
    assert await late_jobs(ctx, SEND) == {"send_transfer": 0}
    story.clock.forward(seconds=ctx.lease.total_seconds())
    assert await late_jobs(ctx, SEND) == {"send_transfer": 1}
    gate.open.set()
    await at_work
