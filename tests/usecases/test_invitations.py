"""A check-in after delivery and an invitation after a good return: once, and never in a quarrel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from returns_api.domain.access import Role
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import complaints, deadlines
from returns_api.usecases._acting import Acting
from returns_api.usecases.opt_outs import opt_out
from returns_api.usecases.shops import change_shop, view_shop
from tests.support.mailbox import Mailbox, a_mailbox, text_of
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order
from tests.usecases.test_notifications import link_of, set_up

REVIEWS = "https://shop.example/reviews"
ASKS = {"check_in_days": 7, "review_days": 2, "review_url": REVIEWS}


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with a_mailbox() as running:
        yield running


@pytest.fixture
async def asking(story: Story, mailbox: Mailbox) -> Story:
    """A story whose shop asks its buyers how it was, by e-mail."""
    await story.connect("mail", "messaging", "smtp", mailbox.url, "")
    await set_up(story)
    await settle(story, **ASKS)
    return story


async def settle(story: Story, **settings: Any) -> None:
    version = (await view_shop(story.ctx, story.shop))["version"]
    changes = {"after_sales": settings}
    await change_shop(story.ctx, story.shop, SYSTEM, version, changes)


async def complain(story: Story, order: Order) -> Acting:
    buyer = story.who(Role.BUYER, order)
    by = By("buyer", buyer.credential_id)
    async with story.ctx.database.transaction(story.shop) as tx:
        made = await complaints.open_complaint(
            tx, story.ctx, buyer, by, order.id, return_id=None, category="goods", text="It smells."
        )
    return Acting(buyer, by, made.id)


def asked(mailbox: Mailbox) -> list[str]:
    return [kind for kind in mailbox.kinds if kind.startswith("order.")]


async def standing(story: Story) -> list[tuple[str, str]]:
    rows = await story.rows(
        "SELECT kind, state FROM order_deadlines WHERE object = 'invitation' ORDER BY kind, due_at"
    )
    return [(row["kind"], row["state"]) for row in rows]


async def test_a_check_in_comes_once_after_the_last_parcel_and_late_after_a_downtime(
    asking: Story, mailbox: Mailbox
) -> None:
    order = await asking.order(goods("coat", 5000), goods("hat", 900))  # three days ago
    await asking.send(order.name, {"hat": 1}, parcel="f2", delivered=timedelta(days=1))
    await asking.drain(days=5)
    assert asked(mailbox) == []
    asking.clock.forward(days=11)  # nobody swept
    for _ in range(2):
        await deadlines.keep_order_deadlines(asking.ctx, asking.shop, order.id)
    await asking.drain()
    await asking.send(order.name, {"coat": 1}, parcel="f3", delivered=timedelta(0))
    await asking.drain(days=30)
    assert asked(mailbox) == ["order.check_in"]
    assert str(mailbox.received[0]["Subject"]) == "Ist mit Ihrer Bestellung #1001 alles in Ordnung?"
    assert await standing(asking) == [("check_in", "passed")]
    events = [row for row in await asking.events(order.id) if row["type"] == "order.check_in"]
    assert len(events) == 1
    await settle(asking, **{**ASKS, "check_in_days": None})
    await asking.order(goods("glove", 900))
    assert await standing(asking) == [("check_in", "passed")]


async def test_no_question_while_a_case_is_open_and_none_to_who_opted_out(
    asking: Story, mailbox: Mailbox
) -> None:
    order, other = await asking.order(goods("coat", 5000)), await asking.order(goods("hat", 900))
    who = await complain(asking, order)
    ret = await asking.open(other, {"hat": 1})
    await asking.drain(days=6)
    await asking.drain(days=3)
    assert asked(mailbox) == []
    assert await standing(asking) == [("check_in", "open")] * 2
    async with asking.ctx.database.transaction(asking.shop) as tx:
        await complaints.act(tx, asking.ctx, who, "withdraw")
    await asking.drain(days=1)
    assert asked(mailbox) == ["order.check_in"]
    (row,) = await asking.rows("SELECT event_id FROM notifications WHERE kind = 'order.check_in'")
    signature = link_of(mailbox)["signature"]
    await opt_out(asking.ctx, asking.shop, row["event_id"], "email", signature)
    await asking.bring_back(ret)
    await asking.drain()
    await asking.drain(days=5)
    assert asked(mailbox) == ["order.check_in"]
    rows = await asking.rows(
        "SELECT kind, reason FROM notifications WHERE kind LIKE 'order.%' AND state = 'suppressed'"
    )
    assert {(row["kind"], row["reason"]) for row in rows} == {
        ("order.check_in", "opted_out"),
        ("order.review_invited", "opted_out"),
    }


async def done(story: Story, order: Order, grade: str = "sealed") -> ReturnRecord:
    ret = await story.open(order, {"coat": 1})
    await story.drain()
    await story.bring_back(ret, grade)
    await story.drain()
    return ret


async def test_a_review_is_asked_for_after_a_good_return_alone(
    asking: Story, mailbox: Mailbox
) -> None:
    await settle(asking, review_days=2, review_url=REVIEWS)
    good, worn, quarrel = [await asking.order(goods("coat", 5000)) for _ in range(3)]
    await done(asking, good)
    await done(asking, worn, "used_worn")
    await done(asking, quarrel)
    who = await complain(asking, quarrel)
    assert await standing(asking) == [("review", "open")] * 3
    await asking.drain(days=1)
    assert asked(mailbox) == []
    await asking.drain(days=2)
    assert asked(mailbox) == ["order.review_invited"]
    (mail,) = (mail for mail in mailbox.received if "Wie war es" in str(mail["Subject"]))
    assert "#1001" in str(mail["Subject"])
    assert REVIEWS in text_of(mail)
    asking.clock.forward(days=6)
    async with asking.ctx.database.transaction(asking.shop) as tx:
        agent = Acting(asking.agent, By("agent"), who.target)
        await deadlines.keep_order_deadlines(asking.ctx, asking.shop, quarrel.id)
        await complaints.act(tx, asking.ctx, agent, "resolve", "Sorry.")
    async with asking.ctx.database.transaction(asking.shop) as tx:
        await complaints.act(tx, asking.ctx, who, "rate", "Too late.", score=2)
    await asking.drain(days=40)
    assert asked(mailbox) == ["order.review_invited"]
    assert sorted(await standing(asking)) == [
        ("review", "dropped"),
        ("review", "dropped"),
        ("review", "passed"),
    ]
