"""One return, one parcel, several lines exchanged: each by itself, all of them settled once."""

from __future__ import annotations

from typing import Any, Final

from returns_api.domain import ids
from returns_api.usecases import exchanges, returns
from returns_api.usecases.audits import audit_shop
from tests.support.exchanging import ALTERNATIVES, COAT, LARGER, SHIRT, THERE
from tests.support.exchanging_lines import FREIGHT, SHIPPING, Case
from tests.support.story import Story
from tests.support.story_orders import goods

BOTH: Final = {"shirt": LARGER, "coat": {"variant": "v-coat-L"}}


async def test_one_line_is_exchanged_the_other_ran_out_and_is_refunded(
    case: Case, owner: Any
) -> None:
    """One label: its price is shared. The shirt does not wait for what becomes of the coat."""
    made = await case.open(BOTH)
    worth = {name: each["money"]["expected"] for name, each in made.items()}
    assert worth == {"shirt": SHIRT - 89, "coat": COAT - 4_01}
    assert made["coat"]["goods"]["variant"] == "v-coat-L"
    await case.follow("agent", "shirt", "answer", {**THERE, "unit_price": 15_00})
    await case.follow("agent", "coat", "answer", {"in_stock": False, "alternatives": ALTERNATIVES})
    await case.bring_back(shirt="sealed", coat="used_worn")
    seen = await case.seen("agent")
    assert [seen[name]["state"] for name in BOTH] == ["released", "out_of_stock"]
    assert (await case.state(), await case.refunds()) == ("inspected", [])
    await case.follow("agent", "shirt", "ship", {})
    await case.follow("buyer", "coat", "choose", {"alternative": 4})
    await case.story.drain()
    # the coat's 70 %, both shares of the freight off, what the shirt cost less, and the shipping
    share = FREIGHT * SHIRT // (SHIRT + COAT * 70 // 100)  # 118.05: the rest is the coat's
    rest = SHIRT - share - 15_00
    money = COAT * 70 // 100 - (FREIGHT - share) + rest + SHIPPING
    assert await case.refunds() == [("return", money, "succeeded")]
    seen = await case.seen()
    assert (seen["shirt"]["state"], seen["shirt"]["money"]["credit"]) == ("shipped", SHIRT - share)
    assert (seen["coat"]["state"], seen["coat"]["outcome"]) == ("converted", "refund")
    refund = seen["shirt"]["money"]["refund"]
    assert refund is not None
    shown = await case.desk.get("finance", f"/v1/refunds/{refund}")
    assert sum(part["amount"] for part in shown["parts"]) == money
    assert ("exchanged", -15_00) in [(part["kind"], part["amount"]) for part in shown["parts"]]
    assert await case.state() == "completed"
    await an_audit_sees_another_sum(case, owner)


async def an_audit_sees_another_sum(case: Case, owner: Any) -> None:
    spoil = (
        "UPDATE exchanges SET expected_minor = expected_minor + {0}, credit_minor = credit_minor"
        " + {0}, drawn_minor = drawn_minor + {0}, unit_price_minor = unit_price_minor + {0}"
        " WHERE drawn_minor > 0"
    )
    await owner.execute(spoil.format(1))
    audited = await audit_shop(case.story.ctx, case.story.shop)
    assert {name.partition(" ")[2] for name in audited.tally.counts} == {
        "exchanges of a return and its quote",
        "units both refunded and exchanged",
        "what an exchange drew",
        "ledger of exchanges",
    }
    await owner.execute(spoil.format(-1))


async def test_what_was_paid_back_meanwhile_is_missing_from_the_last_line(case: Case) -> None:
    await case.open(BOTH)
    for name, price in (("shirt", SHIRT - 89), ("coat", COAT - 4_01)):
        await case.follow("agent", name, "answer", {**THERE, "unit_price": price})
    await case.story.refund(case.order, 50_00)
    await case.bring_back(shirt="sealed", coat="sealed")
    seen = await case.seen()
    assert (seen["shirt"]["state"], seen["coat"]["failed_since"]) == (
        "released", "payments_do_not_cover_it",
    )  # fmt: skip
    kind, amount, _ = (await case.refunds())[-1]
    assert (kind, amount) == ("return", COAT - 4_01 + SHIPPING), "what is missing stays due"


async def every_line_names_what_is_wanted_instead(case: Case) -> None:
    answer = await case.try_to_open(dict.fromkeys(BOTH))
    assert answer.status_code == 409
    errors = answer.json()["errors"]
    missing = {ids.encode("li", case.order.lines[name]) for name in BOTH}
    assert {each["line"] for each in errors} == missing
    assert all("Say what you want instead" in each["problem"] for each in errors)
    one = await case.try_to_open({**BOTH, "coat": None})
    assert [each["line"] for each in one.json()["errors"]] == [
        ids.encode("li", case.order.lines["coat"])
    ]


async def test_two_differences_are_paid_one_after_another(case: Case) -> None:
    await every_line_names_what_is_wanted_instead(case)
    await case.open(BOTH, method="in_store")
    for name, price in (("shirt", 25_00), ("coat", 99_00)):
        await case.follow("agent", name, "answer", {**THERE, "unit_price": price})
        await case.follow("buyer", name, "accept")
    await case.bring_back(shirt="sealed", coat="sealed")
    assert {each["money"]["due"] for each in (await case.seen()).values()} == {5_00, 9_00}
    paid = await case.follow("finance", "coat", "pay", {"amount": 9_00, "reference": "pi_coat"})
    assert (paid["state"], await case.state()) == ("released", "inspected")
    twice = f"/v1/exchanges/{(await case.seen())['shirt']['exchange']}/payments"
    again = await case.desk.send("finance", twice, {"amount": 5_00, "reference": "pi_coat"})
    assert again.status_code == 409, "a payment counts once, whatever line it is told of"
    await case.follow("finance", "shirt", "pay", {"amount": 5_00, "reference": "pi_shirt"})
    assert (await case.state(), await case.refunds()) == ("completed", [])
    payments = (await case.story.load(case.order.id)).payments
    assert [each.exchanged for each in payments] == [30_00, 80_00]


async def test_two_replacements_of_which_one_is_an_empty_box_and_one_ran_out(case: Case) -> None:
    photos = [ids.encode("ev", await case.story.photo(case.order, number)) for number in (1, 2)]
    proofs = {
        name: [{"kind": "photo", "photo": photo}] for name, photo in zip(BOTH, photos, strict=True)
    }
    asked: dict[str, Any] = {
        "resolution": "replacement",
        "reason": "defective",
        "proofs": proofs,
    }
    made = await case.open(dict.fromkeys(BOTH), **asked)
    assert {each["state"] for each in made.values()} == {"awaiting_goods"}
    await case.follow("agent", "coat", "answer", {"in_stock": False})
    await case.bring_back(shirt="defective", coat="defective")
    assert (await case.seen())["shirt"]["state"] == "released"
    await case.follow("buyer", "coat", "choose", {"alternative": 1})
    await case.story.drain()
    assert await case.refunds() == [("return", COAT + SHIPPING, "succeeded")]
    assert await case.state() == "completed"


async def test_a_line_of_which_nothing_comes_holds_nothing_up(case: Case) -> None:
    """The coat was never in the parcel, and the shop had not answered for it yet."""
    await case.open(BOTH, method="in_store")
    await case.follow("agent", "shirt", "answer", {**THERE, "unit_price": SHIRT})
    lines = {each["title"]: each["return_line"] for each in case.ret["lines"]}
    path, only = f"/v1/returns/{case.ret['return']}", lines["shirt"]
    counted = {"reference": "r", "lines": [{"return_line": only, "quantity": 1}]}
    await case.desk.do("warehouse", f"{path}/receipts", counted)
    units = [{"return_line": only, "grade": "sealed"}]
    await case.desk.do("warehouse", f"{path}/inspections", {"units": units, "close": True})
    seen = await case.seen()
    assert (seen["shirt"]["state"], seen["coat"]["state"]) == ("released", "lapsed")
    assert (await case.state(), await case.refunds()) == ("completed", [])


async def test_a_refused_line_ends_its_own_exchange(story: Story) -> None:
    order = await story.order(goods("shirt", SHIRT), goods("coat", 600_00))
    made = await story.exchange_lines(order, {"shirt": 1, "coat": 1})
    view = await returns.get_return(story.ctx, story.agent, made["coat"].return_id)
    shirt, coat = view.ret.lines
    await story.act(view.ret, returns.rejecting("worn", None, [shirt.id]))
    found = await story.exchanges_of(view.ret.id)
    assert (found["shirt"].state, found["coat"].state) == ("lapsed", "requested")
    await story.take(made["coat"], exchanges.in_stock(500_00, None, None), story.agent)
    ret = await story.act(await story.again(view.ret), returns.approving([coat.id]))
    await story.bring_back(ret)
    await story.drain()
    found = await story.exchanges_of(view.ret.id)
    assert (found["shirt"].state, found["coat"].state) == ("lapsed", "released")
    refund = await story.refund_of(ret)
    assert (refund.refund["amount_minor"], (await story.again(ret)).state) == (100_00, "completed")
    assert not (await audit_shop(story.ctx, story.shop)).tally.counts
