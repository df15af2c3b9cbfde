"""Who carries a transfer: many at once, one that slept, one that dies; the bank counts one."""

from __future__ import annotations

import asyncio

from returns_api.ports.errors import OutcomeUnknown
from returns_api.usecases import transfers
from tests.support.moved import gated, moved, one_transfer, tries
from tests.support.paid import an_order
from tests.support.story import Story


async def test_ten_workers_send_once(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    move = await one_transfer(story, view.refund["id"])
    await asyncio.gather(
        *(transfers.send_transfer(story.ctx, story.shop, move["id"]) for _ in range(10))
    )
    assert await tries(story) == [("send", "succeeded")]
    assert await moved(story, move["id"]) == (1, 6000)


async def test_a_zombie_changes_nothing(story: Story) -> None:
    """It was paused before the call for longer than its lease; another worker did the work."""
    gate, ctx = gated(story, "refund")
    order = await an_order(story)
    view = await story.refund(order, 6000)
    move = await one_transfer(story, view.refund["id"])
    zombie = asyncio.create_task(transfers.send_transfer(ctx, story.shop, move["id"]))
    await gate.arrived.wait()
    assert await story.drain() == 0, "it is in other hands"
    await story.drain(seconds=60)
    assert (await one_transfer(story, view.refund["id"]))["state"] == "succeeded"
    before = await story.events(view.refund["id"])
    gate.refusals["refund"] = [OutcomeUnknown("the zombie's own call got no answer")]
    gate.open.set()
    await zombie
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["failure_code"]) == ("succeeded", None)
    assert await story.events(view.refund["id"]) == before
    assert await moved(story, move["id"]) == (1, 6000)


async def test_a_zombie_that_sends_late_moves_no_second_sum(story: Story) -> None:
    gate, ctx = gated(story, "refund")
    order = await an_order(story)
    view = await story.refund(order, 6000)
    move = await one_transfer(story, view.refund["id"])
    zombie = asyncio.create_task(transfers.send_transfer(ctx, story.shop, move["id"]))
    await gate.arrived.wait()
    await story.drain(seconds=60)
    gate.open.set()
    await zombie
    assert await moved(story, move["id"]) == (1, 6000)
    rows = await story.rows("SELECT no, state FROM transfer_attempts ORDER BY no")
    assert [(row["no"], row["state"]) for row in rows] == [(1, "abandoned"), (2, "done")]


async def test_a_worker_that_dies_each_time_does_not_loop_for_ever(story: Story) -> None:
    gate, ctx = gated(story)
    gate.refusals["refund"] = [RuntimeError("dies") for _ in range(1000)]
    order = await an_order(story)
    view = await story.refund(order, 6000)
    move = await one_transfer(story, view.refund["id"])
    await story.rows("UPDATE transfers SET attempt = 498 RETURNING id")
    for _ in range(6):
        story.clock.forward(minutes=1)
        try:
            await transfers.send_transfer(ctx, story.shop, move["id"])
        except RuntimeError:
            continue
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["failure_code"]) == ("needs_review", "every_worker_died")
