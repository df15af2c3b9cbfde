"""Disputes over HTTP: inside a window, both sides heard, ruled, appealed once, paid once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from returns_api.domain import ids
from returns_api.domain.errors import ReturnsError
from returns_api.usecases._auditing import check_orders
from tests.support.desk import Desk, a_desk, names, ret_path
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

COSTLY = 60000
NO = {"code": "worn", "note": "Worn outside."}
SAYS = {"statement": "Our photo at packing shows no stain."}


@dataclass
class Case:
    """A rejected return, its order and the people over HTTP."""

    story: Story
    order: Order
    ret: Any
    desk: Desk

    @property
    def path(self) -> str:
        return ret_path(self.ret.id)

    async def open(self, claim: int = 30000) -> dict[str, Any]:
        shown = await self.desk.get("buyer", self.path)
        body = {"claim": claim, "statement": "It came with the stain on it."}
        return await self.desk.follow("buyer", shown, "dispute", body)

    async def seen(self, who: str, dispute: dict[str, Any]) -> dict[str, Any]:
        return await self.desk.get(who, f"/v1/disputes/{dispute['dispute']}")

    async def act(self, who: str, dispute: dict[str, Any], action: str, body: Any = None) -> Any:
        return await self.desk.follow(who, await self.seen(who, dispute), action, body)

    async def ruled(self, award: int) -> dict[str, Any]:
        """A dispute with a first ruling."""
        made = await self.open()
        await self.act("agent", made, "add_evidence", SAYS)
        await self.act("platform", made, "begin_review")
        body = {"award": award, "reason": "Both share the cause."}
        return dict(await self.act("platform", made, "rule", body))

    async def money(self) -> list[tuple[int, str]]:
        rows = await self.story.rows("SELECT amount_minor, state FROM refunds ORDER BY id")
        return [(row["amount_minor"], row["state"]) for row in rows]


async def claimed(case: Case) -> int:
    order = await case.story.load(case.order.id)
    async with case.story.ctx.database.transaction(case.story.shop) as tx:
        assert await check_orders(tx, [order.id]) == []
    return order.lines[0].claimed


async def again(case: Case) -> str:
    """How another return of the same goods is answered."""
    with pytest.raises(ReturnsError) as refused:
        await case.story.open(case.order, {"coat": 1})
    return refused.value.code


@pytest.fixture
async def case(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    order = await story.order(goods("coat", COSTLY))
    ret = await story.open(order, {"coat": 1})
    async with a_desk(story, postgres.url(story_database, user=APP_ROLE), order) as desk:
        await desk.do("agent", f"{ret_path(ret.id)}/reject", NO)
        yield Case(story, order, ret, desk)


async def test_evidence_ruling_and_silence_pay_once(case: Case) -> None:
    """No money before the time to appeal is over; then what was awarded, once."""
    made = await case.open()
    assert names(await case.seen("buyer", made)) == ["add_evidence", "withdraw"]
    assert names(await case.seen("platform", made)) == [], "only one side was heard"
    ruled = await case.act("agent", made, "add_evidence", SAYS)
    assert [each["party"] for each in ruled["statements"]] == ["buyer", "merchant"]
    await case.act("platform", made, "begin_review")
    ruled = await case.act("platform", made, "rule", {"award": 20000, "reason": "Shared."})
    assert (ruled["state"], ruled["award"]) == ("ruled", 20000)
    await case.story.drain(days=6)
    assert await case.money() == []
    await case.story.drain(days=2)
    assert await case.money() == [(20000, "succeeded")]
    final = await case.seen("buyer", made)
    assert (final["state"], final["actions"]) == ("final", [])
    assert final["refund"] is not None
    shown = await case.desk.get("buyer", case.path)
    assert (shown["state"], shown["money"]["refunded"]) == ("rejected", 20000)
    await case.story.drain(days=60)
    assert len(await case.money()) == 1
    assert await case.story.happened(case.ret.id) == [
        "return.opened",
        "return.rejected",
        "return.disputed",
    ]


async def test_a_buyer_is_told_what_they_put_forward_until_they_are_erased(case: Case) -> None:
    """Their own words, and nobody else's."""
    await case.ruled(10000)
    person = {"email": "anna@example.com"}
    told = await case.desk.send("admin", "/v1/admin/people/export", person)
    (ret,) = [each for order in told.json()["orders"] for each in order["returns"]]
    assert ret["statements"] == ["It came with the stain on it."]
    await case.desk.send("admin", "/v1/admin/people/erase", person)
    rows = await case.story.rows("SELECT ruling FROM disputes")
    assert [row["ruling"] for row in rows] == [None]


async def test_one_appeal_ruled_by_somebody_else_is_final(case: Case) -> None:
    ruled = await case.ruled(0)
    appealed = await case.act("buyer", ruled, "appeal", {"statement": "Look at the date."})
    assert (appealed["state"], appealed["appealed_by"]) == ("appealed", "buyer")
    assert "rule" not in names(await case.seen("platform", ruled)), "not the own ruling"
    refused = await case.desk.send(
        "platform", f"/v1/disputes/{ruled['dispute']}/rule", {"award": 1, "reason": "x"}
    )
    assert refused.json()["code"] == "action_not_allowed"
    body = {"award": 30000, "reason": "The date shows it."}
    path = f"/v1/disputes/{ruled['dispute']}/rule"
    answers = await asyncio.gather(
        *(case.desk.send("other_platform", path, body) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    await case.story.drain()
    assert await case.money() == [(30000, "succeeded")]
    again = await case.desk.send("agent", f"/v1/disputes/{ruled['dispute']}/appeal", SAYS)
    assert (again.status_code, again.json()["allowed"]) == (409, [])


async def test_contested_goods_are_returned_or_awarded_and_never_both(case: Case) -> None:
    """What was rejected can come back in another return, but not while it is contested, and not
    once a ruling gave money for it."""
    made = await case.open()
    assert (await claimed(case), await again(case)) == (1, "nothing_left_to_return")
    await case.act("buyer", made, "withdraw")
    assert await claimed(case) == 0
    other = await case.story.open(case.order, {"coat": 1})
    await case.desk.do("agent", f"{ret_path(other.id)}/reject", NO)
    case.ret = other
    await case.ruled(30000)
    await case.story.drain(days=8)
    assert await case.money() == [(30000, "succeeded")]
    assert (await claimed(case), await again(case)) == (1, "nothing_left_to_return")


async def test_what_is_in_another_return_is_not_contested_and_lost_goods_are_free(
    case: Case,
) -> None:
    first = case.ret
    other = await case.story.open(case.order, {"coat": 1})
    body = {"claim": 1, "statement": "Both."}
    refused = await case.desk.send("buyer", f"{case.path}/disputes", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    await case.desk.do("buyer", f"{ret_path(other.id)}/cancel")
    case.ret = first
    await case.ruled(0)
    assert await claimed(case) == 1
    await case.story.drain(days=8)
    assert (await claimed(case), await case.money()) == (0, [])


@pytest.fixture
async def partly(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    """A return of two coats and a lamp, of which the lamp was taken back and paid."""
    order = await story.order(goods("coat", COSTLY, 2), goods("lamp", COSTLY))
    ret = await story.open(order, {"coat": 2, "lamp": 1}, method="in_store")
    coat = next(line for line in ret.lines if line.external_id == "coat")
    async with a_desk(story, postgres.url(story_database, user=APP_ROLE), order) as desk:
        body = {**NO, "lines": [ids.encode("rl", coat.id)]}
        await desk.do("agent", f"{ret_path(ret.id)}/reject", body)
        await desk.do("agent", f"{ret_path(ret.id)}/approve", {})
        await story.receive(ret, {"lamp": 1})
        await story.inspect(ret, ("lamp", "sealed"))
        await story.drain()
        yield Case(story, order, ret, desk)


async def test_rejected_goods_of_a_return_that_was_settled_are_held_while_it_is_contested(
    partly: Case,
) -> None:
    made = await partly.open(COSTLY)
    assert (await claimed(partly), await again(partly)) == (2, "nothing_left_to_return")
    await partly.act("buyer", made, "withdraw")
    assert await claimed(partly) == 0
    await partly.story.open(partly.order, {"coat": 2})


async def test_rejected_goods_that_a_ruling_paid_do_not_come_back(partly: Case) -> None:
    """One of the two is in another return by then: that may be contested all the same."""
    await partly.story.open(partly.order, {"coat": 1})
    await partly.ruled(30000)
    assert (await claimed(partly), await again(partly)) == (2, "nothing_left_to_return")
    await partly.story.drain(days=8)
    assert await partly.money() == [(COSTLY, "succeeded"), (30000, "succeeded")]
    assert (await claimed(partly), await again(partly)) == (2, "nothing_left_to_return")


async def test_without_an_award_the_rejected_goods_are_free_again(partly: Case) -> None:
    await partly.ruled(0)
    await partly.story.drain(days=8)
    assert (await claimed(partly), await partly.money()) == (0, [(COSTLY, "succeeded")])


async def test_a_dispute_and_another_return_at_once_have_the_unit_once(case: Case) -> None:
    quote = await case.story.quote(case.order, {"coat": 1})
    claim = {"claim": 1, "statement": "Both at once."}
    coat = {"line": ids.encode("li", case.order.lines["coat"]), "evidence": []}
    body = {"quote": ids.encode("qt", quote.id), "lines": [coat]}
    answers = await asyncio.gather(
        *(case.desk.send("buyer", f"{case.path}/disputes", claim) for _ in range(4)),
        *(case.desk.send("buyer", "/v1/returns", body) for _ in range(4)),
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert await claimed(case) == 1


async def test_a_ruling_for_the_merchant_moves_nothing(case: Case) -> None:
    ruled = await case.ruled(0)
    await case.story.drain(days=30)
    assert (await case.seen("buyer", ruled))["state"] == "final"
    assert await case.money() == []


async def test_silence_of_every_side_is_written_down(case: Case) -> None:
    """Evidence closes by itself; a platform that does not rule is told of it; an appeal that
    nobody rules on leaves the first ruling."""
    made = await case.open()
    await case.story.drain(days=8)
    assert (await case.seen("platform", made))["state"] == "review"
    await case.story.drain(days=15)
    ruled = await case.act("platform", made, "rule", {"award": 100, "reason": "Late."})
    await case.act("agent", ruled, "appeal", SAYS)
    await case.story.drain(days=31)
    assert await case.money() == [(100, "succeeded")]
    rows = await case.story.rows(
        "SELECT type FROM events WHERE resource_type = 'dispute' ORDER BY sequence"
    )
    assert [row["type"] for row in rows] == [
        "dispute.opened",
        "dispute.review_begun",
        "dispute.overdue",
        "dispute.ruled",
        "dispute.appealed",
        "dispute.final",
    ]


async def test_the_window_closes_and_one_dispute_is_all(case: Case) -> None:
    made = await case.open()
    await case.act("buyer", made, "withdraw")
    assert "dispute" not in names(await case.desk.get("buyer", case.path))
    body = {"claim": 1, "statement": "Again."}
    again = await case.desk.send("buyer", f"{case.path}/disputes", body)
    assert (again.status_code, again.json()["code"]) == (409, "action_not_allowed")


async def test_after_the_window_nothing_can_be_contested(case: Case) -> None:
    case.story.clock.forward(days=14)
    body = {"claim": 1, "statement": "Too late."}
    late = await case.desk.send("buyer", f"{case.path}/disputes", body)
    assert (late.status_code, late.json()["code"]) == (409, "action_not_allowed")
    await case.story.drain(days=1)
    shown = await case.desk.get("buyer", case.path)
    assert names(shown) == []
    assert shown["deadlines"][-1]["state"] == "passed"
    assert await case.story.happened(case.ret.id) == ["return.opened", "return.rejected"]


async def test_only_the_platform_rules_and_never_above_the_claim(case: Case) -> None:
    made = await case.open(500)
    path = f"/v1/disputes/{made['dispute']}/rule"
    body = {"award": 501, "reason": "x"}
    for who in ("buyer", "agent", "finance", "admin"):
        assert (await case.desk.send(who, path, body)).status_code == 403
    await case.story.drain(days=8)
    beyond = await case.desk.send("platform", path, body)
    assert (beyond.status_code, beyond.json()["code"]) == (409, "does_not_fit")
    claim = {"claim": COSTLY + 1, "statement": "All and more."}
    more = await case.desk.send("buyer", f"{case.path}/disputes", claim)
    assert more.json()["code"] in {"action_not_allowed", "nothing_left_to_refund"}
    key = {"role": "platform", "label": "mine"}
    assert (await case.desk.send("admin", "/v1/admin/keys", key)).status_code == 422
