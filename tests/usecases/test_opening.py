"""Quotes that are accepted: binding for a time, once, and never for more units than there are."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from returns_api.domain.errors import (
    Invalid,
    NothingLeftToReturn,
    QuoteExpired,
    QuoteUsed,
)
from returns_api.domain.events import SYSTEM
from returns_api.domain.quotes import QUOTE_LASTS
from returns_api.usecases import policies, quotes, returns
from tests.support.quoted import left, outside
from tests.support.refusals import listed
from tests.support.story import POLICY, Story
from tests.support.story_orders import goods


async def test_a_quote_binds_for_three_days_and_once(story: Story) -> None:
    order = await story.order(goods("shirt", 2000, 3))
    quote = await story.quote(order, {"shirt": 1})
    story.clock.forward(seconds=QUOTE_LASTS.total_seconds() - 1)
    ret = (await story.accept(order, quote)).ret
    with pytest.raises(QuoteUsed) as used:
        await story.accept(order, quote)
    assert str(used.value.context["return"]).startswith("ret_")
    late = await story.quote(order, {"shirt": 1})
    story.clock.forward(seconds=QUOTE_LASTS.total_seconds())
    with pytest.raises(QuoteExpired):
        await story.accept(order, late)
    assert (await quotes.get_quote(story.ctx, story.agent, quote.id)).return_id == ret.id


async def test_units_are_claimed_when_the_return_opens(story: Story) -> None:
    order = await story.order(goods("shirt", 2000, 3))
    first, second = [await story.quote(order, {"shirt": 2}) for _ in range(2)]
    await story.accept(order, first)
    with pytest.raises(NothingLeftToReturn) as refused:
        await story.accept(order, second)
    (line,) = listed(refused, "lines")
    assert (line["shipped"], line["claimed"]) == (3, 2)
    with pytest.raises(NothingLeftToReturn) as refused:
        await story.quote(order, {"shirt": 2})
    assert refused.value.context["left"] == 1
    assert (await story.open(order, {"shirt": 1})).lines[0].units == (3,)


async def test_one_quote_accepted_ten_times_at_once_makes_one_return(story: Story) -> None:
    order = await story.order(goods("shirt", 2000, 20))
    quote = await story.quote(order, {"shirt": 1})
    made = await asyncio.gather(
        *(story.accept(order, quote) for _ in range(10)), return_exceptions=True
    )
    assert sum(not isinstance(each, BaseException) for each in made) == 1
    assert {type(each) for each in made if isinstance(each, BaseException)} == {QuoteUsed}


async def test_ten_returns_of_the_last_unit_at_once_make_one(story: Story) -> None:
    order = await story.order(goods("shirt", 2000, 1))
    found = [await story.quote(order, {"shirt": 1}) for _ in range(10)]
    made = await asyncio.gather(
        *(story.accept(order, quote) for quote in found), return_exceptions=True
    )
    assert sum(not isinstance(each, BaseException) for each in made) == 1
    assert {type(each) for each in made if isinstance(each, BaseException)} == {NothingLeftToReturn}


async def test_what_was_given_back_elsewhere_is_not_left(story: Story) -> None:
    order = await story.order(goods("shirt", 2000, 3))
    await outside(story, order, "shirt", 1)
    assert await left(story, order, "shirt") == 2
    ret = await story.open(order, {"shirt": 2})
    assert ret.lines[0].units == (1, 2)
    assert await left(story, order, "shirt") == 0


async def test_released_units_below_a_claimed_one_are_not_counted_twice(story: Story) -> None:
    """Units 1 and 2 are free again, 3 is claimed, 1 went back elsewhere: one is left, not two."""
    order = await story.order(goods("shirt", 2000, 3))
    given_up = await story.open(order, {"shirt": 2})
    await story.open(order, {"shirt": 1})
    await story.act(given_up, returns.canceling)
    await outside(story, order, "shirt", 1)
    assert await left(story, order, "shirt") == 1
    with pytest.raises(NothingLeftToReturn):
        await story.quote(order, {"shirt": 2})
    assert (await story.open(order, {"shirt": 1})).state == "approved"


async def test_a_missing_photo_names_the_line(story: Story) -> None:
    order = await story.order(goods("lamp", 10000), goods("shirt", 2000))
    quote = await story.quote(order, {"lamp": 1, "shirt": 1}, reason="defective")
    assert quote.body["lines"][0]["evidence"] == [{"kind": "photo", "minimum": 1}]
    with pytest.raises(Invalid) as refused:
        await story.accept(order, quote, photos={"lamp": 1})
    assert listed(refused, "errors")[0]["line"].startswith("li_")
    other = await story.order(goods("sock", 500))
    with pytest.raises(Invalid):
        await story.accept(
            replace(order, lines={**order.lines, **other.lines}), quote, photos={"sock": 1}
        )
    ret = (await story.accept(order, quote, photos={"lamp": 1, "shirt": 2})).ret
    assert [len(line.evidence) for line in ret.lines] == [1, 2]


async def test_the_buyer_who_pays_the_carrier_gets_no_label(story: Story) -> None:
    own = POLICY.replace("return_shipping: 4.90", "return_shipping: own_cost")
    draft = await policies.draft_policy(story.ctx, story.shop, SYSTEM, own)
    story.clock.forward(days=1)
    await policies.publish_policy(
        story.ctx, story.shop, SYSTEM, draft["id"], effective_from=None, acknowledge="a test"
    )
    order = await story.order(goods("shirt", 2000), placed_at=story.clock())
    quote = await story.quote(order, {"shirt": 1}, method="post")
    assert quote.body["freight"] == {"payer": "buyer", "fee": 0}
    assert quote.body["total"] == 2000
    ret = (await story.accept(order, quote)).ret
    assert (await story.view(ret)).shipment is None
