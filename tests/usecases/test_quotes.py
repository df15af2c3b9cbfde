"""What may come back and the offer for it, on real orders and the real policy language."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from returns_api.domain.access import Role
from returns_api.domain.errors import (
    Invalid,
    NotEligible,
    NotFound,
    NothingLeftToReturn,
)
from returns_api.domain.events import SYSTEM
from returns_api.usecases import policies, quotes, returns
from tests.support.quoted import left
from tests.support.refusals import listed
from tests.support.story import POLICY, Story
from tests.support.story_orders import BUYER, freight, goods


async def test_a_quote_is_what_the_money_will_be(story: Story) -> None:
    """The example of the product: a jacket of 99.00 with its share of a 10.00 discount."""
    order = await story.order(
        goods("jacket", 9900, 2, order_discount_minor=2000), freight(490, line_discount_minor=490)
    )
    quote = await story.quote(order, {"jacket": 1})
    assert quote.body["total"] == 8410
    assert [(part["kind"], part["amount"]) for part in quote.body["parts"]] == [
        ("goods", 8900),
        ("return_freight", -490),
    ]
    assert quote.body["fees_possible_later"]
    again = await quotes.get_quote(story.ctx, story.agent, quote.id)
    assert again.body == quote.body


async def test_nothing_comes_back_before_it_arrived(story: Story) -> None:
    order = await story.order(goods("shirt", 2000, 3), delivered=None)
    assert await left(story, order, "shirt") == 0
    await story.send("o1", {"shirt": 2}, delivered=timedelta(days=1))
    await story.send("o1", {"shirt": 1}, parcel="f2")
    assert await left(story, order, "shirt") == 2
    story.clock.forward(days=3)
    assert await left(story, order, "shirt") == 3, "sent so long ago that it must have arrived"


async def test_the_window_runs_from_the_last_parcel(story: Story) -> None:
    """Row 22: ordered on day 0, delivered on day 9; counted from the delivery, not the order."""
    order = await story.order(goods("shirt", 2000, 2), delivered=None)
    await story.send("o1", {"shirt": 1}, delivered=timedelta(days=29))
    await story.send("o1", {"shirt": 1}, parcel="f2", delivered=timedelta(days=9))
    story.clock.forward(days=20)
    await story.quote(order, {"shirt": 2})
    story.clock.forward(days=11)
    with pytest.raises(NotEligible):
        await story.quote(order, {"shirt": 2})


async def test_a_refusal_says_why_and_what_would_change_it(story: Story) -> None:
    order = await story.order(goods("card", 5000, tags=("gift-card",)))
    with pytest.raises(NotEligible) as refused:
        await story.quote(order, {"card": 1})
    (line,) = listed(refused, "lines")
    assert line["because"][0]["text"] == "Gutscheine können nicht zurückgegeben werden."
    assert line["line"].startswith("li_")
    late = await story.order(goods("shirt", 2000), delivered=timedelta(days=70))
    with pytest.raises(NotEligible) as refused:
        await story.quote(late, {"shirt": 1})
    (line,) = listed(refused, "lines")
    assert any("früher" in flip["text"] for flip in line["flips_if"])


async def test_the_law_of_the_buyers_place_holds(story: Story) -> None:
    """Delivered in the EU: within 14 days the outward freight comes back and nothing is deducted
    for restocking, whatever the shop wrote; on the 15th day the shop's own terms hold."""
    order = await story.order(
        goods("lamp", 10000, tags=("light",)),
        freight(490),
        buyer=replace(BUYER, country="DE"),
        delivered=timedelta(days=10),
    )
    assert (await story.quote(order, {"lamp": 1}, method="in_store")).body["total"] == 10490
    story.clock.forward(days=5)
    assert (await story.quote(order, {"lamp": 1}, method="in_store")).body["total"] == 9000


async def test_what_would_turn_a_refusal_turns_it(story: Story) -> None:
    order = await story.order(goods("shirt", 2000), delivered=timedelta(days=70))
    found = await quotes.list_returnable(story.ctx, story.who(Role.BUYER, order), order.id, None)
    (line,) = found.lines
    by_code = {each.reason.code: each for each in line.reasons}
    refused = by_code["changed_mind"]
    assert not refused.decision.eligible
    assert refused.because[0]["text"]
    reasons = [flip["change"].get("reason") for flip in refused.flips_if]
    turned = next(code for code in reasons if code is not None) if any(reasons) else None
    if turned is not None:
        assert by_code[turned].decision.eligible
    assert by_code["defective"].decision.eligible
    assert by_code["defective"].flips_if == ()


@pytest.mark.parametrize("resolution", ["partial_refund", "nonsense"])
async def test_only_what_can_be_carried_out_is_promised(story: Story, resolution: str) -> None:
    """What a policy offers and nobody carries out would otherwise be paid out as money."""
    order = await story.order(goods("shirt", 2000))
    with pytest.raises(Invalid) as refused:
        await story.quote(order, {"shirt": 1}, resolution=resolution)
    assert refused.value.detail == "Offered for these lines: refund, exchange."


async def test_the_window_of_a_refund_is_not_that_of_an_exchange(story: Story) -> None:
    order = await story.order(goods("shirt", 2000), delivered=timedelta(days=40))
    with pytest.raises(NotEligible) as refused:
        await story.quote(order, {"shirt": 1})
    (line,) = listed(refused, "lines")
    assert [because["code"] for because in line["because"]] == ["resolution_not_offered"]
    assert line["flips_if"][0]["target"] == "resolution.refund"


@pytest.mark.parametrize(
    "wanted",
    [{"method": "locker"}, {"method": "keep"}, {"resolution": "nonsense"}],
)
async def test_only_what_is_offered_can_be_chosen(story: Story, wanted: dict[str, str]) -> None:
    order = await story.order(goods("shirt", 2000))
    with pytest.raises(Invalid) as refused:
        await story.quote(order, {"shirt": 1}, **wanted)
    assert listed(refused, "errors")[0]["field"] == next(iter(wanted))


async def test_the_method_fixes_the_freight(story: Story) -> None:
    order = await story.order(goods("shirt", 2000, 2))
    posted = await story.quote(order, {"shirt": 1}, method="post")
    brought = await story.quote(order, {"shirt": 1}, method="in_store")
    assert (posted.body["total"], brought.body["total"]) == (1510, 2000)
    assert brought.body["freight"] == {"payer": "merchant", "fee": 0}
    ret = (await story.accept(order, brought)).ret
    assert (await story.view(ret)).shipment is None, "nobody sends a parcel to the shop's door"


async def test_each_line_pays_its_own_restocking_fee(story: Story) -> None:
    order = await story.order(goods("lamp", 10000, tags=("light",)), goods("shirt", 2000))
    quote = await story.quote(order, {"lamp": 1, "shirt": 1}, method="in_store")
    fees = {
        part["line"]: part["amount"]
        for part in quote.body["parts"]
        if part["kind"] == "restocking_fee"
    }
    assert fees == {str(order.lines["lamp"]): -1000}
    ret = (await story.accept(order, quote)).ret
    await story.bring_back(ret)
    assert (await story.refund_of(ret)).refund["amount_minor"] == quote.body["total"] == 11000


async def test_faulty_goods_cost_the_buyer_nothing(story: Story) -> None:
    order = await story.order(goods("lamp", 10000), freight(490))
    quote = await story.quote(order, {"lamp": 1}, reason="defective")
    assert quote.body["total"] == 10490
    assert quote.body["freight"] == {"payer": "merchant", "fee": 0}


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, Invalid),
        ({"shirt": 0}, Invalid),
        ({"shirt": -1}, Invalid),
        ({"ship": 1}, Invalid),
        ({"shirt": 3}, NothingLeftToReturn),
    ],
)
async def test_a_quote_is_asked_for_goods_of_the_order(
    story: Story, asked: dict[str, int], error: type[Exception]
) -> None:
    order = await story.order(goods("shirt", 2000, 2), freight(490))
    with pytest.raises(error):
        await story.quote(order, asked)
    assert await story.rows("SELECT 1 FROM quotes") == []


async def test_a_foreign_order_or_quote_does_not_exist(story: Story) -> None:
    """Row 20: another buyer's order is 404, as is a quote of it."""
    mine, theirs = await story.order(goods("a", 100)), await story.order(goods("b", 100))
    quote = await story.quote(theirs, {"b": 1})
    me = story.who(Role.BUYER, mine)
    with pytest.raises(NotFound):
        await quotes.list_returnable(story.ctx, me, theirs.id, None)
    with pytest.raises(NotFound):
        await quotes.get_quote(story.ctx, me, quote.id)
    with pytest.raises(NotFound):
        await story.accept(mine, quote)
    with pytest.raises(Invalid):
        await story.quote(replace(mine, lines=theirs.lines), {"b": 1})


async def test_a_new_policy_changes_no_quote_and_no_return(story: Story) -> None:
    order = await story.order(goods("shirt", 2000, 2))
    quote = await story.quote(order, {"shirt": 1})
    story.clock.forward(days=1)
    dear = POLICY.replace("return_shipping: 4.90", "return_shipping: 9.90")
    draft = await policies.draft_policy(story.ctx, story.shop, SYSTEM, dear)
    await policies.publish_policy(
        story.ctx, story.shop, SYSTEM, draft["id"], effective_from=None, acknowledge="a test"
    )
    ret = (await story.accept(order, quote)).ret
    await story.bring_back(ret)
    assert (await story.refund_of(ret)).refund["amount_minor"] == 1510
    story.clock.forward(days=1)
    later = await story.order(goods("shirt", 2000), placed_at=story.clock())
    assert (await story.quote(later, {"shirt": 1})).body["total"] == 1010
    assert (await story.quote(order, {"shirt": 1})).body["total"] == 1510


async def test_every_part_with_a_line_names_it_charges_too(story: Story) -> None:
    order = await story.order(goods("shirt", 2000), freight(490))
    quote = await story.quote(order, {"shirt": 1}, reason="defective")
    named = {part["kind"]: part["line"] for part in quote.body["parts"]}
    assert named == {"goods": str(order.lines["shirt"]), "shipping": str(order.lines["ship"])}


async def test_every_decision_is_stored_with_its_facts(story: Story) -> None:
    order = await story.order(goods("shirt", 2000))
    ret = await story.open(order, {"shirt": 1})
    row = await returns.get_decision(story.ctx, story.agent, ret.id)
    line = str(order.lines["shirt"])
    facts: dict[str, Any] = row["facts"][line]
    assert (facts["reason"], facts["unit_paid_minor"], facts["country"]) == (
        "changed_mind",
        2000,
        "CH",
    )
    assert row["body"][line]["eligible"]
    assert row["digest"].startswith("sha256:")
