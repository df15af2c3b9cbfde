"""M10: a refund that is not paid by its day makes itself heard until it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from returns_api.ports.errors import ProviderRejected
from returns_api.usecases import refunds
from returns_api.usecases.overdue import due_reminders, remind_of_refund
from returns_api.worker import sweep
from tests.support.gates import Gate
from tests.support.story import Story
from tests.support.story_orders import BUYER, goods
from tests.support.story_scene import Order


async def stuck(story: Story) -> tuple[Order, UUID]:
    """A refund that waits for a person: there is no provider to call."""
    order = await story.order(goods("thing", 100_00), gateways=["cash"])
    return order, (await story.refund(order, 30_00)).refund["id"]


async def overdue(story: Story) -> list[UUID]:
    found = await refunds.list_refunds(
        story.ctx, story.finance, before=story.ctx.new_id(), limit=10, order_id=None,
        return_id=None, state=None, overdue=True,
    )  # fmt: skip
    return [view.refund["id"] for view in found]


async def reminders(story: Story, refund_id: UUID) -> int:
    return (await story.happened(refund_id)).count("refund.overdue")


async def test_it_is_told_on_the_day_then_again_and_listed(story: Story) -> None:
    _, late = await stuck(story)
    due_by = (await story.refund_now(late)).refund["due_by"]
    await story.drain(days=4, hours=23)
    assert (await reminders(story, late), await overdue(story)) == (0, [])
    told: list[int] = []
    for day in range(40):
        await story.drain(days=1)
        if await reminders(story, late) > len(told):
            told.append(day)
    assert told == [0, 1, 3, 7, 14, 21, 28, 35]
    assert await overdue(story) == [late]
    event = next(e for e in await story.events(late) if e["type"] == "refund.overdue")
    assert (event["data"]["due_by"], event["data"]["reminder"]) == (due_by.isoformat(), 1)


async def test_what_was_paid_is_silent(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    paid = (await story.refund(order, 30_00)).refund["id"]
    canceled = (await story.refund(order, 10_00)).refund["id"]
    await story.cancel(canceled)
    await story.drain(days=400)
    assert await reminders(story, paid) == await reminders(story, canceled) == 0


async def test_what_was_given_up_is_silent_and_what_is_taken_up_again_is_not(story: Story) -> None:
    order = await story.order(goods("thing", 100_00), paid=[60_00, 40_00])
    view = await story.refund(order, 100_00)
    gate = Gate(story.ctx.payments["stripe"])
    gate.refusals["refund"] = [ProviderRejected("card_gone", "the card is gone")]
    await sweep.drain(replace(story.ctx, payments={"stripe": gate}))
    await story.drain(days=5)
    refund_id = view.refund["id"]
    assert (await story.refund_now(refund_id)).refund["state"] == "partially_succeeded"
    assert await reminders(story, refund_id) == 1
    await story.cancel(refund_id)
    assert await overdue(story) == []
    await story.drain(days=400)
    assert await reminders(story, refund_id) == 1
    await story.retry(refund_id)
    await sweep.drain(story.ctx)
    assert (await story.refund_now(refund_id)).refund["state"] == "succeeded"
    assert await reminders(story, refund_id) <= 2


async def test_a_refund_that_came_back_is_late_again(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    refund_id = (await story.refund(order, 30_00)).refund["id"]
    await story.drain()
    await story.drain(days=10)
    (made,) = await story.provider_list(order)
    await story.bank.settle(made.provider_refund_id, "failed")
    await story.provider_tells(order)
    await story.drain()
    assert (await story.happened(refund_id))[-2:] == ["refund.failed", "refund.overdue"]


async def test_two_workers_tell_it_once(story: Story) -> None:
    _, late = await stuck(story)
    await sweep.drain(story.ctx)
    story.clock.forward(days=6)
    assert (story.shop, late) in await due_reminders(story.ctx, 10)
    await asyncio.gather(*(remind_of_refund(story.ctx, story.shop, late) for _ in range(8)))
    assert await reminders(story, late) == 1


async def test_the_refund_of_a_return_is_due_as_its_policy_says(story: Story) -> None:
    await story.limit(return_above=1_00)
    order = await story.order(goods("lamp", 100_00))
    ret = await story.open(order, {"lamp": 1}, method="in_store")
    await story.bring_back(ret)
    view, ret = await story.refund_of(ret), await story.again(ret)
    assert view.refund["due_by"] == view.refund["remind_at"] == ret.due_by("refund")
    await story.drain(days=6)
    assert await overdue(story) == [view.refund["id"]], "waiting for a second person is no excuse"


async def test_the_refund_of_a_return_is_never_due_later_than_the_law_says(story: Story) -> None:
    """Korea: three days from receipt; the policy would have five from the inspection."""
    await story.limit(return_above=1_00)
    order = await story.order(goods("lamp", 100_00), buyer=replace(BUYER, country="KR"))
    ret = await story.open(order, {"lamp": 1}, method="in_store")
    assert ret.refund_by == (None, None)
    story.clock.forward(days=1)
    await story.receive(ret, {"lamp": 1})
    due = story.clock() + timedelta(days=3)
    here = await story.again(ret)
    assert here.refund_by == (due, "kr-withdrawal")
    story.clock.forward(days=1)
    await story.inspect(ret, ("lamp", "sealed"))
    view, paid = await story.refund_of(ret), await story.again(ret)
    assert paid.refund_by == (due, "kr-withdrawal")
    assert view.refund["due_by"] == view.refund["remind_at"] == due
    await story.drain(days=2.5)
    assert await overdue(story) == [view.refund["id"]]
