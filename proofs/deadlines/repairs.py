"""Ways to have each deadline of a repair stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from proofs.deadlines.cases import CHEAP, Case, Make
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

from returns_api.domain.access import Principal, Role
from returns_api.domain.events import By
from returns_api.domain.repair_prices import Asked
from returns_api.domain.repairs import RepairRecord
from returns_api.usecases import deadlines, repairs
from returns_api.usecases._acting import Acting

REPAIRED: Final = [Asked("hour", 1, covered=False)]
"""What every repair takes."""


async def _repair(story: Story, reason: str = "other") -> tuple[Order, RepairRecord]:
    """A coat at the repair point. One that is worn costs and goes back; a faulty one could be paid
    back, too."""
    await story.repairs(prices={"hour": {"kind": "labour", "title": "An hour", "price": 500}})
    order = await story.order(goods("coat", CHEAP))
    photos = {"coat": 1} if reason == "defective" else None
    ret = await story.open(order, {"coat": 1}, resolution="repair", reason=reason, photos=photos)
    await story.bring_back(ret, "defective")
    (made,) = await repairs.list_repairs(
        story.ctx, story.agent, before=UUID(int=2**128 - 1), limit=1, return_id=ret.id, states=None
    )
    return order, made


async def _mend(story: Story, made: RepairRecord, plan: repairs.Plan, person: Principal) -> None:
    who = Acting(person, By(person.role.value, person.credential_id), made.id)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await repairs.act(tx, story.ctx, who, plan)


async def _quoted(story: Story) -> tuple[Order, RepairRecord]:
    order, made = await _repair(story)
    who = Acting(story.agent, By("agent"), made.id)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await repairs.quote(tx, story.ctx, who, REPAIRED, None)
    return order, made


def _mended(made: RepairRecord, kind: str, event: str) -> Case:
    return Case("repair", kind, f"repair.{event}", made.return_id, made.id)


async def diagnosis(story: Story) -> Case:
    return _mended((await _repair(story))[1], "diagnosis", "escalated")


async def escalation(story: Story) -> Case:
    """The escalation itself is a silence that has passed."""
    _, made = await _repair(story)
    later = story.clock() + timedelta(days=7, seconds=1)
    ahead = replace(story.ctx, clock=lambda: later)
    await deadlines.keep_deadlines(ahead, story.shop, made.return_id)
    return _mended(made, "escalation", "ready")


async def repair_answer(story: Story) -> Case:
    return _mended((await _quoted(story))[1], "repair_answer", "payment_due")


async def workmanship(story: Story) -> Case:
    order, made = await _quoted(story)
    await _mend(story, made, repairs.accepting, story.who(Role.BUYER, order))
    return _mended(made, "workmanship", "overdue")


async def repair_payment(story: Story) -> Case:
    order, made = await _quoted(story)
    await _mend(story, made, repairs.accepting, story.who(Role.BUYER, order))
    await _mend(story, made, repairs.finishing, story.agent)
    return _mended(made, "repair_payment", "overdue")


async def instead(story: Story) -> Case:
    _, made = await _repair(story, "defective")
    await _mend(story, made, repairs.giving_up("no_parts"), story.agent)
    return _mended(made, "instead", "converted")


async def giving_back(story: Story) -> Case:
    _, made = await _repair(story)
    await _mend(story, made, repairs.giving_up("no_parts"), story.agent)
    return _mended(made, "giving_back", "overdue")


async def given_back(story: Story) -> Case:
    _, made = await _repair(story)
    await _mend(story, made, repairs.giving_up("no_parts"), story.agent)
    who = Acting(story.agent, By("agent"), made.id)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await repairs.ship(tx, story.ctx, who, None, None)
    return _mended(made, "arrival", "completed")


MAKERS: Final[Mapping[str, Make]] = {
    "repair.diagnosis": diagnosis,
    "repair.escalation": escalation,
    "repair.repair_answer": repair_answer,
    "repair.workmanship": workmanship,
    "repair.repair_payment": repair_payment,
    "repair.instead": instead,
    "repair.giving_back": giving_back,
    "repair.arrival": given_back,
}
