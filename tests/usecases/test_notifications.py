"""Buyers are told of what happens, once, in their language, unless somebody does not want it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from returns_api.db import erasure
from returns_api.domain import ids
from returns_api.domain.access import Role
from returns_api.domain.events import SYSTEM
from returns_api.domain.notifications import untold
from returns_api.domain.orders import BuyerFacts
from returns_api.domain.return_plans import plan_approve, plan_reject, plan_request_info
from returns_api.ports.messaging import Sender
from returns_api.usecases import exchanges, notification_settings, notifications, returns
from returns_api.usecases.notification_settings import NotificationValues
from returns_api.usecases.opt_outs import opt_out, view_opt_out
from tests.support.mailbox import Mailbox, a_mailbox, text_of
from tests.support.story import Story
from tests.support.story_orders import BUYER, goods

SENDER = Sender("returns@shop.example", "Field & Loom", "help@shop.example")


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with a_mailbox() as running:
        yield running


@pytest.fixture
async def told(story: Story, mailbox: Mailbox) -> Story:
    """A story whose shop tells its buyers by e-mail."""
    await story.connect("mail", "messaging", "smtp", mailbox.url, "")
    await set_up(story)
    return story


async def set_up(story: Story, *off: str, version: int | None = None) -> None:
    values = NotificationValues(SENDER, True, off)
    await notification_settings.put_settings(story.ctx, story.shop, SYSTEM, "mail", values, version)


async def states(story: Story) -> list[tuple[str, str, str | None]]:
    rows = await story.rows("SELECT kind, state, reason FROM notifications ORDER BY event_id, kind")
    return [(row["kind"], row["state"], row["reason"]) for row in rows]


def subjects(mailbox: Mailbox) -> list[str]:
    return [str(mail["Subject"]) for mail in mailbox.received]


async def again(story: Story) -> None:
    """Every wake-up that there ever was, once more."""
    for row in await story.rows("SELECT DISTINCT event_id FROM notifications"):
        await notifications.send_notification(story.ctx, story.shop, row["event_id"])


def link_of(mailbox: Mailbox) -> dict[str, str]:
    found = re.fullmatch(r"<.*/notifications/(evt_\w+)/opt-out\?(.*)>",
                         str(mailbox.received[-1]["List-Unsubscribe"]))  # fmt: skip
    assert found is not None
    return {"event": found[1], **dict(part.split("=", 1) for part in found[2].split("&"))}


async def test_each_step_of_a_return_is_told_once(told: Story, mailbox: Mailbox) -> None:
    order = await told.order(goods("coat", 60_000))
    ret = await told.open(order, {"coat": 1})
    await told.drain()
    await told.act(ret, lambda r, by, now: plan_request_info(r, by, now, "Which <size>?"))
    await told.drain()
    assert mailbox.kinds == ["return.opened", "return.info_requested"]
    asked = mailbox.received[-1]
    assert asked["To"] == BUYER.email
    assert asked["Subject"] == f"Eine Frage zu Ihrer Rücksendung {ret.number}"
    assert "Guten Tag Anna Weber," in text_of(asked)
    assert "Which &lt;size&gt;?" in text_of(asked, "html")
    jacket = await told.order(goods("jacket", 9_900))
    second = await told.open(jacket, {"jacket": 1})
    await told.drain()
    await told.bring_back(second)
    await told.drain()
    await told.drain(seconds=60)
    assert sorted(mailbox.kinds[2:]) == [
        "refund.requested",
        "refund.succeeded",
        "return.inspected",
        "return.opened",
        "return.received",
        "shipment.label_ready",
    ]
    assert f"Ihre Rücksendung {second.number} ist genehmigt" in subjects(mailbox)
    assert "Ihre Erstattung von 94,10 EUR ist ausgeführt" in subjects(mailbox)
    before = len(mailbox.received)
    await again(told)
    await told.drain()
    assert len(mailbox.received) == before
    assert len({mail["Message-ID"] for mail in mailbox.received}) == before
    rows = await told.rows("SELECT * FROM notifications")
    assert "Anna" not in str(rows)
    assert "example" not in str(rows)


async def test_an_exchange_tells_what_there_is_to_decide_to_pay_and_to_expect(
    told: Story, mailbox: Mailbox
) -> None:
    order = await told.order(goods("coat", 9_000))
    made = await told.exchange(order, "coat")
    await told.take(made, exchanges.in_stock(9_900, None, None), told.agent)
    await told.drain()
    await told.drain(days=4, seconds=1)
    await told.take(made, exchanges.accepting, told.who(Role.BUYER, order))
    await told.bring_back((await returns.get_return(told.ctx, told.agent, made.return_id)).ret)
    await told.drain()
    kinds = ("deadline.approaching", "exchange.offered", "exchange.payment_due")
    assert [kind for kind in sorted(mailbox.kinds) if kind in kinds] == list(kinds)
    due = next(mail for mail in mailbox.received if "Umtausch" in str(mail["Subject"]))
    assert str(due["Subject"]).startswith("9,00 EUR für Ihren Umtausch")


async def test_what_could_not_be_sent_comes_later_and_what_was_refused_never(
    told: Story, mailbox: Mailbox
) -> None:
    mailbox.at_data = lambda _: "451 busy"
    order = await told.order(goods("hat", 2_000))
    await told.refund(order, 100)
    await told.drain()
    assert mailbox.received == []
    first = await told.rows("SELECT state, reason, due_at FROM notifications ORDER BY event_id")
    assert {(row["state"], row["reason"]) for row in first} == {("queued", "smtp_451")}
    mailbox.at_data = lambda _: "250 taken"
    await told.drain(minutes=10)
    assert sorted(mailbox.kinds) == ["refund.requested", "refund.succeeded"]
    mailbox.at_rcpt = lambda _: "550 nobody"
    await told.refund(order, 100)
    await told.drain(days=4)
    assert [state for state in await states(told) if state[1] != "sent"] == [
        ("refund.requested", "failed", "smtp_550"),
        ("refund.succeeded", "failed", "smtp_550"),
    ]
    assert len(mailbox.received) == 2


async def test_an_answer_that_got_lost_makes_a_copy_that_can_be_told(
    told: Story, mailbox: Mailbox
) -> None:
    await set_up(told, "refund.requested", version=1)
    mailbox.hang_up = True
    order = await told.order(goods("hat", 2_000))
    await told.refund(order, 100)
    await told.drain()
    assert await states(told) == [("refund.succeeded", "queued", "unknown")]
    mailbox.hang_up = False
    await told.drain(minutes=10)
    one, two = mailbox.received
    assert one["Message-ID"] == two["Message-ID"]
    assert one["Date"] == two["Date"]
    assert await states(told) == [("refund.succeeded", "sent", None)]


async def test_a_worker_that_fell_silent_writes_nothing(told: Story, mailbox: Mailbox) -> None:
    await set_up(told, "refund.requested", version=1)
    order = await told.order(goods("hat", 2_000))
    await told.refund(order, 100)
    mailbox.at_data = lambda _: "451 busy"
    await told.drain()
    (row,) = await told.rows("SELECT event_id FROM notifications")
    told.clock.forward(minutes=10)
    async with told.ctx.database.transaction(told.shop) as tx:
        (held,) = await notifications._hold(tx, told.ctx, row["event_id"])
    told.clock.forward(minutes=2)
    mailbox.at_data = lambda _: "250 taken"
    await notifications.send_notification(told.ctx, told.shop, row["event_id"])
    assert await states(told) == [("refund.succeeded", "sent", None)]
    async with told.ctx.database.transaction(told.shop) as tx:
        await notifications._write(tx, told.ctx, held, untold("over"))
    assert await states(told) == [("refund.succeeded", "sent", None)]
    assert len(mailbox.received) == 1


async def test_tries_end(told: Story, mailbox: Mailbox) -> None:
    await set_up(told, "refund.requested", version=1)
    mailbox.at_rcpt = lambda _: "450 greylisted"
    order = await told.order(goods("hat", 2_000))
    await told.refund(order, 100)
    for _ in range(15):
        await told.drain(days=1, hours=4)
    assert await states(told) == [("refund.succeeded", "failed", "smtp_450")]
    (row,) = await told.rows("SELECT attempt FROM notifications")
    assert row["attempt"] == 10


async def test_whoever_opts_out_is_left_alone(told: Story, mailbox: Mailbox) -> None:
    order = await told.order(goods("hat", 2_000))
    await told.refund(order, 100)
    await told.drain()
    assert len(mailbox.received) == 2
    # Two mails may leave in either order: the link says whose it is.
    link = link_of(mailbox)
    event, signature = ids.decode("evt", link["event"]), link["signature"]
    assert event is not None
    page = await view_opt_out(told.ctx, told.shop, event, "email", signature)
    assert '<form method="post">' in page
    for _ in range(2):
        assert "abbestellen" not in await opt_out(told.ctx, told.shop, event, "email", signature)
    other = await told.order(goods("hat", 2_000))
    await told.refund(other, 100)
    await told.drain()
    assert len(mailbox.received) == 2
    assert set((await states(told))[2:]) == {
        ("refund.requested", "suppressed", "opted_out"),
        ("refund.succeeded", "suppressed", "opted_out"),
    }


async def test_a_deadline_is_reminded_of_unless_it_was_kept(told: Story, mailbox: Mailbox) -> None:
    late = await told.open(await told.order(goods("hat", 2_000)), {"hat": 1})
    kept = await told.open(await told.order(goods("hat", 2_000)), {"hat": 1})
    await told.drain()
    mailbox.received.clear()
    await told.drain(days=10)
    assert mailbox.kinds == []
    await told.scan(kept, "in_transit")
    await told.drain(days=1, hours=1)
    assert mailbox.kinds == ["deadline.approaching"]
    assert late.number in text_of(mailbox.received[0])
    reminders = [each for each in await states(told) if each[0] == "deadline.approaching"]
    assert sorted(map(str, reminders)) == [
        "('deadline.approaching', 'sent', None)",
        "('deadline.approaching', 'suppressed', 'over')",
    ]


async def test_an_erased_person_is_told_nothing_more(told: Story, mailbox: Mailbox) -> None:
    order = await told.order(goods("hat", 2_000))
    await told.open(order, {"hat": 1})
    await told.drain()
    mailbox.received.clear()
    await told.refund(order, 100)
    async with told.ctx.database.transaction(told.shop) as tx:
        await erasure.erase_person(tx, order.id, told.clock())
    await told.drain(days=12)
    assert mailbox.received == []
    ended = {(state, reason) for _, state, reason in (await states(told))[2:]}
    assert ended <= {("suppressed", "erased"), ("sent", None)}
    assert "deadline.approaching" in {kind for kind, state, _ in await states(told)}


async def test_nobody_is_told_without_a_channel_or_an_address(
    told: Story, mailbox: Mailbox
) -> None:
    unknown = await told.order(goods("hat", 2_000), buyer=BuyerFacts())
    await told.refund(unknown, 100)
    await told.drain()
    assert {reason for _, _, reason in await states(told)} == {"no_address"}
    await notification_settings.put_settings(
        told.ctx, told.shop, SYSTEM, "mail", NotificationValues(SENDER, False, ()), 1
    )
    count = len(await states(told))
    await told.refund(unknown, 100)
    await told.drain()
    assert len(await states(told)) == count
    assert mailbox.received == []


async def test_decisions_are_told(told: Story, mailbox: Mailbox) -> None:
    one = await told.open(await told.order(goods("coat", 60_000)), {"coat": 1})
    two = await told.open(await told.order(goods("coat", 60_000)), {"coat": 1})
    await told.act(one, plan_approve)
    await told.act(two, lambda r, by, now: plan_reject(r, by, now, "worn"))
    await told.drain()
    assert {"return.approved", "return.rejected"} <= set(mailbox.kinds)


async def test_who_may_send_back_a_part_is_told_so(told: Story, mailbox: Mailbox) -> None:
    order = await told.order(goods("coat", 60_000), goods("hat", 60_000))
    ret = await told.open(order, {"coat": 1, "hat": 1})
    coat = ret.lines[0].id
    await told.act(ret, lambda r, by, now: plan_reject(r, by, now, "worn", None, [coat]))
    await told.act(ret, plan_approve)
    await told.drain()
    (mail,) = [
        each
        for each, kind in zip(mailbox.received, mailbox.kinds, strict=True)
        if kind == "return.approved"
    ]
    assert "Einen Teil der Waren haben wir nicht angenommen" in text_of(mail)
