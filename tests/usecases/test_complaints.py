"""Complaints over HTTP: promised, worked on, overdue by themselves, answered, rated once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from returns_api.domain import ids
from returns_api.domain.errors import Conflict
from returns_api.domain.events import SYSTEM
from returns_api.usecases import notification_settings, policies, reports
from returns_api.usecases.notification_settings import NotificationValues
from returns_api.usecases.people import erase_by_email
from returns_api.usecases.reports import Question
from returns_api.usecases.shops import view_shop
from returns_api.worker import sweep
from returns_api.worker.jobs import KINDS
from tests.support.desk import Desk, a_desk, names
from tests.support.mailbox import Mailbox, a_mailbox, text_of
from tests.support.postgres import APP_ROLE, PostgresForTests
from tests.support.story import POLICY, Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order
from tests.usecases.test_notifications import SENDER

SECRET = "he always complains"


@dataclass
class Case:
    """An order, and a second one of another buyer's, with the people over HTTP."""

    story: Story
    orders: tuple[Order, Order]
    desk: Desk

    async def opened(self, order: int = 0, **more: Any) -> dict[str, Any]:
        body = {"category": "service", "text": "Nobody answers me.", **more}
        body["order"] = ids.encode("ord", self.orders[order].id)
        return await self.desk.do("buyer" if not order else "buyer1", "/v1/complaints", body)

    async def seen(self, made: dict[str, Any], who: str = "buyer") -> dict[str, Any]:
        return await self.desk.get(who, f"/v1/complaints/{made['complaint']}")

    async def act(self, who: str, made: dict[str, Any], action: str, **body: Any) -> dict[str, Any]:
        shown = await self.seen(made, who)
        return await self.desk.follow(who, shown, action, body or None)

    async def told(self, made: dict[str, Any]) -> list[str]:
        found = ids.decode("cpl", made["complaint"])
        assert found is not None
        return [name.removeprefix("complaint.") for name in await self.story.happened(found)]


@pytest.fixture
async def case(
    story: Story, postgres: PostgresForTests, story_database: str
) -> AsyncIterator[Case]:
    orders = await story.order(goods("coat", 5000)), await story.order(goods("hat", 900))
    async with a_desk(story, postgres.url(story_database, user=APP_ROLE), *orders) as desk:
        yield Case(story, orders, desk)


async def test_a_complaint_from_its_promise_to_the_score(case: Case) -> None:
    """A Saturday: three business days later is the end of Wednesday. A question stops the clock."""
    made = await case.opened()
    assert (made["state"], made["promised_by"]) == ("open", "2026-11-25T23:00:00Z")
    assert names(made) == ["withdraw"]
    assert names(await case.seen(made, "agent")) == ["progress", "ask", "resolve"]
    await case.act("agent", made, "progress", text="We look into it.")
    await case.act("agent", made, "ask", text="Which number did you call?")
    await case.story.drain(days=5)
    assert (await case.seen(made))["state"] == "waiting"
    after = await case.act("buyer", made, "answer", text="The one on the label.")
    assert (after["state"], after["promised_by"]) == ("in_progress", "2026-11-30T23:00:00Z")
    after = await case.act("agent", made, "resolve", text="It was switched off; it works now.")
    assert after["answer"] == "It was switched off; it works now."
    after = await case.act("buyer", made, "reopen", text="It does not.")
    assert (after["state"], after["reopened"]) == ("in_progress", 1)
    assert after["promised_by"] == "2026-12-01T23:00:00Z"  # from Thursday, the 26th
    await case.act("agent", made, "resolve", text="Now it does.")
    await case.story.drain(days=8)
    closed = await case.seen(made)
    assert (closed["state"], names(closed)) == ("closed", ["rate"])
    rated = await case.act("buyer", made, "rate", score=4, text="In the end.")
    assert rated["satisfaction"] == {"score": 4, "text": "In the end."}
    path = f"/v1/complaints/{made['complaint']}"
    again = await case.desk.send("buyer", f"{path}/rate", {"score": 1})
    assert (again.status_code, again.json()["allowed"]) == (409, [])
    await case.story.drain(days=60)
    assert (await case.seen(made))["state"] == "rated"
    said = (await case.desk.get("buyer", f"{path}/messages"))["items"]
    assert [each["party"] for each in said] == [
        "buyer", "merchant", "merchant", "buyer", "merchant", "buyer", "merchant", "buyer",
    ]  # fmt: skip
    assert said[0]["text"] == made["text"] == "Nobody answers me."
    assert await case.told(made) == [
        "opened", "progress", "info_requested", "info_provided", "resolved", "reopened",
        "resolved", "closed", "rated",
    ]  # fmt: skip


async def test_an_overdue_one_surfaces_by_itself_however_late_the_sweep(case: Case) -> None:
    first = await case.opened()
    other = await case.opened(1)
    await case.desk.do("agent", f"/v1/complaints/{other['complaint']}/resolve", {"text": "Done."})
    await case.story.drain(days=3)
    assert (await case.desk.get("agent", "/v1/complaints?state=escalated"))["items"] == []
    await case.story.drain(days=30)
    queue = (await case.desk.get("agent", "/v1/complaints?state=escalated"))["items"]
    assert [each["complaint"] for each in queue] == [first["complaint"]]
    assert queue[0]["escalated_at"] == "2026-12-24T09:12:44Z"
    assert queue[0]["waiting_for"] == {"who": "admin", "to": "resolve"}
    assert await case.told(first) == ["opened", "escalated"]
    await case.story.drain(days=9)
    await case.story.drain(days=9)
    assert await case.told(first) == ["opened", "escalated", "overdue"]
    assert (await case.act("agent", first, "resolve", text="Sorry."))["state"] == "resolved"
    await case.story.drain(days=40)
    await case.story.drain(days=40)
    assert (await case.seen(first))["state"] == "unrated"
    assert await case.told(other) == ["opened", "resolved", "closed", "unrated"]


async def test_the_calendar_is_the_policy_s_and_the_days_are_the_shop_s(case: Case) -> None:
    draft = await policies.draft_policy(
        case.story.ctx,
        case.story.shop,
        SYSTEM,
        POLICY.replace("currency: EUR", "currency: EUR\nholidays: [2026-11-24]"),
    )
    await policies.publish_policy(
        case.story.ctx, case.story.shop, SYSTEM, draft["id"], effective_from=None, acknowledge="x"
    )
    made = await case.opened()
    assert made["promised_by"] == "2026-11-26T23:00:00Z"
    version = (await view_shop(case.story.ctx, case.story.shop))["version"]
    wanted = {"after_sales": {"complaint_answer_days": 1}}
    answer = await case.desk.people["admin"].patch(
        "/v1/admin/shop", json=wanted, headers={"If-Match": f'"{version}"'}
    )
    assert answer.json()["after_sales"] == {**answer.json()["after_sales"], **wanted["after_sales"]}
    made = await case.opened()
    assert made["promised_by"] == "2026-11-23T23:00:00Z"
    for _ in range(3):
        await case.opened()
    order = ids.encode("ord", case.orders[0].id)
    body = {"order": order, "category": "other", "text": "Once more."}
    assert (await case.desk.send("buyer", "/v1/complaints", body)).status_code == 409
    await case.act("buyer", made, "withdraw")
    foreign = await case.story.open(case.orders[1], {"hat": 1})
    body["return"] = ids.encode("ret", foreign.id)
    refused = await case.desk.send("agent", "/v1/complaints", body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "return")


async def test_notes_stay_with_the_staff_and_words_go_with_the_person(case: Case) -> None:
    ret = await case.story.open(case.orders[0], {"coat": 1})
    made = await case.opened(0, **{"return": ids.encode("ret", ret.id)})
    path = f"/v1/complaints/{made['complaint']}"
    await case.desk.do("agent", f"{path}/notes", {"text": SECRET})
    await case.desk.do("agent", f"{path}/messages", {"text": "We are on it."})
    await case.act("agent", made, "resolve", text="Dear Anna, done.")
    timeline = f"/v1/returns/{ids.encode('ret', ret.id)}/events"
    staff = {"agent", "warehouse", "finance", "admin"}
    for who in (*staff, "buyer", "buyer1", "platform"):
        for place in (path, f"{path}/messages", f"{path}/notes", "/v1/complaints", timeline):
            answer = await case.desk.people[who].get(place)
            assert (SECRET in answer.text) is (place.endswith("notes") and who in staff), who
            if who == "buyer":
                assert "note.added" not in answer.text
            if who == "buyer1":
                assert answer.status_code in {403, 404} or answer.json()["items"] == []
    assert "complaint.resolved" in (await case.desk.people["buyer"].get(timeline)).text
    told = await case.desk.do("admin", "/v1/admin/people/export", {"email": "anna@example.com"})
    said = [each for order in told["orders"] for each in order["messages"]]
    assert said[0]["text"] == "Nobody answers me."
    assert {each["complaint"] for each in said} == {made["complaint"]}
    await erase_by_email(case.story.ctx, case.story.shop, "anna@example.com")
    shown = await case.seen(made, "agent")
    assert (shown["text"], shown["answer"], shown["state"]) == (None, None, "resolved")
    kept = await case.story.rows("SELECT convert_from(body, 'UTF8') AS body FROM idempotency_keys")
    assert "We are on it." not in str([row["body"] for row in kept])
    for table in ("events", "idempotency_keys"):
        rows = await case.story.rows(f"SELECT * FROM {table}")
        assert "Anna" not in str([dict(row) for row in rows]), table


async def test_the_report_is_the_one_counted_by_hand(case: Case) -> None:
    """Four about service: one withdrawn, one late and rated 5, one answered twice and rated 2, one
    under way. One about goods, answered after an hour."""
    gone, late, twice = [await case.opened() for _ in range(3)]
    await case.opened(1)
    goods_ = await case.opened(1, category="goods")
    await case.act("buyer", gone, "withdraw")
    case.story.clock.forward(hours=1)
    await case.desk.do("agent", f"/v1/complaints/{goods_['complaint']}/resolve", {"text": "So."})
    await case.act("agent", twice, "resolve", text="One.")
    await case.act("buyer", twice, "reopen", text="No.")
    case.story.clock.forward(hours=1)
    await case.act("agent", twice, "resolve", text="Two.")
    await case.act("buyer", twice, "rate", score=2)
    await case.story.drain(days=6)
    await case.act("agent", late, "resolve", text="Late.")
    await case.act("buyer", late, "rate", score=5, text="Well.")
    asked = Question(date(2026, 11, 1), date(2026, 12, 31))
    ctx, shop = case.story.ctx, case.story.shop
    with suppress(Conflict):
        await reports.view_report(ctx, shop, "complaints", asked)
    await sweep.drain(ctx, {"roll_up_reports": KINDS["roll_up_reports"]})
    rows = (await reports.view_report(ctx, shop, "complaints", asked)).rows
    hour, day = 3600, 86_400
    assert rows == [
        {
            "category": "service", "complaints": 4, "under_way": 1, "escalated": 2, "reopened": 1,
            "resolved": 2, "seconds": 2 * hour + 6 * day + 2 * hour, "rated": 2, "score_total": 7,
            "satisfied": 1, "breach_rate": 500_000,
            "mean_seconds": (4 * hour + 6 * day) // 2, "satisfied_rate": 500_000,
        },
        {
            "category": "goods", "complaints": 1, "under_way": 1, "escalated": 0, "reopened": 0,
            "resolved": 1, "seconds": hour, "rated": 0, "score_total": 0, "satisfied": 0,
            "breach_rate": 0, "mean_seconds": hour, "satisfied_rate": None,
        },
    ]  # fmt: skip


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with a_mailbox() as running:
        yield running


async def test_the_buyer_is_told_what_was_said_and_by_when(case: Case, mailbox: Mailbox) -> None:
    story = case.story
    await story.connect("mail", "messaging", "smtp", mailbox.url, "")
    values = NotificationValues(SENDER, True, ("complaint.progress",))
    await notification_settings.put_settings(story.ctx, story.shop, SYSTEM, "mail", values, None)
    made = await case.opened()
    await case.act("agent", made, "progress", text="Switched off.")
    await story.drain()
    await case.act("agent", made, "ask", text="Which <one>?")
    await story.drain()
    await case.act("buyer", made, "answer", text="This.")
    await case.act("agent", made, "resolve", text="Solved.")
    await story.drain()
    await story.drain(days=8)
    kinds = ["opened", "info_requested", "resolved", "closed"]
    assert mailbox.kinds == [f"complaint.{kind}" for kind in kinds]
    opened, asked, resolved, _ = (text_of(mail) for mail in mailbox.received)
    assert "bis zum 2026-11-25" in opened
    assert "Which <one>?" in asked
    assert "bis zum 2026-12-05" in asked
    assert "Solved." in resolved
