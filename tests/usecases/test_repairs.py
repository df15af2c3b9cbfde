"""Goods mended over HTTP: in and out of warranty, declined, unrepairable; paid and back once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from returns_api.domain import ids
from returns_api.usecases._auditing import check_orders
from tests.support.desk import Desk, a_desk, names
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import POLICY, Story, with_repairs
from tests.support.story_orders import goods
from tests.support.story_scene import Order

RADIO: Final = 90_00
POINT: Final = {
    "name": "Repairs", "street1": "Werkstr. 2", "city": "Leipzig", "postcode": "04109",
    "country": "DE",
}  # fmt: skip
PRICES: Final = {
    "look": {"kind": "inspection", "title": "Inspection", "price": 15_00},
    "battery": {"kind": "part", "title": "Battery", "price": 39_00},
    "back": {"kind": "freight", "title": "Way back", "price": 6_90},
}
LOOKED_AT: Final = {"positions": [{"code": "look"}, {"code": "battery"}], "note": "Flat."}
COSTS, DECLINED, AT_MOST = 15_00 + 39_00 + 4_90, 15_00 + 4_90, 15_00 + 6_90 + 4_90


NO_MONEY: Final = with_repairs(POLICY).replace(
    "resolutions: {refund: 2 years, replacement: 2 years,", "resolutions: {replacement: 2 years,"
)


@pytest.fixture
def story_policy(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", with_repairs(POLICY)))


@dataclass
class Case:
    """A shop, its people over HTTP, and one order of two radios."""

    story: Story
    order: Order
    desk: Desk
    ret: dict[str, Any] = field(default_factory=dict)

    async def open(self, *, faulty: bool = False, count: int = 1) -> dict[str, Any]:
        """A return for repair; what the buyer then sees of it."""
        li, proofs = ids.encode("li", self.order.lines["radio"]), []
        if faulty:
            photo = await self.story.photo(self.order)
            proofs = [{"kind": "photo", "photo": ids.encode("ev", photo)}]
        asked = {"line": li, "quantity": count, "reason": "defective" if faulty else "other"}
        body = {"order": ids.encode("ord", self.order.id), "lines": [asked], "resolution": "repair"}
        self.quote = await self.desk.do("buyer", "/v1/quotes", {**body, "method": "post"})
        line = {"line": li, "evidence": proofs}
        body = {"quote": self.quote["quote"], "lines": [line]}
        self.ret = await self.desk.do("buyer", "/v1/returns", body)
        (repair,) = (await self.desk.get("buyer", self.ret["repair"]))["items"]
        return dict(repair)

    async def here(self, *grades: str, **more: Any) -> dict[str, Any]:
        """A return for repair whose goods are here."""
        grades = grades or ("defective",)
        made = await self.open(count=len(grades), **more)
        line = self.ret["lines"][0]["return_line"]
        path = f"/v1/returns/{self.ret['return']}"
        counted = {"reference": "r1", "lines": [{"return_line": line, "quantity": len(grades)}]}
        await self.desk.do("warehouse", f"{path}/receipts", counted)
        units = [{"return_line": line, "grade": grade} for grade in grades]
        await self.desk.do("warehouse", f"{path}/inspections", {"units": units})
        return await self.seen("agent", made)

    async def seen(self, who: str, repair: Mapping[str, Any]) -> dict[str, Any]:
        return await self.desk.get(who, f"/v1/repairs/{repair['repair']}")

    async def follow(
        self, who: str, repair: Mapping[str, Any], action: str, body: Any = None
    ) -> dict[str, Any]:
        return await self.desk.follow(who, await self.seen(who, repair), action, body)

    async def return_now(self) -> dict[str, Any]:
        return await self.desk.get("buyer", f"/v1/returns/{self.ret['return']}")

    async def books(self) -> dict[str, int]:
        """Amounts of the order's postings by rule, without the capture."""
        rows = await self.story.rows(
            "SELECT p.rule, sum(p.amount_minor)::int AS amount FROM ledger_postings p"
            " JOIN ledger_entries e ON e.id = p.entry_id WHERE e.order_id = $1"
            " AND p.rule <> 'payment_captured' GROUP BY 1",
            self.order.id,
        )
        return {row["rule"]: row["amount"] for row in rows}

    async def told(self, repair: Mapping[str, Any]) -> list[str]:
        found = ids.decode("rep", repair["repair"])
        assert found is not None
        return [name.removeprefix("repair.") for name in await self.story.happened(found)]


@pytest.fixture
async def case(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    order = await story.order(goods("radio", RADIO, 2))
    await story.repairs(address=POINT, prices=PRICES)
    async with a_desk(story, postgres.url(story_database, user=APP_ROLE), order) as desk:
        yield Case(story, order, desk)


async def test_what_is_quoted_and_agreed_is_paid_once_and_comes_back(case: Case) -> None:
    made = await case.here()
    offer = case.quote["repair"]
    assert offer == {"free": False, "freight": 4_90, "if_declined": AT_MOST, "replacement": False}
    assert (case.quote["refund"]["total"], case.quote["fallback"]) == (0, None)
    assert (made["state"], made["waiting_for"]["to"]) == ("diagnosing", "quote")
    assert (await case.return_now())["state"] == "inspected", "not settled before it is over"
    quoted = await case.follow("agent", made, "quote", LOOKED_AT)
    assert (quoted["state"], quoted["money"]["total"], quoted["money"]["if_declined"]) == (
        "quoted", COSTS, DECLINED,
    )  # fmt: skip
    assert names(await case.seen("buyer", made)) == ["accept", "decline"]
    await case.follow("buyer", made, "accept")
    done = await case.follow("agent", made, "finish")
    assert (done["state"], done["money"]["due"]) == ("awaiting_payment", COSTS)
    await case.follow("agent", made, "link", {"payment_url": "https://shop.example/pay/1"})
    path = f"/v1/repairs/{made['repair']}/payments"
    short = await case.desk.send("finance", path, {"amount": COSTS - 1, "reference": "pi_1"})
    assert (short.status_code, short.json()["code"]) == (409, "does_not_fit")
    answers = await asyncio.gather(
        *(
            case.desk.send("finance", path, {"amount": COSTS, "reference": f"pi_{n}"})
            for n in range(6)
        )
    )
    assert sorted(each.status_code for each in answers) == [200] + [409] * 5
    assert await case.books() == {"repair_paid": COSTS}
    await case.follow("agent", made, "ship", {"carrier": "DHL", "tracking": "T1"})
    assert (await case.return_now())["state"] == "completed"
    over = await case.follow("buyer", made, "complete")
    assert (over["state"], over["result"], over["actions"]) == ("completed", "repaired", [])
    assert await case.told(made) == [
        "opened", "diagnosing", "quoted", "begun", "payment_due", "payment_link", "ready",
        "shipped", "completed",
    ]  # fmt: skip
    again = await case.open(count=2)
    assert again["state"] == "awaiting_goods", "repaired goods can come back"


async def test_what_the_law_or_the_policy_covers_is_never_charged(case: Case) -> None:
    made = await case.here(faulty=True)
    assert case.quote["repair"] == {
        "free": True,
        "freight": 0,
        "if_declined": 0,
        "replacement": True,
    }
    begun = await case.follow("agent", made, "quote", LOOKED_AT)
    assert (begun["state"], begun["money"]["total"]) == ("repairing", 0)
    assert all(each["covered"] for each in begun["positions"])
    done = await case.follow("agent", made, "finish")
    assert (done["state"], done["money"]["due"]) == ("ready", 0)
    await case.follow("agent", made, "ship", {})
    await case.story.drain(days=14, seconds=1)
    assert (await case.seen("buyer", made))["state"] == "completed", "silence: it arrived"
    assert await case.books() == {}


async def test_a_part_of_the_makers_warranty_is_named_and_not_charged(case: Case) -> None:
    made = await case.here()
    body = {"positions": [{"code": "look"}, {"code": "battery", "covered": True}]}
    quoted = await case.follow("agent", made, "quote", body)
    assert quoted["money"]["total"] == DECLINED
    assert [each["unit_price"] for each in quoted["positions"]] == [15_00, 39_00]


@pytest.mark.parametrize("silent", [False, True])
async def test_declining_costs_what_the_quote_says_and_no_more(case: Case, *, silent: bool) -> None:
    made = await case.here()
    await case.follow("agent", made, "quote", LOOKED_AT)
    if silent:
        await case.story.drain(days=7, seconds=1)
    else:
        path = f"/v1/repairs/{made['repair']}/decline"
        money = await case.desk.send("buyer", path, {"take": "refund"})
        assert (money.status_code, money.json()["code"]) == (409, "does_not_fit")
        await case.follow("buyer", made, "decline", {})
    waits = await case.seen("finance", made)
    assert (waits["state"], waits["result"], waits["money"]["due"]) == (
        "awaiting_payment", "declined", DECLINED,
    )  # fmt: skip
    if silent:
        await case.story.drain(days=14, seconds=1)
        assert (await case.told(made))[-1] == "overdue", "the goods stay: a person looks"
        waived = await case.desk.follow("finance", waits, "waive")
        assert (waived["state"], waived["money"]["waived"]) == ("ready", DECLINED)
        assert await case.books() == {}
        return
    paid = {"amount": DECLINED, "reference": "pi_1"}
    back = await case.desk.follow("finance", waits, "pay", paid)
    assert back["state"] == "ready"
    assert await case.books() == {"repair_paid": DECLINED}


@pytest.mark.parametrize("take", ["goods", "replacement", None])
async def test_what_cannot_be_repaired_goes_back_or_is_paid_back(
    case: Case, take: str | None
) -> None:
    """Faulty goods, which the policy refunds, too; the silence of the buyer is the fallback."""
    made = await case.here("defective", "empty_box", faulty=True)
    assert made["quantity"] == 1, "what did not come is not repaired"
    given_up = await case.follow("agent", made, "give_up", {"cause": "no_parts"})
    assert (given_up["state"], given_up["instead"]) == (
        "unrepairable", ["goods", "replacement", "refund"],
    )  # fmt: skip
    if take is None:
        await case.story.drain(days=7, seconds=1)
    else:
        await case.follow("buyer", made, "choose", {"take": take})
    await case.story.drain()
    after = await case.seen("agent", made)
    refunds = await case.story.rows("SELECT amount_minor, state FROM refunds")
    if take == "goods":
        assert (after["state"], after["result"], after["money"]["due"]) == (
            "ready", "unrepairable", 0,
        )  # fmt: skip
        await case.desk.follow("agent", after, "ship", {})
        assert refunds == []
        held = await case.story.rows("SELECT unit_no FROM unit_claims")
        assert [row["unit_no"] for row in held] == [2], "the empty box is not given back"
        return
    assert (after["state"], after["outcome"]) == ("converted", take or "refund")
    if take == "replacement":
        (new,) = (await case.desk.get("agent", after["exchange"]))["items"]
        assert (new["kind"], new["state"], new["goods"]["quantity"]) == (
            "replacement", "released", 1,
        )  # fmt: skip
        assert (refunds, (await case.return_now())["state"]) == ([], "completed")
        return
    assert [(row["amount_minor"], row["state"]) for row in refunds] == [(RADIO, "succeeded")]


@pytest.mark.parametrize("story_policy", [NO_MONEY], indirect=True)
async def test_goods_that_stay_here_without_new_ones_are_paid_for(case: Case) -> None:
    """The policy repairs or replaces only; a part of the order was paid back for another reason, so
    that the payments do not hold a whole new one any more."""
    made = await case.here(faulty=True)
    await case.story.refund(case.order, RADIO + 5_00)
    given_up = await case.follow("agent", made, "give_up", {"cause": "no_parts"})
    assert given_up["instead"] == ["goods", "replacement"]
    await case.follow("buyer", made, "choose", {"take": "replacement"})
    (new,) = await case.story.rows("SELECT state, outcome, failed_since FROM exchanges")
    assert tuple(new) == ("failed", "refund", "payments_do_not_cover_it")
    refunds = await case.story.rows("SELECT kind, amount_minor FROM refunds ORDER BY id")
    assert [tuple(row) for row in refunds] == [("manual", RADIO + 5_00), ("return", RADIO)]
    assert (await case.return_now())["state"] == "refunding", "5.00 of it are for finance to see to"


async def test_a_silent_repair_point_is_escalated_and_never_paid(case: Case) -> None:
    made = await case.here()
    await case.story.drain(days=7, seconds=1)
    assert (await case.seen("agent", made))["state"] == "escalated"
    assert names(await case.seen("buyer", made)) == ["decline"]
    await case.story.drain(days=7, seconds=1)
    after = await case.seen("agent", made)
    assert (after["state"], after["cause"], after["money"]["due"]) == ("ready", "no_answer", 0)
    assert await case.told(made) == ["opened", "diagnosing", "escalated", "ready"]


async def test_nothing_came_and_nothing_is_due(case: Case) -> None:
    made = await case.here("empty_box")
    assert (made["state"], made["actions"]) == ("failed", [])
    assert (await case.return_now())["state"] == "completed"
    assert await case.books() == {}


async def test_a_repair_ends_with_its_return(case: Case) -> None:
    made = await case.open()
    await case.desk.do("buyer", f"/v1/returns/{case.ret['return']}/cancel")
    assert (await case.seen("buyer", made))["state"] == "lapsed"


async def test_goods_are_sent_to_the_repair_point_by_the_price_list_of_the_shop(
    case: Case,
) -> None:
    await case.open()
    await case.story.drain()
    (expected,) = [e for e in await case.story.events() if e["type"] == "return.expected"]
    place = expected["data"]["destination"]
    assert (place["kind"], place["city"]) == ("repair_point", "Leipzig")
    listed = await case.desk.get("buyer", "/v1/repair-prices")
    assert (listed["currency"], listed["prices"]) == ("EUR", PRICES)


async def test_an_audit_notices_what_no_quote_names(case: Case) -> None:
    made = await case.here()
    await case.follow("agent", made, "quote", LOOKED_AT)
    async with case.story.ctx.database.transaction(case.story.shop) as tx:
        assert await check_orders(tx, [case.order.id]) == []
        await tx.connection.execute("UPDATE repairs SET total_minor = total_minor + 1")
        found = await check_orders(tx, [case.order.id])
        assert [each.check for each in found] == ["repair charged other than quoted"]
        await tx.connection.execute("UPDATE repairs SET total_minor = total_minor - 1")
