"""Returns and refunds that end as store credit: the bonus, gift cards, what a provider refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from returns_api.domain.errors import (
    NothingLeftToRefund,
)
from returns_api.domain.events import SYSTEM
from returns_api.ports.errors import ProviderRejected
from returns_api.usecases import policies
from returns_api.worker import sweep
from tests.support.credit import account_of, left, view
from tests.support.gates import Gate
from tests.support.story import POLICY, Story
from tests.support.story_orders import goods
from tests.support.story_scene import CARD
from tests.usecases.test_ledger import balances, rules

CREDIT_POLICY = POLICY.replace(
    "resolutions: {refund: 30 days, exchange: 60 days}",
    "resolutions: {refund: 30 days, store_credit: {within: 90 days, bonus: 10%}}",
)


@pytest.fixture
async def generous(story: Story) -> Story:
    """The story's shop adds 10 % for taking store credit."""
    await publish(story, CREDIT_POLICY)
    return story


async def publish(story: Story, policy: str) -> None:
    draft = await policies.draft_policy(story.ctx, story.shop, SYSTEM, policy)
    await policies.publish_policy(
        story.ctx, story.shop, SYSTEM, draft["id"], effective_from=None, acknowledge="a test"
    )
    story.clock.forward(days=11)


async def test_a_return_for_store_credit_pays_what_was_quoted_and_the_bonus(
    generous: Story,
) -> None:
    story = generous
    order = await story.order(goods("shirt", 50_01, 2), paid=[60_00, 40_02])
    quote = await story.quote(order, {"shirt": 1}, resolution="store_credit")
    assert (quote.body["total"], quote.body["bonus"]) == (45_11, 4_52)
    ret = await story.accept(order, quote)
    await story.bring_back(ret.ret)
    refund = await story.refund_of(ret.ret)
    assert refund.refund["state"] == "succeeded"
    account = account_of(refund)
    assert [(lot["kind"], lot["remaining_minor"]) for lot in (await view(story, account)).lots] == [
        ("refund", 45_11),
        ("bonus", 4_52),
    ]
    assert (await story.view(ret.ret)).ret.state == "completed"
    assert (await balances(story))["goodwill"] == 4_52
    assert (await rules(story, order))[-1] == ("bonus_granted", 4_52)
    with pytest.raises(NothingLeftToRefund):
        await story.refund(order, 100_02 - 45_11 + 1)


async def test_the_bonus_follows_what_is_due_after_the_inspection(generous: Story) -> None:
    story = generous
    order = await story.order(goods("shirt", 100_00))
    ret = await story.accept(
        order, await story.quote(order, {"shirt": 1}, resolution="store_credit")
    )
    await story.bring_back(ret.ret, "used_worn")
    refund = await story.refund_of(ret.ret)
    assert refund.refund["amount_minor"] == 65_10
    assert await left(story, account_of(refund)) == 65_10 + 6_51


async def test_a_refund_has_no_bonus_though_the_policy_names_one(generous: Story) -> None:
    story = generous
    order = await story.order(goods("shirt", 100_00))
    quote = await story.quote(order, {"shirt": 1})
    assert quote.body["bonus"] == 0
    ret = await story.accept(order, quote)
    await story.bring_back(ret.ret)
    await story.drain()
    assert await story.rows("SELECT FROM store_credits") == []


async def test_a_gift_card_is_paid_back_as_store_credit_where_the_shop_says_so(
    story: Story,
) -> None:
    """M4: two tenders in their order, the card's money and the gift card's credit."""
    await story.credit_terms(gateways=["gift_card"])
    order = await story.order(
        goods("thing", 80_00), paid=[50_00, 30_00], gateways=[CARD, "gift_card"]
    )
    made = await story.refund(order, 80_00)
    assert [(m["provider"], m["amount_minor"], m["state"]) for m in made.transfers] == [
        ("stripe", 50_00, "queued"),
        ("store_credit", 30_00, "succeeded"),
    ]
    await story.drain()
    done = await story.refund_now(made.refund["id"])
    assert done.refund["state"] == "succeeded"
    (credit,) = {m["store_credit_id"] for m in done.transfers} - {None}
    assert await left(story, credit) == 30_00


async def test_gateways_that_the_shop_does_not_name_stay_as_they_are(story: Story) -> None:
    await story.credit_terms(gateways=["gift_card", CARD])
    order = await story.order(goods("thing", 80_00), paid=[50_00, 30_00], gateways=[CARD, "cash"])
    made = await story.refund(order, 80_00)
    assert {m["store_credit_id"] for m in made.transfers} == {None}, "a card has an account"


async def test_what_a_provider_refuses_becomes_credit_once_and_no_more_than_was_paid(
    story: Story,
) -> None:
    order = await story.order(goods("thing", 80_00), paid=[50_00, 30_00])
    made = await story.refund(order, 80_00)
    gate = Gate(story.ctx.payments["stripe"])
    gate.refusals["refund"] = [ProviderRejected("card_gone", "the card is gone")]
    await sweep.drain(replace(story.ctx, payments={"stripe": gate}))
    await story.drain()
    stuck = await story.refund_now(made.refund["id"])
    assert stuck.refund["state"] == "partially_succeeded"
    await story.cancel(made.refund["id"])
    rest = await story.refund(order, None, to="store_credit", buyer_agreed=True)
    arrived = sum(m["amount_minor"] for m in stuck.transfers if m["state"] == "succeeded")
    assert await left(story, account_of(rest)) == 80_00 - arrived
    with pytest.raises(NothingLeftToRefund):
        await story.refund(order, 1)
