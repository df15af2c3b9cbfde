"""New goods before the old ones came: within the caps of fast refunds, once, and back in money."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from returns_api.db.histories import load_history
from returns_api.domain import ids
from returns_api.usecases import exchanges, returns
from returns_api.usecases.audits import audit_shop
from tests.support.desk import a_desk
from tests.support.exchanging import SHIRT, THERE, Case
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import POLICY, Story
from tests.support.story_orders import goods

AT_ONCE = "{at: request, per_buyer: 50.00, per_day: 500.00, recover_within: 9 days}"
SCANNED = AT_ONCE.replace("request", "first_scan")
ONE_OF_THEM = 18_00


@pytest.fixture
def story_policy(request: pytest.FixtureRequest) -> str:
    terms = getattr(request, "param", AT_ONCE)
    document = POLICY.replace(
        "    refund_at: inspection\n", f"    refund_at: inspection\n    exchange_at: {terms}\n"
    )
    assert document != POLICY
    return document


@pytest.fixture
async def case(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    order = await story.order(goods("shirt", SHIRT, 6), paid=[30_00, 90_00])
    async with a_desk(story, postgres.url(story_database, user=APP_ROLE), order) as desk:
        yield Case(story, order, desk)
    audited = await audit_shop(story.ctx, story.shop)
    assert not audited.tally.counts


async def given(case: Case, price: int = ONE_OF_THEM) -> dict[str, Any]:
    """New goods are on their way, the old ones are still with the buyer."""
    made = await case.open()
    there = await case.answer(made, {**THERE, "unit_price": price})
    assert (there["state"], there["in_advance"], there["money"]["drawn"]) == (
        "released", True, price,
    )  # fmt: skip
    await case.desk.follow("agent", there, "ship", {"carrier": "DHL"})
    return await case.follow("buyer", made, "complete")


async def advance(case: Case) -> dict[str, Any]:
    return dict((await case.return_now())["money"]["advance"])


async def recovery(case: Case) -> dict[str, Any]:
    return await case.desk.get("finance", f"/v1/recoveries/{(await advance(case))['recovery']}")


async def out(case: Case) -> Mapping[str, int]:
    rows = await case.story.rows("SELECT kind, used_minor FROM fast_refund_caps")
    return {row["kind"]: row["used_minor"] for row in rows}


async def scan(case: Case, shown: Mapping[str, Any]) -> None:
    """The carrier has the parcel."""
    return_id = ids.decode("ret", shown["return"])
    assert return_id is not None
    view = await returns.get_return(case.story.ctx, case.story.agent, return_id)
    await case.story.scan(view.ret, "in_transit")


async def test_the_old_goods_are_set_against_the_new_ones(case: Case) -> None:
    made = await given(case)
    early = await advance(case)
    assert (early["state"], early["amount"], early["refund"], early["exchange"]) == (
        "outstanding", ONE_OF_THEM, None, made["exchange"],
    )  # fmt: skip
    assert await out(case) == {"buyer": ONE_OF_THEM, "shop_day": ONE_OF_THEM}
    assert await case.exchanged() == [ONE_OF_THEM, 0]
    await case.bring_back("sealed")
    await case.story.drain()
    assert await case.refunds() == [("return", SHIRT - ONE_OF_THEM, "succeeded")]
    assert ((await case.return_now())["state"], (await advance(case))["state"]) == (
        "completed", "settled",
    )  # fmt: skip
    assert await out(case) == {"buyer": 0, "shop_day": ONE_OF_THEM}
    books = await case.books()
    assert (books["goods_advanced"], books["refund_owed"], books["advance_applied"]) == (
        ONE_OF_THEM, SHIRT, ONE_OF_THEM,
    )  # fmt: skip
    assert (await case.told(made)).count("released") == 1


@pytest.mark.parametrize(("grade", "worth"), [("used_worn", SHIRT * 70 // 100), ("empty_box", 0)])
async def test_old_goods_worth_less_are_a_recovery(case: Case, grade: str, worth: int) -> None:
    made = await given(case, SHIRT)
    await case.bring_back(grade)
    owed = await recovery(case)
    assert (owed["cause"], owed["open"], owed["exchange"], owed["refund"]) == (
        "worth_less", SHIRT - worth, made["exchange"], None,
    )  # fmt: skip
    assert (await case.return_now())["state"] == "completed"
    path = f"/v1/recoveries/{owed['recovery']}"
    await case.desk.do("finance", f"{path}/request", {})
    paid = await case.desk.do("finance", f"{path}/payments", {"reference": "pi_owed"})
    assert (paid["state"], await case.refunds()) == ("paid", [])
    assert await out(case) == {"buyer": 0, "shop_day": SHIRT}
    assert (await case.books())["advance_paid_back"] == SHIRT - worth


async def test_old_goods_that_never_come_are_owed_once_the_new_ones_were_sent(case: Case) -> None:
    made = await case.open()
    await case.answer(made, {**THERE, "unit_price": SHIRT})
    await case.story.drain(days=10)
    assert (await advance(case))["recovery"] is None, "nobody owes what was not sent"
    await case.follow("agent", made, "ship", {})
    await case.story.drain(days=1)
    owed = await recovery(case)
    assert (owed["cause"], owed["open"]) == ("not_returned", SHIRT)
    told = await case.story.load(case.order.id)
    async with case.story.ctx.database.transaction(case.story.shop) as tx:
        assert (await load_history(tx, told, case.story.clock())).clawbacks == 1
    present = {"order": ids.encode("ord", case.order.id), "amount": 5_00, "kind": "goodwill"}
    credit = await case.desk.do("finance", "/v1/refunds", {**present, "to": "store_credit"})
    body = {"store_credit": credit["transfers"][0]["store_credit"]}
    path = f"/v1/recoveries/{owed['recovery']}"
    assert (await case.desk.do("finance", f"{path}/debits", body))["open"] == SHIRT - 5_00
    await case.bring_back("sealed")
    await case.story.drain()
    late = await recovery(case)
    assert (late["state"], late["cleared"], late["paid"]) == ("cleared", SHIRT - 5_00, 5_00)
    assert await case.refunds() == [
        ("goodwill", 5_00, "succeeded"), ("return", 5_00, "succeeded"),
    ]  # fmt: skip


@pytest.mark.parametrize("sent", [True, False])
async def test_a_canceled_return_is_owed_or_its_goods_stay(case: Case, *, sent: bool) -> None:
    made = await case.open()
    there = await case.answer(made, {**THERE, "unit_price": SHIRT})
    if sent:
        await case.desk.follow("agent", there, "ship", {})
    await case.desk.do("buyer", f"/v1/returns/{case.ret['return']}/cancel")
    await case.story.drain()
    after, early = await case.seen("agent", made), await advance(case)
    assert (after["state"], early["recovery"] is not None) == (
        ("shipped", True) if sent else ("lapsed", False)
    )
    assert (await out(case), await case.exchanged()) == (
        {"buyer": SHIRT * sent, "shop_day": SHIRT}, [SHIRT * sent, 0],
    )  # fmt: skip
    if not sent:
        assert (await case.told(made))[-1] == "recalled"
        late = await case.desk.send("agent", f"/v1/exchanges/{made['exchange']}/ship", {})
        assert (late.status_code, late.json()["code"]) == (409, "action_not_allowed")


@pytest.mark.parametrize("cause", ["empty_box", "offer"])
async def test_goods_that_nothing_is_given_for_stay_if_they_were_not_sent(
    case: Case, cause: str
) -> None:
    """An empty box came, or the buyer keeps the old goods for an amount: nobody owes new ones that
    are still here, and the shop does not send them."""
    await case.story.limit(agent_per_order=10_00, agent_per_day=10_00)
    made = await case.open()
    await case.answer(made, {**THERE, "unit_price": ONE_OF_THEM})
    if cause == "offer":
        path = f"/v1/returns/{case.ret['return']}/offers"
        offer = await case.desk.do("agent", path, {"amount": 5_00})
        await case.desk.do("buyer", f"/v1/offers/{offer['offer']}/accept")
    else:
        await case.bring_back(cause)
    await case.story.drain(days=10)
    after, early = await case.seen("agent", made), await advance(case)
    assert (after["state"], early["state"], early["recovery"]) == ("lapsed", "settled", None)
    assert (await case.told(made))[-1] == "recalled"
    assert (await out(case))["buyer"] == 0
    assert await case.exchanged() == [0, 0]
    assert await case.refunds() == ([("manual", 5_00, "succeeded")] if cause == "offer" else [])
    assert (await case.return_now())["state"] == "completed"


async def test_answers_at_once_never_exceed_what_a_buyer_may_have_out(case: Case) -> None:
    made = [await case.open() for _ in range(5)]
    paths = [f"/v1/exchanges/{each['exchange']}/answer" for each in made]
    body = {**THERE, "unit_price": SHIRT}
    tries = [case.desk.send("agent", path, body) for path in paths for _ in range(2)]
    await asyncio.gather(*tries)
    shown = [await case.seen("agent", each) for each in made]
    assert sorted(each["state"] for each in shown) == ["awaiting_goods"] * 3 + ["released"] * 2
    assert (await out(case))["buyer"] == 2 * SHIRT
    assert await case.exchanged() == [30_00, 10_00]
    waits = next(each for each in shown if each["state"] == "awaiting_goods")
    case.ret = await case.desk.get("agent", f"/v1/returns/{waits['return']}")
    assert (await advance(case))["reason"] == "buyer_cap"
    await case.bring_back("sealed")
    after = await case.seen("agent", waits)
    assert (after["state"], after["in_advance"]) == ("released", False), "as ever"


async def test_the_goods_of_several_lines_wait_for_the_old_ones(case: Case) -> None:
    """One advance is of one exchange: that of several says so, once, and nothing is half given."""
    order = await case.story.order(goods("scarf", SHIRT), goods("hat", SHIRT))
    made = await case.story.exchange_lines(order, {"scarf": 1, "hat": 1})
    for each in made.values():
        await case.story.take(each, exchanges.in_stock(SHIRT, None, None), case.story.agent)
    found = await case.story.exchanges_of(made["hat"].return_id)
    assert [(each.state, each.in_advance) for each in found.values()] == [
        ("awaiting_goods", False)
    ] * 2
    rows = await case.story.rows("SELECT state, reason, amount_minor FROM advances")
    assert [tuple(row) for row in rows] == [("declined", "several_lines", SHIRT)]
    assert await out(case) == {}
    view = await returns.get_return(case.story.ctx, case.story.agent, made["hat"].return_id)
    await case.story.bring_back(view.ret)
    found = await case.story.exchanges_of(view.ret.id)
    assert [each.state for each in found.values()] == ["released"] * 2
    assert (await case.story.again(view.ret)).state == "completed"


async def test_an_audit_sees_goods_and_gifts_of_another_sum(case: Case, owner: Any) -> None:
    made = await case.open()
    gift = {"kind": "refund_and_gift", "gift": 5_00}
    await case.follow("admin", made, "answer", {"in_stock": False, "alternatives": [gift]})
    await case.follow("buyer", made, "choose", {"alternative": 1})
    await case.bring_back("sealed")
    await case.story.drain()
    await given(case)
    spoils = [f"UPDATE {table} SET amount_minor = amount_minor + {{by}}"
              for table in ("advances", "exchange_gifts")]  # fmt: skip
    for spoil in spoils:
        await owner.execute(spoil.format(by=1))
    audited = await audit_shop(case.story.ctx, case.story.shop)
    assert {name.partition(" ")[2] for name in audited.tally.counts} == {
        "goods that went first without an advance",
        "ledger of advances",
        "counters of fast refunds",
        "gift of an exchange",
    }
    for spoil in spoils:
        await owner.execute(spoil.format(by=-1))


@pytest.mark.parametrize("story_policy", [SCANNED], indirect=True)
async def test_the_carrier_s_scan_is_the_moment_and_a_difference_waits(case: Case) -> None:
    counts = SHIRT - 4_90
    agreed = await case.open(method="post")
    dearer = {**THERE, "unit_price": counts + 1}
    await case.answer(agreed, dearer)
    await case.follow("buyer", agreed, "accept")
    first = case.ret
    early = await case.open(method="post")
    await case.answer(early, {**THERE, "unit_price": counts})
    await case.story.drain()
    assert (await case.seen("buyer", early))["state"] == "awaiting_goods"
    for shown in (first, case.ret):
        await case.desk.do("buyer", f"/v1/returns/{shown['return']}/ship")
        await scan(case, shown)
    assert (await case.seen("buyer", early))["in_advance"]
    case.ret = first
    assert (await advance(case))["reason"] == "difference_due"
    late = await case.open(method="post")
    await case.story.drain()
    await case.desk.do("buyer", f"/v1/returns/{case.ret['return']}/ship")
    await scan(case, case.ret)
    there = await case.answer(late, {**THERE, "unit_price": counts})
    assert there["in_advance"], "the moment had passed when the shop answered"
