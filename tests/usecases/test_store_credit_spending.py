"""Store credit is spent once, what expires first goes first, and what is undone comes back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from returns_api.domain.errors import (
    DoesNotFit,
    DuplicateReference,
    NotEnoughCredit,
    NotFound,
)
from returns_api.domain.orders import BuyerFacts
from returns_api.usecases import store_credits
from tests.support.credit import account_of, debit, left, present, recover, undo, view
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.usecases.test_ledger import balances


async def test_paying_takes_what_expires_first_and_is_refused_above_the_balance(
    story: Story,
) -> None:
    order = await story.order(goods("thing", 100_00))
    account = account_of(await story.refund(order, 10_00, to="store_credit", buyer_agreed=True))
    await story.credit_terms(granted_lasts_days=10)
    await present(story, order, 5_00)
    paid = await debit(story, account, 7_00)
    assert (paid["balance_minor"], paid["left_minor"]) == (8_00, 7_00)
    assert [(lot["kind"], lot["remaining_minor"]) for lot in (await view(story, account)).lots] == [
        ("refund", 8_00)
    ]
    with pytest.raises(NotEnoughCredit) as refused:
        await debit(story, account, 8_01)
    assert refused.value.context["balance"] == 8_00
    assert refused.value.context["currency"] == "EUR"
    assert await left(story, account) == 8_00


async def test_a_reference_pays_once_for_ever(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    account = await present(story, order, 10_00)
    other = await present(
        story, await story.order(goods("thing", 100_00), buyer=BuyerFacts()), 10_00
    )
    await debit(story, account, 1_00, "checkout")
    for each in (account, other):
        with pytest.raises(DuplicateReference):
            await debit(story, each, 1_00, "checkout")
    done = await asyncio.gather(
        *(debit(story, each, 1_00, "both") for each in (account, other)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in done) == ["DuplicateReference", "Record"]


async def test_two_purchases_of_the_same_last_amount_one_wins(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    for _ in range(5):
        account = await present(story, order, 10_00)
        done = await asyncio.gather(
            *(debit(story, account, 10_00) for _ in range(8)), return_exceptions=True
        )
        won = [each for each in done if not isinstance(each, BaseException)]
        assert len(won) == 1
        assert all(isinstance(each, NotEnoughCredit) for each in done if each not in won)
        assert await left(story, account) == 0


async def test_a_purchase_comes_back_in_parts_and_no_more(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    account = await present(story, order, 10_00)
    paid = await debit(story, account, 8_00)
    back = await undo(story, account, paid["id"], 3_00)
    assert (back["kind"], back["undoes_id"], back["balance_minor"]) == (
        "given_back", paid["id"], 5_00,
    )  # fmt: skip
    with pytest.raises(DoesNotFit, match="500 of this purchase"):
        await undo(story, account, paid["id"], 5_01)
    done = await asyncio.gather(
        *(undo(story, account, paid["id"]) for _ in range(4)), return_exceptions=True
    )
    assert sum(not isinstance(each, BaseException) for each in done) == 1
    assert await left(story, account) == 10_00
    with pytest.raises(DoesNotFit, match="Only a debit"):
        await undo(story, account, back["id"])
    with pytest.raises(NotFound):
        await undo(story, account, UUID(int=1))


async def test_credit_expires_on_its_day_once_however_late_and_often_it_is_swept(
    story: Story,
) -> None:
    order = await story.order(goods("thing", 100_00))
    await story.credit_terms(granted_lasts_days=10)
    account = await present(story, order, 5_00)
    owed = await story.refund(order, 3_00, to="store_credit", buyer_agreed=True)
    assert account_of(owed) == account
    (lot, _) = (await view(story, account)).lots
    story.clock.now = lot["expires_at"] - timedelta(seconds=1)
    assert await store_credits.due_lots(story.ctx, 9) == []
    story.clock.now = lot["expires_at"] + timedelta(days=40)
    due = await store_credits.due_lots(story.ctx, 9)
    assert due == [(story.shop, lot["id"])]
    await asyncio.gather(*(store_credits.expire_lot(story.ctx, *due[0]) for _ in range(5)))
    assert await left(story, account) == 3_00
    assert (await story.happened(account)).count("store_credit.expired") == 1
    assert await store_credits.due_lots(story.ctx, 9) == []
    assert "goodwill" not in await balances(story), "the present was not used after all"


async def test_what_is_past_its_day_cannot_be_spent_before_the_sweep(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    await story.credit_terms(granted_lasts_days=1)
    account = await present(story, order, 5_00)
    story.clock.forward(days=3)
    with pytest.raises(NotEnoughCredit) as refused:
        await debit(story, account, 1)
    assert refused.value.context["balance"] == 0
    assert await recover(story, account, 1_00) == (0, 1_00)
    assert await left(story, account) == 0
    assert (await story.happened(account)).count("store_credit.expired") == 1


async def test_a_purchase_undone_after_the_last_day_comes_back_for_a_month(story: Story) -> None:
    order = await story.order(goods("thing", 100_00))
    await story.credit_terms(granted_lasts_days=5)
    account = await present(story, order, 5_00)
    paid = await debit(story, account, 4_00)
    await story.drain(days=10)
    assert await left(story, account) == 0
    await undo(story, account, paid["id"])
    (lot,) = (await view(story, account)).lots
    assert (lot["kind"], lot["remaining_minor"]) == ("goodwill", 4_00)
    assert timedelta(days=30) <= lot["expires_at"] - story.clock() <= timedelta(days=31)
    await story.drain(days=32)
    assert await left(story, account) == 0
