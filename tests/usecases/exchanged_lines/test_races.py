"""Everybody acts at once on a return of several exchanged lines: each unit ends once, in goods or
in money, and nobody waits for another in a circle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, Final

import pytest

from returns_api.domain.access import Role
from returns_api.domain.errors import ReturnsError
from returns_api.domain.events import By
from returns_api.domain.exchanges import ExchangeRecord
from returns_api.domain.orders import OrderSeen
from returns_api.usecases import deadlines, exchanges, returns
from returns_api.usecases._acting import Acting
from returns_api.usecases.audits import audit_shop
from tests.support.exchanging_lines import SHIPPING
from tests.support.story import Story
from tests.support.story_orders import freight, goods
from tests.support.story_scene import Order

PAID: Final = 30_00
PRICES: Final = {"a": 35_00, "b": 40_00, "c": 20_00}


async def pay(story: Story, made: ExchangeRecord, reference: str) -> None:
    """Finance tells the difference of a line."""
    who = Acting(story.finance, By("finance", story.finance.credential_id), made.id)
    difference = PRICES[made.line_external] - PAID
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await exchanges.record_payment(tx, story.ctx, who, difference, reference)


async def all_at_once(story: Story, random: Random, *what: Awaitable[Any]) -> None:
    """In any order, side by side; whoever comes too late is told so, and by nothing else."""
    shuffled = random.sample(what, len(what))
    for outcome in await asyncio.gather(*shuffled, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, ReturnsError):
            raise outcome


async def agreed(story: Story, order: Order) -> dict[str, ExchangeRecord]:
    """Three lines, of which two cost more than what comes back."""
    made = await story.exchange_lines(order, dict.fromkeys(PRICES, 1))
    for name, price in PRICES.items():
        await story.take(made[name], exchanges.in_stock(price, None, None), story.agent)
        if price > PAID:
            await story.take(made[name], exchanges.accepting, story.who(Role.BUYER, order))
    return made


@pytest.mark.parametrize("seed", [1, 2])
async def test_whoever_comes_first_each_unit_ends_once(story: Story, seed: int) -> None:
    random = Random(seed)
    late = [goods("b", PAID, tags=("late",)), goods("c", PAID), freight(SHIPPING)]
    order = await story.order(goods("a", PAID), *late, paid=[40_00, 53_90])
    made, buyer = await agreed(story, order), story.who(Role.BUYER, order)
    ret = (await returns.get_return(story.ctx, story.agent, made["a"].return_id)).ret
    await story.receive(ret, dict.fromkeys(PRICES, 1))
    ret, graded = await story.again(ret), [(name, "sealed") for name in PRICES]
    if seed % 2:
        await story.inspect(ret, *graded)
    edited = replace(story.facts(order), updated_at=story.clock() + timedelta(hours=1))
    await all_at_once(
        story,
        random,
        story.inspect(ret, *graded),
        *(pay(story, made[name], f"pi_{name}_{number}") for name in "ab" for number in range(2)),
        story.take(made["a"], exchanges.canceling, buyer),
        story.take(made["b"], exchanges.out_of_stock([]), story.agent),
        story.take(made["c"], exchanges.canceling, buyer),
        story.refund(order, 30_00),
        story.tell(story.dispute_of(order.intents[0], 40_00)),
        story.see(OrderSeen(edited)),
        deadlines.keep_deadlines(story.ctx, story.shop, ret.id),
    )
    await story.drain(days=8)
    await story.drain(days=8)
    found = await story.exchanges_of(ret.id)
    assert not any(each.is_open for each in found.values())
    rows = await story.rows("SELECT amount_minor FROM refunds WHERE return_id = $1", ret.id)
    assert len(rows) <= 1, "the money of a return moves once"
    due = 3 * PAID + (SHIPPING if any(each.ended_in_money for each in found.values()) else 0)
    drawn = sum(each.drawn_minor for each in found.values())
    assert drawn + sum(row["amount_minor"] for row in rows) == due
    assert not (await audit_shop(story.ctx, story.shop)).tally.counts
