"""Keeping the goods for an amount: offered, countered, accepted, within limits, money once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from returns_api.usecases import returns
from tests.support.desk import Desk, a_desk, names, ret_path
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

COSTLY = 60000


@dataclass
class Case:
    """A return that waits for review, its order and the people over HTTP."""

    story: Story
    order: Order
    ret: Any
    desk: Desk

    @property
    def path(self) -> str:
        return ret_path(self.ret.id)

    async def offer(self, amount: int, who: str = "agent", **more: Any) -> dict[str, Any]:
        shown = await self.desk.get(who, self.path)
        return await self.desk.follow(who, shown, "offer", {"amount": amount, **more})

    async def seen(self, who: str, offer: dict[str, Any]) -> dict[str, Any]:
        return await self.desk.get(who, f"/v1/offers/{offer['offer']}")

    async def money(self) -> list[tuple[int, str]]:
        rows = await self.story.rows("SELECT amount_minor, state FROM refunds ORDER BY id")
        return [(row["amount_minor"], row["state"]) for row in rows]


@pytest.fixture
async def case(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    await story.limit(agent_per_order=2000, agent_per_day=10000)
    order = await story.order(goods("coat", COSTLY))
    ret = await story.open(order, {"coat": 1})
    url = postgres.url(story_database, user=APP_ROLE)
    async with a_desk(story, url, order) as desk:
        yield Case(story, order, ret, desk)


async def test_offer_counter_accept_moves_money_once(case: Case) -> None:
    made = await case.offer(1000, note="Keep it?")
    assert (made["state"], made["party"]) == ("awaiting_buyer", "merchant")
    shown = await case.desk.get("buyer", case.path)
    assert [(d["of"], d["kind"], d["who"], d["state"]) for d in shown["deadlines"]][-1] == (
        "offer",
        "offer_answer",
        "buyer",
        "open",
    )
    mine = await case.seen("buyer", made)
    assert names(mine) == ["accept", "counter", "decline"]
    assert names(await case.seen("agent", made)) == ["withdraw"]
    countered = await case.desk.follow("buyer", mine, "counter", {"amount": 1500})
    assert (countered["state"], countered["answers"]) == ("awaiting_merchant", made["offer"])
    theirs = await case.seen("agent", countered)
    accepted = await case.desk.follow("agent", theirs, "accept")
    assert accepted["state"] == "accepted"
    assert accepted["refund"] is not None
    await case.story.drain()
    assert await case.money() == [(1500, "succeeded")]
    shown = await case.desk.get("buyer", case.path)
    assert (shown["state"], shown["lines"][0]["state"]) == ("completed", "kept")
    assert shown["money"]["refunded"] == 1500
    assert shown["label"]["state"] == "voided"
    assert (await case.story.load(case.order.id)).lines[0].claimed == 1, "they stay used up"
    assert await case.story.happened(case.ret.id) == [
        "return.opened",
        "return.agreed",
        "return.completed",
    ]


async def test_a_stale_acceptance_is_refused_with_what_is_allowed(case: Case) -> None:
    made = await case.offer(1000)
    await case.desk.follow("agent", made, "withdraw")
    refused = await case.desk.send("buyer", f"/v1/offers/{made['offer']}/accept")
    assert refused.status_code == 409
    assert refused.json()["code"] == "action_not_allowed"
    assert (refused.json()["state"], refused.json()["allowed"]) == ("withdrawn", [])
    assert await case.money() == []


async def test_twenty_acceptances_at_once_pay_once(case: Case) -> None:
    made = await case.offer(1000)
    path = f"/v1/offers/{made['offer']}/accept"
    answers = await asyncio.gather(*(case.desk.send("buyer", path) for _ in range(20)))
    assert sorted(a.status_code for a in answers) == [200] + [409] * 19
    await case.story.drain()
    assert await case.money() == [(1000, "succeeded")]


async def test_what_is_beyond_the_limit_waits_for_a_second_person(case: Case) -> None:
    """20.00 passes alone, 20.01 does not; the buyer hears of it only once it is approved."""
    within = await case.offer(2000)
    assert within["state"] == "awaiting_buyer"
    await case.desk.follow("agent", within, "withdraw")
    beyond = await case.offer(2001)
    assert beyond["state"] == "awaiting_approval"
    path = f"/v1/offers/{beyond['offer']}"
    assert (await case.desk.people["buyer"].get(path)).status_code == 404
    told = await case.desk.get("buyer", f"{case.path}/events")
    assert beyond["offer"] not in str(told)
    shown = await case.desk.get("buyer", case.path)
    assert beyond["offer"] not in str(shown), "nor by the deadline of who approves it"
    assert beyond["offer"] in str(await case.desk.get("agent", case.path))
    early = await case.desk.send("buyer", f"{case.path}/disputes", {"claim": 1, "statement": "?"})
    assert early.json()["allowed"] == ["cancel"], "there is nothing to agree to yet"
    assert beyond["offer"] in str(await case.desk.get("agent", f"{case.path}/events"))
    assert (await case.desk.send("agent", f"{path}/approve")).status_code == 403
    seen = await case.seen("finance", beyond)
    assert names(seen) == ["approve"]
    approved = await case.desk.follow("finance", seen, "approve")
    assert approved["state"] == "awaiting_buyer"
    await case.desk.follow("buyer", await case.seen("buyer", beyond), "accept")
    await case.story.drain()
    assert await case.money() == [(2001, "succeeded")]


async def test_nobody_approves_the_own_offer(case: Case) -> None:
    await case.story.limit(finance_per_order=100)
    beyond = await case.offer(2001, who="admin")
    assert beyond["state"] == "awaiting_approval"
    assert "approve" not in names(await case.seen("admin", beyond))
    refused = await case.desk.send("admin", f"/v1/offers/{beyond['offer']}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "own_approval")


async def test_an_agent_accepts_only_what_it_may_promise(case: Case) -> None:
    made = await case.offer(1000)
    asked = await case.desk.follow("buyer", await case.seen("buyer", made), "counter",
                                   {"amount": 5000})  # fmt: skip
    refused = await case.desk.send("agent", f"/v1/offers/{asked['offer']}/accept")
    assert refused.status_code == 409
    assert refused.json()["because"] == "agent_per_order"
    assert refused.json()["allowed"] == ["counter", "decline"]
    again = await case.desk.do("agent", f"/v1/offers/{asked['offer']}/counter", {"amount": 5000})
    assert again["state"] == "awaiting_approval"
    assert await case.money() == []


async def test_raising_the_offer_counts_the_difference(case: Case) -> None:
    """The limit of a case bounds the highest promise, not the sum of the rounds."""
    for amount in (800, 1500, 2000):
        made = await case.offer(amount)
        assert made["state"] == "awaiting_buyer"
        await case.desk.follow("buyer", await case.seen("buyer", made), "decline")
    assert (await case.offer(2001))["state"] == "awaiting_approval"


async def test_silence_expires_an_offer_and_the_return_goes_on(case: Case) -> None:
    made = await case.offer(1000, valid_seconds=3600)
    await case.story.drain(hours=2)
    seen = await case.seen("buyer", made)
    assert (seen["state"], seen["deadlines"][0]["state"]) == ("expired", "passed")
    assert (await case.desk.get("agent", case.path))["state"] == "requested"
    assert (await case.offer(500))["state"] == "awaiting_buyer"


async def test_an_offer_lapses_when_the_parcel_is_sent(case: Case) -> None:
    await case.story.act(case.ret, returns.approving(None))
    made = await case.offer(1000)
    shown = await case.desk.get("buyer", case.path)
    assert "offer" not in names(await case.desk.get("agent", case.path)), "one at a time"
    await case.desk.follow("buyer", shown, "ship")
    assert (await case.seen("buyer", made))["state"] == "lapsed"
    refused = await case.desk.send("agent", f"{case.path}/offers", {"amount": 1})
    assert refused.status_code == 409
    assert refused.json()["allowed"] == ["cancel"]
    await case.story.drain(days=30)


async def test_more_than_is_left_is_never_offered(case: Case) -> None:
    refused = await case.desk.send("agent", f"{case.path}/offers", {"amount": COSTLY + 1})
    assert refused.json()["code"] == "nothing_left_to_refund"
    made = await case.offer(2000)
    await case.story.refund(case.order, COSTLY - 1000)
    late = await case.desk.send("buyer", f"/v1/offers/{made['offer']}/accept")
    assert late.json()["code"] == "nothing_left_to_refund"
    assert (await case.seen("buyer", made))["state"] == "awaiting_buyer"
    await case.story.drain()
