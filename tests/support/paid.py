"""Orders that were paid in one part or several."""

from __future__ import annotations

from typing import Any

from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import Order

PAID = 10000


async def an_order(story: Story, *paid: int, **more: Any) -> Order:
    total = sum(paid) if paid else PAID
    return await story.order(goods("thing", total), paid=paid or None, **more)
