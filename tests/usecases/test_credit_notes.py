"""Credit notes: with the money, without gaps, never changed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from returns_api.domain.access import Role
from returns_api.domain.errors import NotFound
from returns_api.usecases import credit_notes
from returns_api.worker import sweep
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import BUSINESS, Order


async def notes(story: Story) -> list[Any]:
    return await story.rows("SELECT * FROM credit_notes ORDER BY number")


async def said(story: Story) -> list[tuple[int, str, int]]:
    return [(row["number"], row["kind"], row["amount_minor"]) for row in await notes(story)]


async def an_order(story: Story, *paid: int) -> Order:
    return await story.order(goods("thing", sum(paid)), paid=paid)


async def test_a_return_gets_a_note_with_its_lines_when_its_money_arrived(story: Story) -> None:
    order = await story.order(goods("shirt", 20_00, 2), goods("belt", 5_00))
    ret = await story.open(order, {"shirt": 2}, method="in_store")
    await story.bring_back(ret)
    assert await notes(story) == [], "nothing arrived yet"
    await story.drain()
    (note,) = await notes(story)
    assert (note["number"], note["amount_minor"], note["order_id"]) == (1, 40_00, order.id)
    assert note["body"]["lines"] == [
        {"kind": "goods", "title": "shirt", "quantity": 2, "amount": 40_00, "tax_contained": 0}
    ]
    assert note["body"]["seller"]["name"] == "Field & Loom"
    assert note["body"]["order"] == "#1001"


async def test_many_at_once_are_numbered_without_gaps(story: Story) -> None:
    orders = [await an_order(story, 100_00) for _ in range(4)]
    for noted in (8, 16):
        await asyncio.gather(*(story.refund(order, 10_00) for order in orders for _ in range(2)))
        await story.drain()
        assert [number for number, _, _ in await said(story)] == list(range(1, noted + 1))


async def test_two_who_number_at_once_issue_each_note_once(story: Story) -> None:
    order = await an_order(story, 100_00)
    for _ in range(4):
        await story.refund(order, 10_00)
    await sweep.drain(story.ctx, BUSINESS)
    assert await notes(story) == []
    number = credit_notes.number_credit_notes
    await asyncio.gather(*(number(story.ctx, story.shop, story.shop) for _ in range(3)))
    await number(story.ctx, story.shop, story.shop)
    assert await said(story) == [(no, "credit_note", 10_00) for no in range(1, 5)]
    assert await credit_notes.due_credit_notes(story.ctx, 10) == []


async def test_what_bounced_before_it_was_noted_needs_no_note(story: Story) -> None:
    order = await an_order(story, 100_00)
    await story.refund(order, 30_00)
    await sweep.drain(story.ctx, BUSINESS)
    (made,) = await story.provider_list(order)
    await story.bank.settle(made.provider_refund_id, "failed")
    await story.provider_tells(order)
    await story.drain()
    assert await notes(story) == []


async def test_a_transaction_that_fails_gives_its_number_back(story: Story) -> None:
    await story.refund(await an_order(story, 100_00), 10_00)
    await story.drain()
    (note,) = await notes(story)

    async def draw_and_fail() -> None:
        async with story.ctx.database.transaction(story.shop) as tx:
            await tx.connection.execute("UPDATE number_series SET last_number = last_number + 1")
            raise LookupError

    with pytest.raises(LookupError):
        await draw_and_fail()
    await story.refund(await an_order(story, 100_00), 20_00)
    await story.drain()
    assert await said(story) == [(note["number"], "credit_note", 10_00), (2, "credit_note", 20_00)]


async def test_money_that_comes_back_cancels_its_note(story: Story) -> None:
    order = await an_order(story, 100_00)
    view = await story.refund(order, 30_00)
    await story.drain()
    (made,) = await story.provider_list(order)
    await story.bank.settle(made.provider_refund_id, "failed")
    await story.provider_tells(order)
    await story.drain()
    assert await said(story) == [(1, "credit_note", 30_00), (2, "cancellation", 30_00)]
    await story.retry(view.refund["id"])
    await story.drain()
    assert (await said(story))[2:] == [(3, "credit_note", 30_00)]


async def test_a_refund_along_two_payments_gets_one_note(story: Story) -> None:
    await story.refund(await an_order(story, 60_00, 40_00), 100_00)
    await story.drain()
    assert await said(story) == [(1, "credit_note", 100_00)]


async def test_a_part_that_arrived_is_noted_as_a_part(story: Story) -> None:
    order = await an_order(story, 60_00, 40_00)
    ret = await story.open(order, {"thing": 1}, method="in_store")
    assert await story.tell(story.dispute_of(order.intents[1], 40_00))
    await story.bring_back(ret)
    await story.drain()
    assert await said(story) == [(1, "credit_note", 60_00)]
    ((line,),) = [row["body"]["lines"] for row in await notes(story)]
    assert line["kind"] == "part_payment"
    await story.tell(story.dispute_of(order.intents[1], 40_00, won=True))
    await story.retry((await story.refund_of(ret)).refund["id"])
    await story.drain()
    assert (await said(story))[1:] == [(2, "credit_note", 40_00)]


async def test_the_document_shows_the_buyer_until_they_are_erased(story: Story) -> None:
    order = await an_order(story, 100_00)
    await story.refund(order, 30_00)
    await story.drain()
    (note,) = await notes(story)
    buyer = story.who(Role.BUYER, order)
    document = await credit_notes.get_document(story.ctx, buyer, note["id"])
    assert document.recipient[0] == "Anna Weber"
    assert "Anna" not in str(note["body"])
    async with story.ctx.database.transaction(story.shop) as tx:
        await tx.connection.execute(
            "UPDATE order_people SET name = NULL, street1 = NULL, city = NULL, postcode = NULL,"
            " country = NULL"
        )
    document = await credit_notes.get_document(story.ctx, buyer, note["id"])
    assert document.recipient == ()


async def test_another_buyers_note_does_not_exist(story: Story) -> None:
    await story.refund(await an_order(story, 100_00), 30_00)
    await story.drain()
    (note,) = await notes(story)
    stranger = story.who(Role.BUYER, await an_order(story, 1_00))
    for call in (credit_notes.get_credit_note, credit_notes.get_document):
        with pytest.raises(NotFound):
            await call(story.ctx, stranger, note["id"])
    listed = await credit_notes.list_credit_notes(
        story.ctx, stranger, before=story.ctx.new_id(), limit=10, order_id=note["order_id"],
        refund_id=None,
    )  # fmt: skip
    assert listed == []
