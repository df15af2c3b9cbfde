"""What a case of the proof is: an object whose deadline stands, and what its silence has to tell.

Owns the policy that makes every deadline possible. Refuses to own the ways to them: each noun has
its ``MAKERS`` in a file of its own (``returns``, ``disputes``, ``exchanges`` …).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from tests.support.story import POLICY, Story, with_repairs
from tests.support.story_orders import goods
from tests.support.story_scene import Order

from returns_api.domain.returns import ReturnRecord

CHEAP, COSTLY, STRICT = 2_000, 60_000, 95_000
"""Prices: decided at once; reviewed, silence approves; reviewed, silence rejects (minor units)."""
NOTHING: Final = ""
"""The event of a silence that tells nobody."""
STRICT_POLICY: Final = (
    with_repairs(POLICY)
    .replace(
        "  - id: costly",
        "  - id: strict\n    when: {unit_price: {min: 900.00}}\n"
        "    approval: {respond_within: 48 hours, on_silence: reject}\n  - id: costly",
    )
    .replace("[post, dropoff, in_store]", "[post, dropoff, in_store, pickup]")
)


@dataclass(frozen=True, slots=True)
class Case:
    """An object whose deadline ``kind`` stands; silence tells ``event`` of it by ``system``."""

    machine: str
    kind: str
    event: str
    return_id: UUID | None
    object_id: UUID


Make = Callable[[Story], Awaitable[Case]]


async def opened(story: Story, price: int) -> tuple[Order, ReturnRecord]:
    """A return of a coat at a price, as the policy decides it."""
    order = await story.order(goods("coat", price))
    return order, await story.open(order, {"coat": 1})
