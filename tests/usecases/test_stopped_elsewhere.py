"""Units that the shop's platform refunded before they were sent: not to be sent, and nobody's to
return. There are other goods in each order, so that its payment would have enough left."""

from __future__ import annotations

from datetime import timedelta

from tests.support.quoted import left, stopped
from tests.usecases.test_cancellations import Case, case

__all__ = ["case"]


async def coats(case: Case) -> dict[str, int]:
    """What an order shows of its coats."""
    path = case.path.removesuffix("/cancellations")
    shown = (await case.desk.get("agent", path))["lines"]
    (line,) = [line for line in shown if line["external_id"] == "coat"]
    names = ("shipped", "returned_elsewhere", "cancelled_elsewhere", "cancelled", "left")
    return {name: line[name] for name in names}


async def test_it_uses_up_what_can_be_cancelled_and_not_what_can_be_returned(case: Case) -> None:
    """Three coats, one was sent, one of the others is refunded in the dashboard."""
    await case.story.send(case.order.name, {"coat": 1}, delivered=timedelta(0))
    await stopped(case.story, case.order, "coat", 1, 3000)
    assert await left(case.story, case.order, "coat") == 1
    assert await coats(case) == {
        "shipped": 1, "returned_elsewhere": 0, "cancelled_elsewhere": 1, "cancelled": 0, "left": 1,
    }  # fmt: skip
    two = await case.desk.send("buyer", case.path, {"lines": case.lines(coat=2)})
    assert (two.status_code, two.json()["code"]) == (409, "nothing_left_to_return")
    assert (two.json()["left"], two.json()["cancelled_elsewhere"]) == (1, 1)
    rest = await case.cancel(lines=case.lines(coat=1))
    await case.desk.follow("agent", await case.again(rest), "confirm", {})
    ret = await case.story.open(case.order, {"coat": 1}, method="in_store")
    await case.story.bring_back(ret)
    await case.story.drain()
    assert [amount for _, amount, _ in await case.refunds()] == [3000, 3000]


async def test_of_units_that_were_asked_for_before_it_one_is_made_good(case: Case) -> None:
    """One coat was sent; of the two that the buyer asked to stop the platform refunds one."""
    await case.story.send(case.order.name, {"coat": 1}, delivered=timedelta(0))
    asked = await case.cancel(lines=case.lines(coat=2))
    await stopped(case.story, case.order, "coat", 1, 3000)
    await case.desk.follow("agent", await case.again(asked), "confirm", {})
    assert [amount for _, amount, _ in await case.refunds()] == [3000]


async def test_the_last_unit_is_made_good_once_by_whoever_refunds_it(case: Case) -> None:
    asked = await case.cancel(lines=case.lines(coat=3))
    await stopped(case.story, case.order, "coat", 3, 9000)
    await case.desk.follow("agent", await case.again(asked), "confirm", {})
    assert await case.refunds() == []


async def test_what_was_refunded_as_unsent_and_came_all_the_same_is_not_paid_again(
    case: Case,
) -> None:
    """Whether it was asked back before the shop refunded it, or only then."""
    await case.story.send(case.order.name, {"coat": 3, "hat": 1}, delivered=timedelta(0))
    ret = await case.story.open(case.order, {"coat": 3}, method="in_store")
    await stopped(case.story, case.order, "coat", 1, 3000)
    assert await left(case.story, case.order, "coat") == 0
    await case.story.bring_back(ret)
    await case.story.drain()
    assert [amount for _, amount, _ in await case.refunds()] == [6000]


async def test_units_that_nobody_sends_any_more_make_an_order_sent(case: Case) -> None:
    await case.story.send(case.order.name, {"coat": 2, "hat": 1}, delivered=timedelta(0))
    await stopped(case.story, case.order, "coat", 1, 3000)
    nothing = await case.desk.send("buyer", case.path, {})
    assert nothing.status_code == 409
    assert await left(case.story, case.order, "coat") == 2
