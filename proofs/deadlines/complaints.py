"""Ways to have each deadline of a complaint stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from proofs.deadlines.cases import CHEAP, Case, Make
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

from returns_api.domain.access import Role
from returns_api.domain.complaints import ComplaintRecord
from returns_api.domain.events import By
from returns_api.usecases import complaints, deadlines
from returns_api.usecases._acting import Acting


async def _complained(story: Story, *acts: str) -> tuple[Order, ComplaintRecord]:
    """A complaint about an order, after these acts of the shop."""
    order = await story.order(goods("coat", CHEAP))
    buyer = story.who(Role.BUYER, order)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        made = await complaints.open_complaint(
            tx, story.ctx, buyer, By("buyer", buyer.credential_id), order.id,
            return_id=None, category="service", text="Nobody answers.",
        )  # fmt: skip
        for act in acts:
            who = Acting(story.agent, By("agent"), made.id)
            await complaints.act(tx, story.ctx, who, act, "Sorry.")
    return order, made


def _complaint(made: ComplaintRecord, kind: str, event: str) -> Case:
    return Case("complaint", f"complaint_{kind}", f"complaint.{event}", None, made.id)


async def complaint_promise(story: Story) -> Case:
    return _complaint((await _complained(story))[1], "promise", "escalated")


async def complaint_escalation(story: Story) -> Case:
    """Escalated by a sweep of its own, since the other cases' clocks must not move on."""
    _, made = await _complained(story)
    await _until(story, made, "escalated")
    return _complaint(made, "escalation", "overdue")


async def complaint_answer(story: Story) -> Case:
    return _complaint((await _complained(story, "ask"))[1], "answer", "closed")


async def complaint_follow_up(story: Story) -> Case:
    return _complaint((await _complained(story, "resolve"))[1], "follow_up", "closed")


async def complaint_rating(story: Story) -> Case:
    _, made = await _complained(story, "resolve")
    await _until(story, made, "closed")
    return _complaint(made, "rating", "unrated")


async def _until(story: Story, made: ComplaintRecord, state: str) -> None:
    """Let the complaint's own deadline pass, as if its moment had come."""
    later = replace(story.ctx, clock=lambda: story.clock() + timedelta(days=10))
    await deadlines.keep_order_deadlines(later, story.shop, made.order_id)
    found = await complaints.get_complaint(story.ctx, story.agent, made.id)
    assert found.state == state, found.state


MAKERS: Final[Mapping[str, Make]] = {
    "complaint.complaint_promise": complaint_promise,
    "complaint.complaint_escalation": complaint_escalation,
    "complaint.complaint_answer": complaint_answer,
    "complaint.complaint_follow_up": complaint_follow_up,
    "complaint.complaint_rating": complaint_rating,
}
