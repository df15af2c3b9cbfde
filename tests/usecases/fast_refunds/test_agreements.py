"""What was advanced counts, whatever is agreed, ruled or decided later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from returns_api.domain.access import Role
from returns_api.domain.errors import (
    Conflict,
)
from returns_api.domain.events import By
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import disputes, recoveries, recovery_decisions
from tests.support.early_money import (
    AT_ONCE,
    accept,
    advance,
    at_once,
    books,
    do,
    never_came,
    offer,
    recovery,
    sent,
    used,
)
from tests.support.story import Story
from tests.support.story_orders import freight, goods
from tests.support.story_scene import Order


@pytest.mark.parametrize("story_policy", [AT_ONCE], indirect=True)
@pytest.mark.parametrize(
    ("amount", "paid", "short"), [(40_00, [], 55_10), (95_10, [], 0), (98_00, [2_90], 0)]
)
async def test_an_agreed_amount_counts_what_was_advanced(
    story: Story, amount: int, paid: list[int], short: int
) -> None:
    order, ret = await at_once(story)
    await story.drain()
    await accept(story, order, await offer(story, ret, amount))
    await story.drain()
    ret = await story.again(ret)
    assert (ret.state, (await advance(story, ret)).state) == ("completed", "settled")
    more = await story.rows("SELECT amount_minor FROM refunds WHERE kind <> 'advance'")
    assert [row["amount_minor"] for row in more] == paid
    assert (await books(story, order)).get("advance", 0) == short
    if short:
        assert (await recovery(story, ret)).recovery.open_minor == short


@pytest.mark.parametrize("story_policy", [AT_ONCE], indirect=True)
async def test_nothing_is_agreed_while_the_advance_is_on_its_way(story: Story) -> None:
    order, ret = await at_once(story)
    made = await offer(story, ret, 40_00)
    with pytest.raises(Conflict):
        await accept(story, order, made)
    await story.drain()
    await accept(story, order, made)


async def dispute(story: Story, order: Order, ret: ReturnRecord, claim: int, award: int) -> None:
    """The buyer contests a settlement, and nobody appeals against what is ruled."""
    buyer, judge = story.who(Role.BUYER, order), story.who(Role.PLATFORM)
    async with story.ctx.database.transaction(story.shop) as tx:
        made = await disputes.open_dispute(
            tx, story.ctx, buyer, By("buyer", buyer.credential_id), ret.id,
            claimed_minor=claim, statement="It came like that.",
        )  # fmt: skip
    await story.drain(days=8)
    async with story.ctx.database.transaction(story.shop) as tx:
        await disputes.rule(
            tx, story.ctx, judge, By("platform", judge.credential_id), made.id,
            award_minor=award, reason="A part of it.", seen=None,
        )  # fmt: skip
    await story.drain(days=8)


async def test_a_ruling_takes_back_what_was_to_come_back(story: Story) -> None:
    """30.00 are kept for wear and stay with the buyer: awarding them pays nothing."""
    order, ret = await sent(story)
    await story.drain()
    await story.bring_back(ret, "used_worn")
    await dispute(story, order, ret, 30_00, 20_00)
    seen = (await recovery(story, ret)).recovery
    assert (seen.state, seen.open_minor, seen.cleared_minor) == ("open", 10_00, 20_00)
    assert len((await story.view(ret)).refunds) == 1
    assert (await books(story, order))["advance"] == 10_00


async def test_a_ruling_forgets_nothing_that_the_advance_paid_for(story: Story) -> None:
    """The way there was refunded once: goods that come back after a ruling do not earn it again."""
    order = await story.order(goods("lamp", 100_00), goods("vase", 50_00), freight(5_00))
    faulty: dict[str, Any] = {"reason": "defective", "photos": {"lamp": 1}}
    ret = await story.open(order, {"lamp": 1}, method="post", **faulty)
    await story.drain()
    await story.scan(ret, "in_transit")
    await story.drain()
    await story.bring_back(ret)
    got = await advance(story, ret)
    assert (got.amount_minor, got.applied_minor) == (105_00, 105_00)
    await dispute(story, order, ret, 10_00, 4_00)
    later = await story.open(
        order, {"vase": 1}, method="in_store", **faulty | {"photos": {"vase": 1}}
    )
    assert later.expected_minor == 50_00, "shipping was refunded with the first"
    assert (await story.happened((await advance(story, ret)).id))[-1] == "advance.settled"


LATE: list[tuple[str, Callable[[], tuple[Any, ...]], str, dict[str, int]]] = [
    ("open", tuple, "cleared", {"merchant": -4_90, "clearing": 4_90}),
    (
        "paid",
        lambda: (recoveries.record_payment, None, "wire", None),
        "paid",
        {"merchant": -4_90, "cash": 95_10, "buyer": -90_20},
    ),
    (
        "written off",
        lambda: (recovery_decisions.give_up, "write_off", None, "gone"),
        "cleared",
        {"merchant": -4_90, "clearing": 4_90},
    ),
    (
        "partly waived",
        lambda: (recovery_decisions.give_up, "waive", 30_00, "sorry"),
        "cleared",
        {"merchant": -4_90, "clearing": 4_90},
    ),
]


@pytest.mark.parametrize(("name", "done", "state", "expected"), LATE, ids=[c[0] for c in LATE])
async def test_goods_that_come_after_all_count(
    story: Story, name: str, done: Any, state: str, expected: dict[str, int]
) -> None:
    order, ret, view = await never_came(story)
    if made := done():
        await do(story, view, *made)
    await story.bring_back(ret)
    await story.drain()
    assert (await recovery(story, ret)).recovery.state == state
    assert await books(story, order) == expected
    assert (await used(story))["buyer"] == 0
    refunds = (await story.view(ret)).refunds
    assert sum(refund["amount_minor"] for refund in refunds) == 95_10 * (2 if name == "paid" else 1)
