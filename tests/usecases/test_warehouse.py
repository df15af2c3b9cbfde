"""Receiving and inspecting: parts, shorts, wrong goods, grades, stock, and the money after it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from returns_api.domain.access import Role
from returns_api.domain.errors import ActionNotAllowed, Conflict, Invalid, NotFound
from returns_api.domain.events import SYSTEM
from returns_api.domain.orders import OrderSeen
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import policies, returns, warehouse
from returns_api.usecases._settlement import settle_if_due
from tests.support.story import POLICY, Order, Story, freight, goods


async def opened(story: Story, quantity: int = 5, **more: Any) -> tuple[Order, ReturnRecord]:
    order = await story.order(goods("shirt", 2000, quantity), **more)
    return order, await story.open(order, {"shirt": quantity}, method="in_store")


async def amount(story: Story, ret: ReturnRecord) -> int:
    return int((await story.refund_of(ret)).refund["amount_minor"])


async def policy_with(story: Story, old: str, new: str) -> None:
    """Another policy for the orders of the next day."""
    story.clock.forward(days=1)
    assert old in POLICY
    source = POLICY.replace(old, new)
    draft = await policies.draft_policy(story.ctx, story.shop, SYSTEM, source)
    await policies.publish_policy(
        story.ctx, story.shop, SYSTEM, draft["id"], effective_from=None, acknowledge="a test"
    )


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
    assert refused.value.context["errors"][0]["line"].startswith("rl_")  # type: ignore[index]
    await story.inspect(ret, ("shirt", "wrong_item"), sku_seen=sku)
    await story.inspect(ret, ("shirt", "sealed"), sku_seen="SKU-shirt")
    assert await amount(story, ret) == 2000


async def test_a_quote_announces_every_deduction_that_is_made(story: Story) -> None:
    """For every grade: what is deducted is what the quote said could be."""
    order = await story.order(goods("shirt", 1999, 20))
    quote = await story.quote(order, {"shirt": 11}, method="in_store")
    said = {fee["grade"]: fee["deduction_ppm"] for fee in quote.body["fees_possible_later"]}
    ret = (await story.accept(order, quote)).ret
    grades = [
        "sealed",
        "opened_unused",
        "used_like_new",
        "used_worn",
        "damaged_buyer",
        "damaged_transit",
        "defective",
        "incomplete",
        "wrong_item",
        "counterfeit_suspected",
        "empty_box",
    ]
    await story.receive(ret, {"shirt": 11})
    await story.inspect(ret, *(("shirt", grade) for grade in grades))
    refund = await story.refund_of(ret)
    taken = Counter[str]()
    for part in refund.refund["parts"]:
        if part["kind"] == "grade_deduction":
            taken[part["because"]["grade"]] -= part["amount"]
    for grade in grades:
        assert taken[grade] == 1999 * said.get(grade, 0) // 1_000_000, grade
    assert said["used_worn"] == 300_000
    assert said["empty_box"] == 1_000_000
    assert refund.refund["amount_minor"] == 11 * 1999 - sum(taken.values())


async def test_money_at_receipt_comes_before_the_inspection(story: Story) -> None:
    await policy_with(story, "refund_at: inspection", "refund_at: receipt")
    _, ret = await opened(story, 3, placed_at=story.clock())
    await story.receive(ret, {"shirt": 1}, "r1")
    await story.inspect(ret, ("shirt", "used_worn"))
    assert (await story.view(ret)).refunds == ()
    await story.receive(ret, {"shirt": 2}, "r2")
    assert (await story.again(ret)).state == "refunding"
    assert await amount(story, ret) == 1400 + 4000, "what was graded with its grade, the rest whole"
    await story.drain()
    assert (await story.again(ret)).state == "completed"
    done = await story.inspect(
        ret, ("shirt", "sealed"), ("shirt", "empty_box"), disposition="restock"
    )
    assert done.ret.state == "completed"
    assert await amount(story, ret) == 5400, "the money went before the grade"
    with pytest.raises(ActionNotAllowed, match="nobody has graded"):
        await story.inspect(ret, ("shirt", "sealed"))


async def test_a_short_receipt_at_receipt_waits_for_its_closing(story: Story) -> None:
    await policy_with(story, "refund_at: inspection", "refund_at: receipt")
    _, ret = await opened(story, 3, placed_at=story.clock())
    await story.receive(ret, {"shirt": 2})
    assert (await story.view(ret)).refunds == ()
    await story.inspect(ret, ("shirt", "sealed"), ("shirt", "sealed"), close=True)
    assert await amount(story, ret) == 4000


async def test_a_promise_of_an_advance_is_not_made(story: Story) -> None:
    """A refund before the goods came is not carried out here, so it is not quoted either."""
    await policy_with(
        story,
        "refund_at: inspection",
        "refund_at: {at: first_scan, per_buyer: 300.00, per_day: 5000.00,"
        " recover_within: 21 days, otherwise: receipt}",
    )
    order = await story.order(goods("shirt", 2000), placed_at=story.clock())
    quote = await story.quote(order, {"shirt": 1})
    assert quote.body["refund_at"] == "receipt"
    ret = (await story.accept(order, quote)).ret
    await story.receive(ret, {"shirt": 1})
    assert await amount(story, ret) == 1510


async def test_shipping_comes_back_once_over_two_returns(story: Story) -> None:
    order = await story.order(goods("lamp", 10000, 2), freight(490))
    for expected in (10490, 10000):
        ret = await story.open(order, {"lamp": 1}, reason="defective", photos={"lamp": 1})
        await story.bring_back(ret, "defective")
        assert await amount(story, ret) == expected
    await story.drain()
    assert (await story.payments(order))["p0"].refunded == 20490


async def test_two_quotes_with_shipping_pay_it_once(story: Story) -> None:
    """Both quotes were made before either came back: the second one's shipping is gone by then."""
    order = await story.order(goods("lamp", 10000, 2), freight(490))
    first, second = [
        await story.open(order, {"lamp": 1}, reason="defective", photos={"lamp": 1})
        for _ in range(2)
    ]
    await story.bring_back(first, "defective")
    await story.bring_back(second, "defective")
    assert [await amount(story, ret) for ret in (first, second)] == [10490, 10000]


async def test_an_edited_order_does_not_change_an_accepted_quote(story: Story) -> None:
    """The platform tells the order anew with other prices: the quote was binding."""
    order = await story.order(goods("shirt", 2000, 2), goods("lamp", 10000))
    ret = await story.open(order, {"shirt": 2}, method="in_store")
    record = await story.load(order.id)
    edited = story.facts(order)
    lines = (goods("shirt", 1000, 2, removed=1), goods("lamp", 10000))
    await story.see(
        OrderSeen(replace(edited, updated_at=story.clock(), lines=lines, total_minor=11000))
    )
    assert (await story.load(order.id)).certificate_version > record.certificate_version
    await story.bring_back(ret)
    assert await amount(story, ret) == 4000


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
