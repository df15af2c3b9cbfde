"""What is due for what came: as quoted, at receipt or after the inspection, shipping once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from returns_api.domain.errors import ActionNotAllowed
from returns_api.domain.orders import OrderSeen
from returns_api.domain.policy.vocabulary import Grade
from tests.support.arriving import amount, opened, policy_with
from tests.support.story import Story
from tests.support.story_orders import freight, goods


async def test_a_quote_announces_every_deduction_that_is_made(story: Story) -> None:
    """For every grade: what is deducted is what the quote said could be."""
    order = await story.order(goods("shirt", 1999, 20))
    quote = await story.quote(order, {"shirt": len(Grade)}, method="in_store")
    said = {fee["grade"]: fee["deduction_ppm"] for fee in quote.body["fees_possible_later"]}
    ret = (await story.accept(order, quote)).ret
    grades = [grade.value for grade in Grade]
    await story.receive(ret, {"shirt": len(Grade)})
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
