"""Goods for goods over HTTP: even, uneven both ways, out of stock, replaced; once each."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from returns_api.domain import ids
from returns_api.domain.errors import NothingLeftToRefund
from returns_api.usecases.audits import audit_shop
from tests.support.desk import names
from tests.support.exchanging import ALTERNATIVES, COAT, LARGER, SHIRT, THERE, Case


async def test_an_even_exchange_moves_goods_and_no_money(case: Case) -> None:
    made = await case.open()
    assert (made["state"], made["waiting_for"]) == ("requested", {"who": "agent", "to": "answer"})
    assert names(made) == ["cancel"], "no action lets the storefront name a price"
    await case.answer(made, {**THERE, "unit_price": SHIRT, "title": "Shirt, L"})
    waits = await case.seen("buyer", made)
    assert (waits["state"], waits["money"]["difference"]) == ("awaiting_goods", 0)
    await case.bring_back("sealed")
    given = await case.seen("agent", made)
    assert (given["state"], given["goods"]["quantity"], given["money"]["drawn"]) == (
        "released", 1, SHIRT,
    )  # fmt: skip
    assert (await case.return_now())["state"] == "completed"
    sent = await case.desk.follow("agent", given, "ship", {"carrier": "DHL", "tracking": "T1"})
    assert (sent["state"], sent["tracking"]) == ("shipped", "T1")
    done = await case.follow("buyer", made, "complete")
    assert (done["state"], done["actions"], done["waiting_for"]) == ("completed", [], None)
    assert await case.refunds() == []
    assert await case.exchanged() == [SHIRT, 0], "the payments in their order"
    books = await case.books()
    assert (books["refund_owed"], books["goods_drawn"]) == (SHIRT, SHIRT)
    assert await case.told(made) == [
        "stock_requested", "reserved", "released", "shipped", "completed",
    ]  # fmt: skip
    (released,) = [e for e in await case.story.events() if e["type"] == "exchange.released"]
    data = released["data"]
    assert (data["external_order"], data["sku"], data["quantity"]) == ("o1", "SKU-larger", 1)
    with pytest.raises(NothingLeftToRefund):
        await case.story.refund(case.order, 130_00 - SHIRT + 1)


async def test_goods_that_cost_less_give_the_difference_back(case: Case) -> None:
    made = await case.open("coat")
    await case.answer(made, {**THERE, "unit_price": 60_00})
    await case.bring_back("sealed")
    await case.story.drain()
    given = await case.seen("buyer", made)
    assert given["money"]["refund"] is not None
    assert (given["money"]["drawn"], given["money"]["difference"]) == (60_00, -30_00)
    assert await case.refunds() == [("return", 30_00, "succeeded")]
    shown = await case.return_now()
    assert (shown["state"], shown["money"]["refunded"]) == ("completed", 30_00)
    assert await case.exchanged() == [30_00, 30_00]


async def test_goods_that_cost_more_wait_for_the_difference(case: Case) -> None:
    """By post and worn: freight and grade lower what counts, exactly as quoted."""
    made = await case.open(method="post")
    offered = await case.answer(made, {**THERE, "unit_price": 25_00})
    assert (offered["state"], offered["money"]["difference"]) == ("offered", 25_00 - 15_10)
    agreed = await case.follow("buyer", made, "accept")
    assert agreed["state"] == "awaiting_goods"
    await case.bring_back("used_worn")
    due = 25_00 - (SHIRT * 70 // 100 - 4_90)
    waits = await case.seen("finance", made)
    assert (waits["state"], waits["money"]["due"], names(waits)) == (
        "awaiting_payment", due, ["pay"],
    )  # fmt: skip
    assert (await case.return_now())["state"] == "inspected", "nothing is settled before"
    await case.follow("agent", made, "link", {"payment_url": "https://shop.example/pay/1"})
    assert (await case.seen("buyer", made))["money"]["payment_url"].endswith("/pay/1")
    path = f"/v1/exchanges/{made['exchange']}/payments"
    short = await case.desk.send("finance", path, {"amount": due - 1, "reference": "pi_1"})
    assert (short.status_code, short.json()["code"]) == (409, "does_not_fit")
    answers = await asyncio.gather(
        *(
            case.desk.send("finance", path, {"amount": due, "reference": f"pi_{n}"})
            for n in range(8)
        )
    )
    assert sorted(each.status_code for each in answers) == [200] + [409] * 7
    paid = await case.seen("buyer", made)
    assert (paid["state"], paid["money"]["paid"], paid["money"]["drawn"]) == (
        "released", due, 25_00 - due,
    )  # fmt: skip
    assert await case.refunds() == []
    books = await case.books()
    assert (books["difference_paid"], books["deduction_kept"]) == (due, SHIRT * 30 // 100 + 4_90)


async def test_whoever_does_not_pay_gets_the_money_of_the_goods(case: Case) -> None:
    made = await case.open()
    await case.answer(made, {**THERE, "unit_price": 25_00})
    await case.follow("buyer", made, "accept")
    await case.bring_back("sealed")
    assert (await case.seen("buyer", made))["state"] == "awaiting_payment"
    await case.story.drain(days=7, seconds=1)
    await case.story.drain()
    over = await case.seen("buyer", made)
    assert (over["state"], over["outcome"]) == ("converted", "refund")
    assert await case.refunds() == [("return", SHIRT, "succeeded")]
    assert await case.exchanged() == [0, 0]
    late = await case.desk.send(
        "finance",
        f"/v1/exchanges/{made['exchange']}/payments",
        {"amount": 5_00, "reference": "pi_late"},
    )
    assert (late.status_code, late.json()["code"]) == (409, "action_not_allowed")


@pytest.mark.parametrize(
    ("number", "state", "refunds", "drawn"),
    [
        (1, "released", [], SHIRT),
        (2, "awaiting_payment", [], 0),
        (3, "converted", [("return", SHIRT, "succeeded")], 0),
        (4, "converted", [("return", SHIRT, "succeeded")], 0),
        (None, "converted", [("return", SHIRT, "succeeded")], 0),
    ],
    ids=["variant", "upgrade", "store credit", "refund", "silence"],
)
async def test_out_of_stock_each_alternative_moves_money_once(
    case: Case, number: int | None, state: str, refunds: list[Any], drawn: int
) -> None:
    """The goods are here already when the choice is made, so it settles at once, and once."""
    made = await case.open()
    if number == 1:
        await case.story.drain(days=3, seconds=1)
        asked = await case.seen("buyer", made)
        assert [each["kind"] for each in asked["alternatives"]] == ["refund"], "presumed"
    out = await case.answer(made, {"in_stock": False, "alternatives": ALTERNATIVES})
    kinds = [each["kind"] for each in out["alternatives"]]
    assert kinds == ["variant", "upgrade", "store_credit", "refund"]
    await case.bring_back("sealed")
    assert (await case.return_now())["state"] == "inspected"
    if number is None:
        await case.story.drain(days=7, seconds=1)
    else:
        path = f"/v1/exchanges/{made['exchange']}/choose"
        answers = await asyncio.gather(
            *(case.desk.send("buyer", path, {"alternative": number}) for _ in range(4))
        )
        assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]
    await case.story.drain()
    after = await case.seen("buyer", made)
    assert (after["state"], after["money"]["drawn"]) == (state, drawn)
    assert await case.refunds() == refunds
    accounts = await case.story.rows("SELECT balance_minor FROM store_credits")
    assert [row["balance_minor"] for row in accounts] == ([SHIRT] if number == 3 else [])


@pytest.mark.parametrize(("grade", "paid"), [("sealed", True), ("empty_box", False)])
async def test_a_gift_goes_with_the_refund_once_and_within_the_agent_s_limit(
    case: Case, grade: str, *, paid: bool
) -> None:
    await case.story.limit(agent_per_order=10_00, agent_per_day=10_00)
    made = await case.open()
    path = f"/v1/exchanges/{made['exchange']}"
    gift = {"kind": "refund_and_gift", "gift": 10_01}
    out = {"in_stock": False, "alternatives": [gift]}
    over = await case.desk.send("agent", f"{path}/answer", out)
    assert (over.status_code, over.json()["code"]) == (409, "does_not_fit")
    for amount in (4_00, 10_00, 6_00):  # the highest counts, not the sum
        gift["gift"] = amount
        shown = await case.answer(made, out)
        assert [each["gift"] for each in shown["alternatives"]] == [amount, None]
    tries = [case.desk.send("buyer", f"{path}/choose", {"alternative": 1}) for _ in range(4)]
    assert sorted(each.status_code for each in await asyncio.gather(*tries)) == [200] + [409] * 3
    assert await case.refunds() == [], "nothing is given before goods came"
    await case.bring_back(grade)
    await case.story.drain()
    money = (await case.seen("buyer", made))["money"]
    assert (money["gift"], money["gift_refund"] is not None) == (6_00, paid)
    both = [("goodwill", 6_00, "succeeded"), ("return", SHIRT, "succeeded")]
    assert await case.refunds() == (both if paid else [])
    books = await case.books()
    assert books.get("goodwill_credited") == (6_00 if paid else None)
    audited = await audit_shop(case.story.ctx, case.story.shop)
    assert not audited.tally.counts


async def test_a_replacement_is_the_same_goods_without_money(case: Case) -> None:
    """Two came back, one of them as an empty box: one new one goes out."""
    photo = ids.encode("ev", await case.story.photo(case.order))
    made = await case.open(
        count=2,
        resolution="replacement",
        wanted=None,
        reason="defective",
        proofs=[{"kind": "photo", "photo": photo}],
    )
    assert (made["kind"], made["state"], made["goods"]["sku"]) == (
        "replacement", "awaiting_goods", "SKU-shirt",
    )  # fmt: skip
    await case.bring_back("damaged_buyer", "empty_box")
    given = await case.seen("agent", made)
    assert (given["state"], given["goods"]["quantity"]) == ("released", 1)
    await case.desk.follow("agent", given, "ship", {})
    await case.story.drain(days=14, seconds=1)
    assert (await case.seen("buyer", made))["state"] == "completed"
    assert (await case.return_now())["state"] == "completed"
    assert (await case.refunds(), await case.exchanged()) == ([], [0, 0])
    assert await case.told(made) == ["opened", "released", "shipped", "completed"]


async def test_the_shop_names_the_price_and_once(case: Case) -> None:
    made = await case.open()
    path = f"/v1/exchanges/{made['exchange']}/answer"
    without = await case.desk.send("agent", path, THERE)
    assert (without.status_code, without.json()["code"]) == (409, "does_not_fit")
    forbidden = await case.desk.send("buyer", path, {**THERE, "unit_price": 1})
    assert forbidden.status_code == 403
    await case.answer(made, {**THERE, "unit_price": SHIRT})
    again = await case.desk.send("agent", path, {**THERE, "unit_price": SHIRT + 1})
    assert again.status_code == 409
    ran_out = await case.answer(made, {"in_stock": False})
    assert ran_out["state"] == "out_of_stock"
    back = await case.answer(made, {**THERE, "unit_price": SHIRT})
    assert back["state"] == "awaiting_goods"


@pytest.mark.parametrize(
    ("resolution", "wanted", "reason", "problem"),
    [
        ("exchange", None, "changed_mind", "Say what you want instead"),
        ("refund", LARGER, "changed_mind", "Other goods are for an exchange only"),
    ],
)
async def test_other_goods_are_named_with_an_exchange_only(
    case: Case, resolution: str, wanted: Any, reason: str, problem: str
) -> None:
    answer = await case.try_to_open("shirt", 1, resolution=resolution, wanted=wanted, reason=reason)
    assert answer.status_code == 409
    assert problem in answer.json()["detail"]


async def test_a_quote_for_goods_says_what_each_line_counts_for(case: Case) -> None:
    lines = [
        {"line": ids.encode("li", case.order.lines[name]), "quantity": 1, "reason": "changed_mind"}
        for name in ("shirt", "coat")
    ]
    body = {"order": ids.encode("ord", case.order.id), "lines": lines, "resolution": "exchange"}
    quote = await case.desk.do("buyer", "/v1/quotes", body)
    assert [(each["counts_for"], each["fallback"]) for each in quote["lines"]] == [
        (SHIRT - 89, "refund"), (COAT - 4_01, "refund"),
    ]  # fmt: skip
    assert (quote["refund"]["total"], quote["fallback"]) == (SHIRT + COAT - 4_90, "refund")
    body = {**body, "resolution": "replacement"}
    refused = await case.desk.send("buyer", "/v1/quotes", body)
    assert refused.status_code == 409, "this policy replaces faulty goods only"
