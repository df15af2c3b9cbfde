"""Goods that are to be exchanged and were refunded in the shop's dashboard: no new ones besides."""

from __future__ import annotations

from tests.support.exchanging import SHIRT, THERE, Case
from tests.support.quoted import paid_back


async def test_no_goods_are_given_for_what_was_paid_back(case: Case) -> None:
    made = await case.open(count=2)
    await case.answer(made, {**THERE, "unit_price": SHIRT})
    await paid_back(case.story, case.order, "shirt", 2, 2 * SHIRT)
    await case.bring_back("sealed", "sealed")
    await case.story.drain()
    ended = await case.seen("agent", made)
    assert (ended["state"], ended["goods"]["quantity"]) == ("failed", 2)
    assert (await case.return_now())["state"] == "completed"
    assert (await case.exchanged(), await case.refunds()) == ([0, 0], [])


async def test_a_unit_that_was_paid_back_earns_no_new_one(case: Case) -> None:
    made = await case.open(count=2)
    await case.answer(made, {**THERE, "unit_price": SHIRT})
    await paid_back(case.story, case.order, "shirt", 1, SHIRT)
    await case.bring_back("sealed", "sealed")
    given = await case.seen("agent", made)
    assert (given["state"], given["goods"]["quantity"], given["money"]["drawn"]) == (
        "released", 1, SHIRT,
    )  # fmt: skip


async def test_goods_that_wait_for_their_difference_are_not_given_after_all(case: Case) -> None:
    made = await case.open(count=2)
    await case.answer(made, {**THERE, "unit_price": 25_00})
    await case.follow("buyer", made, "accept")
    await case.bring_back("sealed", "sealed")
    waits = await case.seen("finance", made)
    due = 2 * (25_00 - SHIRT)
    assert (waits["state"], waits["money"]["due"]) == ("awaiting_payment", due)
    await paid_back(case.story, case.order, "shirt", 2, 2 * SHIRT)
    path = f"/v1/exchanges/{made['exchange']}"
    refused = await case.desk.send(
        "finance", f"{path}/payments", {"amount": due, "reference": "pi_1"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_left_to_refund")
    await case.follow("buyer", made, "cancel")
    await case.story.drain()
    assert (await case.return_now())["state"] == "completed"
    assert (await case.exchanged(), await case.refunds()) == ([0, 0], [])
