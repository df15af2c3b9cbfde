"""Receiving and inspecting: parts, shorts, wrong goods, grades, and what the stock hears."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from returns_api.domain.access import Role
from returns_api.domain.errors import ActionNotAllowed, Conflict, Invalid, NotFound
from returns_api.domain.events import SYSTEM
from returns_api.domain.orders import OrderSeen
from returns_api.usecases import returns, warehouse
from returns_api.usecases._settlement import settle_if_due
from tests.support.arriving import amount, opened
from tests.support.refusals import listed
from tests.support.story import Story
from tests.support.story_orders import freight, goods


async def test_announced_five_received_two_then_three(story: Story) -> None:
    """Row 13: a receipt adds, it never overwrites."""
    _, ret = await opened(story)
    await story.receive(ret, {"shirt": 2}, "r1")
    await story.receive(ret, {"shirt": 3}, "r2")
    ret = await story.again(ret)
    assert (ret.state, ret.lines[0].received) == ("received", 5)


async def test_a_receipt_posted_twice_adds_once(story: Story) -> None:
    _, ret = await opened(story)
    first = await story.receive(ret, {"shirt": 2}, "r1")
    again = await story.receive(ret, {"shirt": 2}, "r1")
    assert first.id == again.id
    with pytest.raises(Conflict):
        await story.receive(ret, {"shirt": 3}, "r1")
    with pytest.raises(Conflict):
        await story.receive(ret, {"shirt": 2}, "r1", [{"sku": "S-9", "quantity": 1}])
    assert (await story.again(ret)).lines[0].received == 2
    (stored,) = await warehouse.list_receipts(story.ctx, story.dock, ret.id)
    assert stored.lines == {ret.lines[0].id: 2}


async def test_ten_times_the_same_receipt_at_once_adds_once(story: Story) -> None:
    _, ret = await opened(story)
    seen = await asyncio.gather(*(story.receive(ret, {"shirt": 2}) for _ in range(10)))
    assert len({receipt.id for receipt in seen}) == 1
    assert (await story.again(ret)).lines[0].received == 2


async def test_more_than_announced_is_refused(story: Story) -> None:
    _, ret = await opened(story)
    await story.receive(ret, {"shirt": 4}, "r1")
    with pytest.raises(Invalid) as refused:
        await story.receive(ret, {"shirt": 2}, "r2")
    assert "unexpected" in refused.value.detail
    assert (await story.again(ret)).lines[0].received == 4


async def test_money_is_due_with_the_last_graded_unit_and_once(story: Story) -> None:
    """Row 17: the same settlement twice pays once."""
    _, ret = await opened(story, 3)
    await story.receive(ret, {"shirt": 3})
    await story.inspect(ret, ("shirt", "sealed"), ("shirt", "sealed"))
    assert (await story.view(ret)).refunds == ()
    done = await story.inspect(ret, ("shirt", "sealed"))
    assert done.ret.state == "refunding"
    assert await amount(story, ret) == 6000
    for _ in range(2):
        async with story.ctx.database.transaction(story.shop) as tx:
            assert await settle_if_due(tx, story.ctx, ret.id, SYSTEM) == ([], [])
    assert len(await story.rows("SELECT 1 FROM refunds")) == 1


async def test_two_inspectors_of_the_last_unit_pay_once(story: Story) -> None:
    _, ret = await opened(story, 1)
    await story.receive(ret, {"shirt": 1})
    done = await asyncio.gather(
        *(story.inspect(ret, ("shirt", "sealed")) for _ in range(6)), return_exceptions=True
    )
    assert sum(not isinstance(each, BaseException) for each in done) == 1
    assert await amount(story, ret) == 2000
    assert len(await story.rows("SELECT 1 FROM inspected_units")) == 1


async def test_a_short_receipt_is_closed_and_the_rest_can_come_later(story: Story) -> None:
    """Row 11: two of three came: two are paid, the third can still be returned."""
    order, ret = await opened(story, 3)
    await story.receive(ret, {"shirt": 2})
    await story.inspect(ret, ("shirt", "sealed"), ("shirt", "sealed"))
    assert (await story.again(ret)).state == "received"
    done = await story.inspect(ret, close=True)
    assert (done.ret.state, await amount(story, ret)) == ("refunding", 4000)
    line = (await story.load(order.id)).lines[0]
    assert (line.claimed, line.claimed_units) == (2, (1, 2))
    second = await story.open(order, {"shirt": 1}, method="in_store")
    assert second.lines[0].units == (3,)
    await story.bring_back(second)
    await story.drain()
    assert (await story.payments(order))["p0"].refunded == 6000


async def test_a_line_of_which_nothing_came_is_given_up(story: Story) -> None:
    order = await story.order(goods("shirt", 2000), goods("lamp", 10000))
    ret = await story.open(order, {"shirt": 1, "lamp": 1}, method="in_store")
    await story.receive(ret, {"lamp": 1})
    done = await story.inspect(ret, ("lamp", "sealed"), close=True)
    assert [line.state for line in done.ret.lines] == ["canceled", "settled"]
    assert await amount(story, ret) == 10000


async def test_what_is_here_is_graded_before_it_is_closed(story: Story) -> None:
    _, ret = await opened(story, 3)
    await story.receive(ret, {"shirt": 2})
    with pytest.raises(Invalid):
        await story.inspect(ret, ("shirt", "sealed"), close=True)
    assert await story.rows("SELECT 1 FROM inspected_units") == []
    await story.inspect(ret, ("shirt", "sealed"), ("shirt", "used_worn"), close=True)
    assert await amount(story, ret) == 2000 + 1400


async def test_nothing_that_came_pays_nothing(story: Story) -> None:
    order, ret = await opened(story, 1)
    await story.receive(ret, {"shirt": 1})
    done = await story.inspect(ret, ("shirt", "empty_box"))
    assert (done.ret.state, done.refunds) == ("completed", [])
    assert (await story.payments(order))["p0"].reserved == 0


async def test_an_empty_box_earns_no_shipping_back(story: Story) -> None:
    order = await story.order(goods("lamp", 10000), freight(490))
    ret = await story.open(order, {"lamp": 1}, reason="defective", photos={"lamp": 1})
    await story.receive(ret, {"lamp": 1})
    done = await story.inspect(ret, ("lamp", "empty_box"))
    assert (done.ret.state, done.refunds) == ("completed", [])


@pytest.mark.parametrize("sku", ["SKU-other", "sku-shirt"])
async def test_another_sku_is_a_wrong_item_or_refused(story: Story, sku: str) -> None:
    _, ret = await opened(story, 2)
    await story.receive(ret, {"shirt": 2})
    with pytest.raises(Invalid) as refused:
        await story.inspect(ret, ("shirt", "sealed"), sku_seen=sku)
    assert listed(refused, "errors")[0]["line"].startswith("rl_")
    await story.inspect(ret, ("shirt", "wrong_item"), sku_seen=sku)
    await story.inspect(ret, ("shirt", "sealed"), sku_seen="SKU-shirt")
    assert await amount(story, ret) == 2000


async def test_the_stock_hears_of_it_once_and_only_when_asked(story: Story) -> None:
    """Row 21: of three units one comes back and is put into stock; the platform cancels the rest.
    We tell the stock of our one unit once; what the platform restocks is its own doing."""
    order, ret = await opened(story, 3)
    await story.receive(ret, {"shirt": 1})
    await story.inspect(ret, ("shirt", "sealed"), disposition="restock", close=True)
    facts = story.facts(order)
    await story.see(OrderSeen(replace(facts, updated_at=story.clock(), cancelled_at=story.clock())))
    await story.drain()
    told = [e for e in await story.events() if e["type"].startswith("stock.")]
    assert [(event["resource_type"], event["sequence"]) for event in told] == [("inspection", 1)]
    (item,) = told[0]["data"]["items"]
    assert (item["sku"], item["disposition"], item["quantity"]) == ("SKU-shirt", "restock", 1)
    assert item["line"].startswith("li_")


async def test_stock_is_apart_from_money(story: Story) -> None:
    _, ret = await opened(story, 4)
    await story.receive(ret, {"shirt": 4})
    await story.inspect(ret, ("shirt", "sealed"))
    await story.inspect(ret, ("shirt", "damaged_buyer"), disposition="destroy")
    await story.inspect(ret, ("shirt", "sealed"), ("shirt", "sealed"), disposition="restock")
    told = [e["data"]["items"] for e in await story.events() if e["type"] == "stock.returned"]
    assert sorted((item["disposition"], item["quantity"]) for (item,) in told) == [
        ("destroy", 1),
        ("restock", 2),
    ]


async def test_the_warehouse_sees_no_foreign_return_and_no_other_state(story: Story) -> None:
    order, ret = await opened(story, 1)
    with pytest.raises(ActionNotAllowed):
        await story.inspect(ret, ("shirt", "sealed"))
    stranger = await story.order(goods("x", 100))
    with pytest.raises(NotFound):
        await warehouse.list_graded(story.ctx, story.who(Role.BUYER, stranger), ret.id)
    await story.act(ret, returns.canceling, story.who(Role.BUYER, order))
    with pytest.raises(ActionNotAllowed) as refused:
        await story.receive(ret, {"shirt": 1})
    assert refused.value.context["allowed"] == []
