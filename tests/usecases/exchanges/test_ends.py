"""Exchanges that end without goods, or by more than one hand: each ends once, nothing twice."""

from __future__ import annotations

from tests.support.exchanging import SHIRT, THERE, Case


async def test_an_empty_box_earns_no_goods_and_no_money(case: Case) -> None:
    made = await case.open()
    await case.answer(made, {**THERE, "unit_price": SHIRT})
    await case.bring_back("empty_box")
    after = await case.seen("buyer", made)
    assert (after["state"], after["failed_since"], after["outcome"]) == (
        "failed", "no_unit_passed_inspection", "refund",
    )  # fmt: skip
    assert ((await case.return_now())["state"], await case.refunds()) == ("completed", [])


async def test_what_was_paid_back_meanwhile_is_not_given_again(case: Case) -> None:
    """A person refunds the whole order while the goods are on their way."""
    made = await case.open()
    await case.answer(made, {**THERE, "unit_price": SHIRT})
    await case.story.refund(case.order, 130_00)
    await case.bring_back("sealed")
    after = await case.seen("buyer", made)
    assert (after["state"], after["failed_since"]) == ("failed", "payments_do_not_cover_it")
    assert await case.exchanged() == [0, 0]


async def test_an_exchange_ends_with_its_return(case: Case) -> None:
    made = await case.open()
    await case.desk.do("buyer", f"/v1/returns/{case.ret['return']}/cancel")
    after = await case.seen("buyer", made)
    assert (after["state"], after["actions"]) == ("lapsed", [])
    assert [each["state"] for each in after["deadlines"]] == ["dropped"]


async def test_a_buyer_may_give_the_goods_up(case: Case) -> None:
    made = await case.open()
    await case.follow("buyer", made, "cancel")
    await case.bring_back("sealed")
    await case.story.drain()
    assert await case.refunds() == [("return", SHIRT, "succeeded")]
    late = await case.desk.send(
        "agent", f"/v1/exchanges/{made['exchange']}/answer", {**THERE, "unit_price": 1}
    )
    assert (late.status_code, late.json()["code"]) == (409, "action_not_allowed")


async def test_giving_goods_up_does_not_reopen_the_window_of_a_refund(case: Case) -> None:
    """30 days for a refund, 60 for an exchange: after 40 days it falls back to store credit."""
    case.story.clock.forward(days=37)
    made = await case.open()
    assert made["fallback"] == "store_credit"
    await case.follow("buyer", made, "cancel")
    await case.bring_back("sealed")
    await case.story.drain()
    accounts = await case.story.rows("SELECT balance_minor FROM store_credits")
    assert [row["balance_minor"] for row in accounts] == [SHIRT]


async def test_goods_that_nobody_sends_are_named_once(case: Case) -> None:
    made = await case.open()
    await case.answer(made, {**THERE, "unit_price": SHIRT})
    await case.bring_back("sealed")
    await case.story.drain(days=8)
    await case.story.drain(days=8)
    assert (await case.told(made)).count("overdue") == 1
    assert (await case.seen("agent", made))["state"] == "released"
