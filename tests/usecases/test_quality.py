"""Quality feedback: a receiver of ordinary webhooks hears of each bad line once, with its grade."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from returns_api.domain import ids
from returns_api.domain.access import Role
from returns_api.domain.events import SYSTEM
from returns_api.usecases import returns, webhook_endpoints
from tests.support.receiver import Receiver, receiving
from tests.support.story import Story
from tests.support.story_orders import goods


@pytest.fixture
async def supplier(story: Story) -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        await webhook_endpoints.create_endpoint(
            story.ctx,
            story.shop,
            SYSTEM,
            url=f"{receiver.base_url}/in",
            topics=("quality.*",),
            description=None,
        )
        yield receiver


def heard(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in receiver.received]


async def test_a_closed_return_tells_of_what_was_bad_and_of_nothing_else(
    story: Story, supplier: Receiver
) -> None:
    lamp = goods("lamp", 4000, 2, vendor="Lumen", options=(("size", "L"),), product_id="77")
    order = await story.order(lamp, goods("hat", 1500))
    ret = await story.open(order, {"lamp": 2}, reason="defective", photos={"lamp": 1})
    other = await story.open(order, {"hat": 1}, reason="changed_mind")
    await story.drain()
    await story.receive(ret, {"lamp": 2})
    await story.bring_back(other)
    await story.inspect(ret, ("lamp", "defective"), ("lamp", "used_worn"))
    assert heard(supplier) == []
    await story.drain()
    assert (await story.again(ret)).state == "completed"

    (told,) = heard(supplier)
    line = ids.encode("rl", ret.lines[0].id)
    assert (told["type"], told["resource"], told["sequence"]) == ("quality.reported", line, 1)
    assert told["data"] == {
        "return": ids.encode("ret", ret.id),
        "return_line": line,
        "order": ids.encode("ord", order.id),
        "sku": "SKU-lamp",
        "product": "77",
        "vendor": "Lumen",
        "options": {"size": "L"},
        "reason": "defective",
        "category": "quality",
        "fault": "merchant",
        "quantity": 2,
        "grade": "defective",
        "grades": {"defective": 1, "used_worn": 1},
        "noted": False,
        "internal": True,
    }
    buyer, agent = story.who(Role.BUYER, order), story.agent
    for who, sees in ((buyer, False), (agent, True)):
        seen = await returns.timeline(story.ctx, who, ret.id, None, 100)
        assert ("quality.reported" in [row["type"] for row in seen]) is sees


async def test_it_is_told_once_however_often_the_return_is_closed_and_swept(
    story: Story, supplier: Receiver
) -> None:
    order = await story.order(goods("lamp", 4000))
    ret = await story.open(order, {"lamp": 1}, reason="not_as_described", photos={"lamp": 1})
    await story.drain()
    await story.bring_back(ret, "sealed")
    await story.drain()
    await story.rows("UPDATE returns SET quality_at = $1 RETURNING id", story.clock())
    await story.drain(days=1)
    await story.drain(days=1)
    assert [told["data"]["grade"] for told in heard(supplier)] == ["sealed"]


async def test_goods_paid_for_at_receipt_are_told_of_with_their_grade_or_after_two_weeks(
    story: Story, supplier: Receiver
) -> None:
    for name, graded in (("lamp", True), ("hat", False)):
        order = await story.order(goods(name, 4000))
        ret = await story.open(order, {name: 1}, reason="defective", photos={name: 1})
        await story.rows("UPDATE returns SET refund_at = 'receipt' RETURNING id")
        await story.drain()
        await story.receive(ret, {name: 1})
        await story.drain()
        assert (await story.again(ret)).state == "completed"
        await story.drain(days=13)
        assert [told["data"]["sku"] for told in heard(supplier)] == ["SKU-lamp"] * (not graded)
        if graded:
            await story.inspect(ret, (name, "defective"))
        await story.drain(days=2)
    assert [(told["data"]["sku"], told["data"]["grade"]) for told in heard(supplier)] == [
        ("SKU-lamp", "defective"),
        ("SKU-hat", None),
    ]
