"""F5: lists, velocity and signals of a buyer, from the database to the return that waits."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from returns_api.api.return_views import return_out
from returns_api.domain.access import Role
from returns_api.domain.errors import Conflict, DoesNotFit, Forbidden
from returns_api.domain.events import By
from returns_api.domain.listings import ListingRecord, NewListing
from returns_api.domain.policy.signals import BLOCK_LIST
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import deadlines, listings, people, returns
from returns_api.usecases._acting import Acting
from tests.support.early_money import FAST, advance
from tests.support.story import POLICY, Story
from tests.support.story_orders import BUYER, goods
from tests.support.story_scene import Order

REVIEW = """\
review:
  respond_within: 2 days
  when:
    - {signal: many-returns, returns_1_day: {min: 2}}
    - {signal: worn-late, used_late: {min: 1}}
"""
BEN = replace(BUYER, customer_id="c-2", email="ben@example.com")


@pytest.fixture
def story_policy() -> str:
    """Money goes out early to whom nothing speaks against."""
    early = POLICY.replace("    refund_at: inspection\n", f"    refund_at: {FAST}\n")
    return early.replace("goods:\n", f"{REVIEW}goods:\n", 1)


async def put(story: Story, on: str, **whom: Any) -> ListingRecord:
    """An agent puts somebody (Anna's address unless another is named) on a list."""
    new = NewListing(on, "tests", whom.pop("until", None), **(whom or {"email": BUYER.email}))
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        by = By("agent", story.agent.credential_id)
        return await listings.add_listing(tx, story.ctx, by, new)


async def remove(story: Story, made: ListingRecord) -> None:
    by = By("agent", story.agent.credential_id)
    await listings.remove_listing(story.ctx, Acting(story.agent, by, made.id))


async def opened(story: Story, **more: Any) -> tuple[Order, ReturnRecord]:
    order = await story.order(goods("lamp", 100_00), **more)
    return order, await story.open(order, {"lamp": 1}, method="post")


def signals(ret: ReturnRecord) -> list[str]:
    assert ret.terms.review is not None
    return [each["signal"] for each in ret.terms.review.signals]


async def told(story: Story, made: ListingRecord) -> list[str]:
    return await story.happened(made.id)


async def test_a_blocked_buyer_waits_for_a_person_and_then_gets_everything(story: Story) -> None:
    made = await put(story, "block")
    order, ret = await opened(story)
    assert (ret.state, signals(ret), ret.terms.advance) == ("requested", [BLOCK_LIST], None)
    _, other = await opened(story, buyer=BEN)
    assert (other.state, signals(other)) == ("approved", [])
    ret = await story.act(ret, returns.approving(None))
    await story.drain()
    await story.scan(ret, "in_transit")
    assert (await story.view(ret)).early is None, "no money before the goods"
    await story.bring_back(ret)
    assert (await story.refund_of(ret)).refund["amount_minor"] == 95_10
    mine = await listings.list_listings(
        story.ctx, story.agent, before=story.ctx.new_id(), limit=9, list=None, order_id=order.id
    )
    assert [each.id for each in mine] == [made.id], "staff find why"
    await remove(story, made)
    assert (await opened(story))[1].state == "approved"
    assert await told(story, made) == ["listing.added", "listing.removed"]


async def test_a_buyer_learns_nothing_of_it(story: Story) -> None:
    await put(story, "block")
    order, ret = await opened(story)
    buyer, agent = story.who(Role.BUYER, order), story.agent
    seen = {}
    for person in (buyer, agent, story.dock):
        view = await returns.get_return(story.ctx, person, ret.id)
        decision = await returns.get_decision(story.ctx, person, ret.id)
        facts = returns.facts_for(person, decision["facts"])
        steps = await returns.timeline(story.ctx, person, ret.id, None, 9)
        told = [return_out(view, person).model_dump_json(), json.dumps(dict(facts))]
        told += [json.dumps(decision["body"]), *(json.dumps(dict(each["data"])) for each in steps)]
        seen[person.role] = "".join(told)
    words = ("block_list", "listed", '"block"')
    assert [word for word in words if word in seen[Role.BUYER] + seen[Role.WAREHOUSE]] == []
    assert all(word in seen[Role.AGENT] for word in words)
    asked: dict[str, Any] = {"before": story.ctx.new_id(), "limit": 9, "flagged": True}
    _, usual = await opened(story, buyer=BEN)
    found = await returns.list_returns(story.ctx, agent, **asked)
    assert [each.ret.id for each in found] == [ret.id] != [usual.id]
    with pytest.raises(Forbidden):
        await returns.list_returns(story.ctx, buyer, **asked)


async def test_silence_approves_and_a_late_block_is_heeded_too(story: Story) -> None:
    order = await story.order(goods("lamp", 100_00))
    quote = await story.quote(order, {"lamp": 1}, method="post")
    _, sent = await opened(story)
    await put(story, "block", order_id=order.id)
    ret = (await story.accept(order, quote)).ret
    assert (ret.state, signals(ret), ret.terms.advance) == ("requested", [BLOCK_LIST], None)
    await story.drain()
    await story.scan(sent, "in_transit")
    declined = await advance(story, sent)
    assert (declined.state, declined.reason) == ("declined", "needs_approval")
    story.clock.forward(days=2, minutes=1)
    await deadlines.keep_deadlines(story.ctx, story.shop, ret.id)
    assert (await story.again(ret)).state == "approved"


async def test_a_velocity_limit_counts_quotes_that_were_taken_first(story: Story) -> None:
    orders = [await story.order(goods("lamp", 100_00)) for _ in range(4)]
    quotes = [await story.quote(each, {"lamp": 1}, method="post") for each in orders]
    story.clock.forward(minutes=1)
    opened_ = [
        (await story.accept(order, quote)).ret
        for order, quote in zip(orders[:3], quotes[:3], strict=True)
    ]
    assert [(ret.state, signals(ret)) for ret in opened_] == [
        ("approved", []),
        ("approved", []),
        ("requested", ["many-returns"]),
    ]
    again = await story.open(orders[3], {"lamp": 1}, method="post")
    assert again.terms.review is not None
    (found,) = again.terms.review.signals
    assert found == {"signal": "many-returns", "because": {"returns_1_day": 3}}
    _, other = await opened(story, buyer=BEN)
    assert other.state == "approved"
    await put(story, "allow", email=BUYER.email)
    assert (await opened(story))[1].state == "approved"
    story.clock.forward(days=1, minutes=1)
    assert (await opened(story))[1].state == "approved"


async def test_used_goods_from_the_end_of_their_window_are_a_signal(story: Story) -> None:
    for days, grade in ((5, "used_worn"), (25, "sealed"), (25, "used_worn")):
        order = await story.order(goods("lamp", 100_00), delivered=timedelta(days=days))
        ret = await story.open(order, {"lamp": 1}, method="in_store")
        assert signals(ret) == [], "nothing speaks against it yet"
        await story.bring_back(ret, grade)
        story.clock.forward(days=2)
    assert signals((await opened(story))[1]) == ["worn-late"]
    assert signals((await opened(story, buyer=BEN))[1]) == []


async def test_a_person_is_on_one_list_until_it_is_over(story: Story) -> None:
    now = story.clock()
    with pytest.raises(DoesNotFit):
        await put(story, "block", email="x@example.com", until=now)
    first = await put(story, "block", email=" ANNA@Example.com ", until=now + timedelta(days=1))
    with pytest.raises(Conflict, match="block list"):
        await put(story, "allow")
    story.clock.forward(days=1)
    assert (await opened(story))[1].state == "approved", "its time is over"
    await put(story, "allow")
    assert await told(story, first) == ["listing.added", "listing.removed"]
    row = await listings.get_listing(story.ctx, story.agent, first.id)
    assert row.ended_at == story.clock()


async def test_erasure_ends_what_was_for_a_person_and_bounds_what_protects_the_shop(
    story: Story,
) -> None:
    order, _ = await opened(story)
    account = await put(story, "allow", order_id=order.id)
    address = await put(story, "block")
    assert account.identifier == "customer"
    await people.erase_by_email(story.ctx, story.shop, str(BUYER.email))
    agent = story.who(Role.AGENT)
    ended = await listings.get_listing(story.ctx, agent, account.id)
    kept = await listings.get_listing(story.ctx, agent, address.id)
    assert ended.ended_at == story.clock()
    assert (kept.ended_at, kept.expires_at) == (None, story.clock() + timedelta(days=365))
    await people.erase_by_email(story.ctx, story.shop, str(BUYER.email))
    assert await told(story, address) == ["listing.added", "listing.shortened"]
    assert await told(story, account) == ["listing.added", "listing.removed"]
    assert (await opened(story))[1].state == "requested", "the same person, known by a hash only"
