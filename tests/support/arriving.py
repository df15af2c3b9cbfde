"""A return of several of one thing, and what is paid for it."""

from __future__ import annotations

from typing import Any

from returns_api.domain.events import SYSTEM
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases import policies
from tests.support.story import POLICY, Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order


async def opened(story: Story, quantity: int = 5, **more: Any) -> tuple[Order, ReturnRecord]:
    order = await story.order(goods("shirt", 2000, quantity), **more)
    return order, await story.open(order, {"shirt": quantity}, method="in_store")


async def amount(story: Story, ret: ReturnRecord) -> int:
    return int((await story.refund_of(ret)).refund["amount_minor"])


async def policy_with(story: Story, old: str, new: str) -> None:
    """Another policy for the orders of the next day."""
    story.clock.forward(days=1)
    assert old in POLICY
    source = POLICY.replace(old, new)
    draft = await policies.draft_policy(story.ctx, story.shop, SYSTEM, source)
    await policies.publish_policy(
        story.ctx, story.shop, SYSTEM, draft["id"], effective_from=None, acknowledge="a test"
    )
