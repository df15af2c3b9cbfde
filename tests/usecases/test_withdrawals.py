"""The withdrawal function: two steps, an acknowledgement for ever, a return if one can be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from returns_api.db import erasure
from returns_api.domain.access import Principal, Role
from returns_api.domain.errors import ActionNotAllowed, DoesNotFit, NotFound
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.withdrawals import WithdrawnLine
from returns_api.ports.messaging import Sender
from returns_api.usecases import withdrawals
from returns_api.usecases.notification_settings import NotificationValues, put_settings
from returns_api.usecases.withdrawals import WithdrawalView
from tests.support.mailbox import Mailbox, a_mailbox, text_of
from tests.support.story import Story
from tests.support.story_orders import BUYER, freight, goods
from tests.support.story_scene import Order

GERMAN = replace(BUYER, country="DE", city="Berlin", postcode="10115")
CONTACT = "anna.private@example.org"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with a_mailbox() as running:
        yield running


async def an_order(story: Story, *lines: Any, **more: Any) -> Order:
    return await story.order(
        *(lines or (goods("hat", 2_000, 2), freight(490))),
        **{"buyer": GERMAN, **more},
    )


def by_of(person: Principal) -> By:
    return By(person.role.value, person.credential_id)


async def submit(
    story: Story, order: Order, person: Principal, *lines: tuple[str, int]
) -> WithdrawalView:
    named = [WithdrawnLine(order.lines[name], count) for name, count in lines]
    async with story.ctx.database.transaction(story.shop) as tx:
        return await withdrawals.submit_withdrawal(
            tx,
            story.ctx,
            person,
            by_of(person),
            order.id,
            name="Anna Weber",
            contact=CONTACT,
            lines=named,
        )


async def confirm(story: Story, person: Principal, withdrawal: UUID) -> WithdrawalView:
    async with story.ctx.database.transaction(story.shop) as tx:
        return await withdrawals.confirm_withdrawal(
            tx, story.ctx, person, by_of(person), withdrawal
        )


async def withdraw(story: Story, order: Order, *lines: tuple[str, int]) -> WithdrawalView:
    """Both steps, and what follows."""
    person = story.who(Role.BUYER, order)
    made = await submit(story, order, person, *lines)
    story.clock.forward(seconds=90)
    await confirm(story, person, made.row["id"])
    await story.drain()
    return await withdrawals.get_withdrawal(story.ctx, story.agent, made.row["id"])


async def test_two_steps_an_acknowledgement_and_a_return(story: Story, mailbox: Mailbox) -> None:
    await story.connect("mail", "messaging", "smtp", mailbox.url, "")
    values = NotificationValues(Sender("r@shop.example", "Field & Loom"), True, ("return.opened",))
    await put_settings(story.ctx, story.shop, SYSTEM, "mail", values, None)
    order = await an_order(story)
    person = story.who(Role.BUYER, order)
    made = await submit(story, order, person)
    assert (made.row["state"], made.text) == ("submitted", None)
    submitted = story.clock()
    await story.drain()
    assert mailbox.received == [], "nothing follows before it is confirmed"
    confirmed_at = story.clock.forward(seconds=90)
    confirmed = await confirm(story, person, made.row["id"])
    assert confirmed.row["acknowledged_at"] == confirmed_at
    assert confirmed.text is not None
    for part in ("Anna Weber", CONTACT, "2 × hat", "#1001", "10:12:44+01:00", "10:14:14+01:00"):
        assert part in confirmed.text, confirmed.text
    assert submitted.isoformat() == confirmed.row["body"]["submitted_at"]
    await story.drain()
    (mail,) = [each for each in mailbox.received if "withdrawal" in str(each["Message-ID"])]
    assert (mail["To"], mail["List-Unsubscribe"]) == (CONTACT, None)
    assert mail["Subject"] == "Wir haben Ihren Widerruf der Bestellung #1001 erhalten"
    assert text_of(mail).split() == confirmed.text.split()
    after = await withdrawals.get_withdrawal(story.ctx, person, made.row["id"])
    assert after.row["state"] == "opened"
    (row,) = await story.rows("SELECT * FROM returns")
    assert (row["id"], row["opened_by"]) == (after.row["return_id"], "buyer")
    freight_back, freight_home = 490, 490
    assert row["expected_minor"] == 4_000 + freight_back - freight_home, "the first is the law's"
    (line,) = await story.rows("SELECT reason, quantity FROM return_lines")
    assert tuple(line) == ("withdrawal", 2)
    assert await story.happened(made.row["id"]) == [
        "withdrawal.submitted",
        "withdrawal.confirmed",
        "withdrawal.opened",
    ]


async def test_it_counts_once_and_never_changes(story: Story) -> None:
    order = await an_order(story)
    person = story.who(Role.BUYER, order)
    made = await submit(story, order, person, ("hat", 1))
    await confirm(story, person, made.row["id"])
    with pytest.raises(ActionNotAllowed):
        await confirm(story, person, made.row["id"])
    await story.drain()
    for _ in range(2):
        await withdrawals.open_withdrawn(story.ctx, story.shop, made.row["id"])
    assert len(await story.rows("SELECT id FROM returns")) == 1
    for change in ("UPDATE {} SET body = '{{}}'", "DELETE FROM {}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await story.rows(change.format("withdrawal_acknowledgements"))


async def test_only_what_can_come_back_is_opened(story: Story) -> None:
    order = await an_order(story, goods("hat", 2_000, 2), goods("sock", 500))
    await story.open(order, {"hat": 1})
    after = await withdraw(story, order)
    lines = await story.rows(
        "SELECT quantity FROM return_lines WHERE return_id = $1 ORDER BY position",
        after.row["return_id"],
    )
    assert [row["quantity"] for row in lines] == [1, 1]
    assert [line["quantity"] for line in after.row["lines"]] == [2, 1], "the statement stays whole"
    again = await withdraw(story, order)
    assert (again.row["state"], again.row["problem"]) == ("unopened", "nothing_to_return")


async def test_a_withdrawal_before_the_goods_came_stands(story: Story) -> None:
    after = await withdraw(story, await an_order(story, delivered=None))
    assert (after.row["state"], after.row["problem"]) == ("unopened", "nothing_to_return")
    assert after.text is not None
    assert await story.rows("SELECT id FROM returns") == []


async def test_what_does_not_fit(story: Story) -> None:
    order, other = await an_order(story), await an_order(story)
    person = story.who(Role.BUYER, order)
    for wrong in ([("hat", 3)], [("hat", 1), ("hat", 1)], [("ship", 1)]):
        with pytest.raises(DoesNotFit):
            await submit(story, order, person, *wrong)
    with pytest.raises(NotFound):
        await submit(story, other, person)
    made = await submit(story, order, person)
    with pytest.raises(NotFound):
        await confirm(story, story.who(Role.BUYER, other), made.row["id"])


async def test_an_erased_person_leaves_the_fact_behind(story: Story) -> None:
    order = await an_order(story)
    after = await withdraw(story, order)
    async with story.ctx.database.transaction(story.shop) as tx:
        await erasure.erase_person(tx, order.id, story.clock())
    left = await withdrawals.get_withdrawal(story.ctx, story.agent, after.row["id"])
    assert (left.row["name"], left.row["contact"]) == (None, None)
    assert left.row["seal"] == after.row["seal"]
    assert left.text is not None
    assert "2 × hat" in left.text
    kept = await story.rows("SELECT * FROM withdrawal_acknowledgements")
    assert "Anna" not in left.text + str(kept)
