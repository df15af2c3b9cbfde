"""F1, F2: what went wrong with a buyer's money is a fact of their next return, and so is their
place in roll-outs, which is theirs for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from returns_api.domain.events import SYSTEM
from returns_api.domain.orders import BuyerFacts
from returns_api.domain.policy import rollout_place
from returns_api.usecases import policies, recovery_decisions
from tests.support.early_money import FAST, do, never_came
from tests.support.story import POLICY, Story
from tests.support.story_orders import BUYER, goods
from tests.support.story_scene import Order

TIERS = "tiers:\n  - {tier: trusted, clawbacks: {max: 0}, chargebacks: {max: 0}}\n"
EARLY = f"  - id: early\n    when: {{tier: trusted}}\n    refund_at: {FAST}\n"
TRUST = POLICY.replace("goods:\n", f"{TIERS}goods:\n", 1).replace(
    "  - id: costly\n", f"{EARLY}  - id: costly\n"
)


@pytest.fixture
def story_policy() -> str:
    """Whoever never cost the shop money gets it early."""
    return TRUST


async def decided(story: Story, order: Order, line: str = "lamp") -> dict[str, Any]:
    """Facts of a new quote, and whether its money goes out early."""
    quote = await story.quote(order, {line: 1}, method="post")
    (row,) = await story.rows(
        "SELECT d.facts, q.terms->'advance'->>'at' AS early FROM quotes q"
        " JOIN decisions d ON d.id = q.decision_id WHERE q.id = $1",
        quote.id,
    )
    facts = row["facts"][str(order.lines[line])]
    return {**facts, "early": row["early"]}


async def test_a_clawback_costs_the_buyer_their_tier_until_the_goods_come(story: Story) -> None:
    _, ret, view = await never_came(story)
    again = await decided(story, await story.order(goods("lamp", 100_00)))
    assert (again["buyer"]["clawbacks"], again["early"]) == (1, None)
    stranger = replace(BUYER, customer_id="c-2", email="ben@example.com")
    other = await decided(story, await story.order(goods("lamp", 100_00), buyer=stranger))
    assert (other["buyer"]["clawbacks"], other["early"]) == (0, "first_scan")
    await do(story, view, recovery_decisions.give_up, "write_off", None, "gone")
    again = await decided(story, await story.order(goods("lamp", 100_00)))
    assert (again["buyer"]["clawbacks"], again["early"]) == (1, None)
    await story.bring_back(ret)
    again = await decided(story, await story.order(goods("lamp", 100_00)))
    assert (again["buyer"]["clawbacks"], again["early"]) == (0, "first_scan")


async def test_a_chargeback_counts_from_when_it_is_known(story: Story) -> None:
    order = await story.order(goods("lamp", 100_00))
    assert (await decided(story, order))["early"] == "first_scan"
    paid = (await story.load(order.id)).payments[0].provider_payment_id
    assert paid is not None
    await story.bank.dispute(paid, 100_00)
    await story.tell(story.dispute_of(paid, 100_00))
    after = await decided(story, await story.order(goods("lamp", 100_00)))
    assert (after["buyer"]["chargebacks"], after["early"]) == (1, None)


async def test_a_roll_out_is_the_same_for_a_buyer_for_ever(story: Story) -> None:
    """Raising the share only adds buyers; a guest is in none."""
    seen: dict[int, set[int]] = {}
    for number in range(6):
        buyer = replace(BUYER, customer_id=f"c-{number}")
        for _ in range(2):
            order = await story.order(goods("lamp", 100_00), buyer=buyer)
            place = (await decided(story, order))["rollout_ppm"]
            key = (await story.load(order.id)).customer_key
            assert key is not None
            assert place == rollout_place(str(story.shop), key.hex())
            seen.setdefault(number, set()).add(place)
    assert all(len(places) == 1 for places in seen.values())
    places = sorted(place for (place,) in seen.values())
    share = (places[2] // 10_000) + 1
    rolled = TRUST.replace("when: {tier: trusted}", f"when: {{tier: trusted, rollout: {share}%}}")
    draft = await policies.draft_policy(story.ctx, story.shop, SYSTEM, rolled)
    await policies.publish_policy(
        story.ctx, story.shop, SYSTEM, draft["id"], effective_from=None, acknowledge="a test"
    )
    story.clock.forward(days=11)
    for number, (place,) in seen.items():
        buyer = replace(BUYER, customer_id=f"c-{number}")
        order = await story.order(goods("lamp", 100_00), buyer=buyer)
        early = (await decided(story, order))["early"] == "first_scan"
        assert early is (place < share * 10_000), (place, share)
    nobody = await story.order(goods("lamp", 100_00), buyer=BuyerFacts())
    found = await decided(story, nobody)
    assert (found["rollout_ppm"], found["early"]) == (None, None)
