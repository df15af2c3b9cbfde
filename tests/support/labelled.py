"""A return whose label is bought, its parcel, and what the carrier's books say of it."""

from __future__ import annotations

from typing import Any

from returns_api.domain import ids
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.shipments import ShipmentRecord
from tests.support.story import Story
from tests.support.story_orders import goods


async def opened(story: Story, **more: Any) -> ReturnRecord:
    order = await story.order(goods("shirt", 2000, 2, weight_grams=300), **more)
    return await story.open(order, {"shirt": 2})


async def parcel(story: Story, ret: ReturnRecord) -> ShipmentRecord:
    shipment = (await story.view(ret)).shipment
    assert shipment is not None
    return shipment


async def books(story: Story, ret: ReturnRecord) -> dict[str, Any]:
    """What the carrier counted for the return's parcel."""
    return await story.carrier.labels(ids.encode("shm", (await parcel(story, ret)).id))
