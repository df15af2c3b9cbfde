"""Returns at random, every line with a fate of its own: goods and money are what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final
from uuid import UUID

import pytest

from returns_api.db import reservations
from returns_api.domain.access import Role
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.exchanges import Alternative, ExchangeRecord
from returns_api.usecases import exchanges, returns
from returns_api.usecases._acting import Acting
from returns_api.usecases._settlement import settle_if_due
from returns_api.usecases.audits import audit_shop
from tests.support.exchanging_lines import FREIGHT, SHIPPING
from tests.support.story import Story
from tests.support.story_orders import freight, goods
from tests.support.story_scene import Order


@dataclass
class Fate:
    """One line of a random return: what it is, what shop and buyer do about it, what comes."""

    name: str
    price: int
    late: bool
    ends: str
    wanted_minor: int
    grades: Sequence[str]
    early: bool
    """Whether shop and buyer are done before the goods are here."""

    @property
    def worth(self) -> int:
        """What its units count for without the freight."""
        lost = {"sealed": 0, "used_worn": 300_000, "empty_box": 1_000_000}
        found = (each for each in self.grades if each != "missing")
        return sum(self.price - self.price * lost[each] // 1_000_000 for each in found)


def a_fate(random: Random, name: str) -> Fate:
    price, kinds = random.randint(1, 150_00), ["sealed", "sealed", "used_worn", "empty_box"]
    if name != "l0" and random.random() < 0.1:
        price = 0  # a present of the shop that came with the order
    ends = random.choice(["goods", "goods", "goods", "refund", "store_credit", "gift", "given up"])
    grades = [random.choice(kinds) for _ in range(random.randint(1, 2))]
    if name != "l0" and random.random() < 0.15:
        grades[-1] = "missing"
    wanted = random.choice([0, price, random.randint(0, price), price + random.randint(1, 50_00)])
    return Fate(name, price, random.random() < 0.3, ends, wanted, grades, random.random() < 0.5)


INSTEAD: Final[Mapping[str, list[Alternative]]] = {
    "refund": [],
    "store_credit": [Alternative("store_credit")],
    "gift": [Alternative("refund_and_gift", gift_minor=3_00)],
}


async def decide(story: Story, order: Order, made: ExchangeRecord, fate: Fate) -> None:
    """What shop and buyer do about one line."""
    buyer = story.who(Role.BUYER, order)
    if fate.ends == "given up":
        await story.take(made, exchanges.canceling, buyer)
        return
    if fate.ends == "goods":
        plan = exchanges.in_stock(fate.wanted_minor, None, None)
        await story.take(made, plan, story.agent)
        if (await story.exchanges_of(made.return_id))[fate.name].state == "offered":
            await story.take(made, exchanges.accepting, buyer)
        return
    await story.take(made, exchanges.out_of_stock(INSTEAD[fate.ends]), story.agent)
    await story.take(made, exchanges.choosing(1), buyer)


async def settle_differences(story: Story, random: Random, return_id: UUID) -> None:
    """Each difference is paid, or the buyer gives the goods up, or says nothing."""
    for made in (await story.exchanges_of(return_id)).values():
        if made.state == "awaiting_payment" and random.random() < 0.6:
            who = Acting(story.finance, By("finance", story.finance.credential_id), made.id)
            async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
                await exchanges.record_payment(
                    tx, story.ctx, who, made.due_minor or 0, str(made.id)
                )
        elif made.state == "awaiting_payment" and random.random() < 0.5:
            await story.take(made, exchanges.canceling, story.agent)
    await story.drain(days=8)


async def live(story: Story, seed: int) -> None:
    """A random return of two to four lines, from the order to the last cent."""
    random = Random(seed)
    fates = [a_fate(random, f"l{number}") for number in range(random.randint(2, 4))]
    lines = [
        goods(each.name, each.price, len(each.grades), tags=("late",) if each.late else ())
        for each in fates
    ]
    total = sum(each.price * len(each.grades) for each in fates) + SHIPPING
    first = random.randint(1, total - 1)
    order = await story.order(*lines, freight(SHIPPING), paid=[first, total - first])
    method = random.choice(["post", "in_store"])
    made = await story.exchange_lines(
        order, {each.name: len(each.grades) for each in fates}, method=method
    )
    return_id = made["l0"].return_id
    assert sum(each.expected_minor for each in made.values()) == total - SHIPPING - min(
        FREIGHT if method == "post" else 0, total - SHIPPING
    )
    ret = (await returns.get_return(story.ctx, story.agent, return_id)).ret
    for each in fates:
        if each.early:
            await decide(story, order, made[each.name], each)
    units = [(each.name, grade) for each in fates for grade in each.grades if grade != "missing"]
    counts = {name: sum(name == line for line, _ in units) for name, _ in units}
    await story.receive(ret, counts)
    await story.inspect(ret, *units, close=True)
    for each in fates:
        if not each.early and counts.get(each.name):
            await decide(story, order, made[each.name], each)
    await settle_differences(story, random, return_id)
    await story.drain()
    await check(story, order, return_id, fates, FREIGHT if method == "post" else 0)


async def check(
    story: Story, order: Order, return_id: UUID, fates: Sequence[Fate], charged: int
) -> None:
    """Drawn, refunded and credited are exactly what came back counts for; nothing follows."""
    found = await story.exchanges_of(return_id)
    came = [each for each in fates if {*each.grades} & {"sealed", "used_worn"}]
    in_money = any(found[each.name].outcome is not None for each in came)
    gross = sum(each.worth for each in fates) + (SHIPPING if in_money else 0)
    due = gross - min(charged, gross)
    rows = await story.rows(
        "SELECT t.store_credit_id, t.state, t.amount_minor FROM refunds r JOIN transfers t"
        " ON t.refund_id = r.id WHERE r.return_id = $1 AND r.kind = 'return'",
        return_id,
    )
    assert {row["state"] for row in rows} <= {"succeeded"}
    drawn = sum(each.drawn_minor for each in found.values())
    assert drawn + sum(row["amount_minor"] for row in rows) == due, found
    ways = {each.outcome or each.fallback for each in found.values() if each.units or each.outcome}
    if any(row["store_credit_id"] for row in rows):
        assert "store_credit" in ways
    for each in found.values():
        if each.given:
            assert each.units is not None
            price = (each.unit_price_minor or 0) * len(each.units)
            assert each.drawn_minor + each.paid_minor == price
    assert (await returns.get_return(story.ctx, story.agent, return_id)).ret.state == "completed"
    told = await story.events(return_id)
    async with story.ctx.database.transaction(story.shop) as tx:
        await reservations.lock_payments(tx, order.id)
        assert await settle_if_due(tx, story.ctx, return_id, SYSTEM) == ([], [])
    assert await story.events(return_id) == told
    settled = [each["type"] for each in told if each["type"] == "return.settled"]
    assert len(settled) == (1 if rows else 0)
    released = await story.rows(
        "SELECT resource_id FROM events WHERE type = 'exchange.released' AND return_id = $1",
        return_id,
    )
    assert len(released) == len({row["resource_id"] for row in released})


@pytest.mark.parametrize("seeds", [range(4)])
async def test_goods_and_money_of_any_return_are_what_came_back(
    story: Story, seeds: Sequence[int]
) -> None:
    await story.limit(agent_per_order=100_00, agent_per_day=None)
    for seed in seeds:
        await live(story, seed)
    assert not (await audit_shop(story.ctx, story.shop)).tally.counts
