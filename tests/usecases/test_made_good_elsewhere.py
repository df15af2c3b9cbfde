"""Units of an open return that the shop paid back in a dashboard: nothing is given for them twice.

There are other goods in each order, so that its payment would have enough left.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from returns_api.domain.orders import (
    OrderSeen,
    OutsideRefundMoney,
    OutsideRefundSeen,
    OutsideShipping,
)
from tests.support.arriving import policy_with
from tests.support.quoted import paid_back
from tests.support.story import Story
from tests.support.story_orders import freight, goods
from tests.support.story_scene import Order


async def refunded(story: Story, order: Order) -> int:
    await story.drain()
    return (await story.payments(order))["p0"].refunded


async def an_order(story: Story, count: int = 1) -> Order:
    return await story.order(goods("shirt", 2000, count), goods("coat", 40000))


async def test_a_unit_that_was_refunded_in_the_dashboard_is_due_nothing(story: Story) -> None:
    order = await an_order(story)
    ret = await story.open(order, {"shirt": 1}, method="in_store")
    await paid_back(story, order, "shirt", 1, 2000)
    await story.bring_back(ret)
    assert await refunded(story, order) == 0
    assert (await story.again(ret)).state == "completed"
    (told,) = [e["data"] for e in await story.events(ret.id) if e["type"] == "return.completed"]
    assert (told["refund"], told["refunded_elsewhere"]) == (0, 1)


async def test_what_else_came_is_refunded(story: Story) -> None:
    order = await an_order(story, 2)
    ret = await story.open(order, {"shirt": 2, "coat": 1}, method="in_store")
    await paid_back(story, order, "shirt", 1, 2000)
    await story.bring_back(ret)
    assert await refunded(story, order) == 2000 + 40000
    parts = (await story.refund_of(ret)).refund["parts"]
    zero = [part for part in parts if part.get("because") == {"settled_by": "refunded_elsewhere"}]
    assert [(part["line"], part["amount"]) for part in zero] == [("shirt", 0)]


async def test_an_empty_box_is_not_what_somebody_paid_back(story: Story) -> None:
    order = await an_order(story, 2)
    ret = await story.open(order, {"shirt": 2}, method="in_store")
    await paid_back(story, order, "shirt", 1, 2000)
    await story.receive(ret, {"shirt": 2})
    await story.inspect(ret, ("shirt", "empty_box"), ("shirt", "sealed"))
    assert await refunded(story, order) == 0


async def test_one_of_two_returns_is_due_nothing_whichever_is_last(story: Story) -> None:
    order = await an_order(story, 2)
    one = await story.open(order, {"shirt": 1}, method="in_store")
    other = await story.open(order, {"shirt": 1}, method="in_store")
    await paid_back(story, order, "shirt", 1, 2000)
    await story.bring_back(other)
    assert await refunded(story, order) == 2000
    await story.bring_back(one)
    assert await refunded(story, order) == 2000


async def test_a_unit_that_stays_with_the_buyer_may_be_what_was_paid_back(story: Story) -> None:
    """A present of the shop for one of two shirts says nothing of the other one."""
    order = await an_order(story, 2)
    ret = await story.open(order, {"shirt": 1}, method="in_store")
    await paid_back(story, order, "shirt", 1, 2000)
    await story.bring_back(ret)
    assert await refunded(story, order) == 2000


async def test_what_was_taken_out_of_the_order_since_is_due_all_the_same(story: Story) -> None:
    """An edit alone gives nobody money back."""
    order = await an_order(story)
    ret = await story.open(order, {"shirt": 1}, method="in_store")
    facts = story.facts(order)
    lines = tuple(line for line in facts.lines if line.external_id != "shirt")
    await story.see(OrderSeen(replace(facts, lines=lines, updated_at=story.clock())))
    await story.bring_back(ret)
    assert await refunded(story, order) == 2000


async def test_nothing_is_advanced_for_what_was_paid_back(story: Story) -> None:
    await policy_with(
        story,
        "refund_at: inspection",
        "refund_at: {at: first_scan, per_buyer: 300.00, per_day: 5000.00,"
        " recover_within: 21 days, otherwise: receipt}",
    )
    order = await story.order(goods("shirt", 2000), goods("coat", 40000), placed_at=story.clock())
    ret = await story.open(order, {"shirt": 1})
    await story.drain()
    await paid_back(story, order, "shirt", 1, 2000)
    await story.scan(ret, "in_transit")
    assert await refunded(story, order) == 0


@pytest.mark.parametrize("told", [490, 200])
async def test_shipping_that_was_refunded_in_the_dashboard_is_not_refunded_again(
    story: Story, told: int
) -> None:
    order = await story.order(goods("shirt", 2000), goods("coat", 40000), freight(490))
    ret = await story.open(order, {"shirt": 1}, reason="defective", photos={"shirt": 1})
    assert ret.expected_minor == 2490
    await story.bank.dashboard_refund(order.intents[0], told)
    money = (OutsideRefundMoney("t1", "p0", told, "EUR", True),)
    back = (OutsideShipping("ship", told, 99),)
    await story.see(OutsideRefundSeen(order.name, "r1", story.clock(), (), money, back))
    await story.bring_back(ret)
    assert await refunded(story, order) == 2490 - told, "prices hold their tax"
