"""A carrier with few capabilities: the label's files are kept, an unclear purchase is repeated, the
parcel is asked for, and what nobody needs is not given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from returns_api.db import erasure
from returns_api.domain import ids
from returns_api.domain.errors import Conflict
from returns_api.domain.events import SYSTEM
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.shipments import ASK_FOR_SCANS, ShipmentRecord
from returns_api.usecases import returns, tracking
from returns_api.usecases.connections import deactivate_connection
from tests.support.story import Story
from tests.support.story_orders import BUYER, goods
from tests.support.story_scene import PARCEL, Order

DHL = "dhl"
SENDER = replace(BUYER, postcode="10115", city="Berlin", country="DE")


@pytest.fixture
async def shop(story: Story) -> Story:
    """The story with DHL in the place of EasyPost."""
    await deactivate_connection(story.ctx, story.shop, SYSTEM, PARCEL)
    url = story.carrier.base_url
    await story.connect(DHL, "carrier", "dhl_returns", url, "key:user:pass")
    return story


async def opened(story: Story) -> tuple[Order, ReturnRecord]:
    order = await story.order(goods("shirt", 2000, 2, weight_grams=300), buyer=SENDER)
    return order, await story.open(order, {"shirt": 2})


async def parcel(story: Story, ret: ReturnRecord) -> ShipmentRecord:
    shipment = (await story.view(ret)).shipment
    assert shipment is not None
    return shipment


async def test_the_files_are_kept_until_the_person_is_forgotten(shop: Story) -> None:
    order, ret = await opened(shop)
    with pytest.raises(Conflict):
        await tracking.get_label_document(shop.ctx, shop.agent, ret.id, "label")
    await shop.drain()
    shipment = await parcel(shop, ret)
    assert (shipment.state, shipment.label_url, shipment.cost_minor) == ("label_ready", None, None)
    assert list(shipment.label_forms) == ["label", "qr"]
    for form, media_type, magic in (
        ("label", "application/pdf", b"%PDF"),
        ("qr", "image/png", b"\x89PNG"),
    ):
        found = await tracking.get_label_document(shop.ctx, shop.agent, ret.id, form)
        assert found["media_type"] == media_type
        assert bytes(found["content"]).startswith(magic)
    async with shop.ctx.database.transaction(shop.shop) as tx:
        assert await erasure.erase_person(tx, order.id, shop.clock())
    with pytest.raises(Conflict):
        await tracking.get_label_document(shop.ctx, shop.agent, ret.id, "label")


async def test_an_unclear_purchase_is_repeated_and_one_label_is_shown(shop: Story) -> None:
    await shop.carrier.script("reset_after")
    _, ret = await opened(shop)
    await shop.drain()
    assert (await parcel(shop, ret)).state == "label_due"
    await shop.drain(seconds=5)
    shipment = await parcel(shop, ret)
    assert shipment.state == "label_ready"
    seen = await shop.carrier.labels(ids.encode("shm", shipment.id))
    assert (seen["bought"], seen["net_minor"]) == (2, 0)
    assert await shop.happened(shipment.id) == ["shipment.label_ready", "return.expected"]


async def test_parcels_are_asked_for_where_nobody_tells(shop: Story) -> None:
    _, ret = await opened(shop)
    await shop.drain()
    code = (await parcel(shop, ret)).tracking_code
    assert code is not None
    await shop.carrier.scan(code, "in_transit", at=shop.clock().timestamp())
    await shop.drain(seconds=60)
    assert (await parcel(shop, ret)).state == "label_ready", "not asked yet"
    await shop.carrier.script({"fault": "reset_before", "on": "read"})
    await shop.drain(seconds=ASK_FOR_SCANS.total_seconds())
    assert (await parcel(shop, ret)).state == "label_ready", "nobody answered"
    await shop.drain(seconds=900)
    assert (await parcel(shop, ret)).state == "in_transit"
    assert (await shop.again(ret)).state == "in_transit"
    await shop.carrier.walk(code)
    await shop.drain(seconds=ASK_FOR_SCANS.total_seconds())
    assert (await parcel(shop, ret)).state == "delivered"
    await shop.drain(days=2)
    async with shop.ctx.database.transaction(shop.shop) as tx:
        due = await tx.connection.fetchval("SELECT track_at FROM shipments")
    assert due is None, "a delivered parcel is asked for no more"


async def test_what_nobody_needs_is_not_given_back_and_costs_nothing(shop: Story) -> None:
    _, ret = await opened(shop)
    await shop.drain()
    await shop.act(ret, returns.canceling)
    await shop.drain()
    shipment = await parcel(shop, ret)
    assert shipment.state == "voided"
    assert (await shop.carrier.labels(ids.encode("shm", shipment.id)))["voided"] == 0
    with pytest.raises(Conflict):
        await tracking.get_label_document(shop.ctx, shop.agent, ret.id, "label")


async def test_two_workers_ask_once(shop: Story) -> None:
    _, ret = await opened(shop)
    await shop.drain()
    shipment = await parcel(shop, ret)
    later = shop.clock() + ASK_FOR_SCANS + timedelta(seconds=1)
    ctx = replace(shop.ctx, clock=lambda: later)
    for _ in range(2):
        await tracking.track_parcel(ctx, shop.shop, shipment.id)
    assert await tracking.due_parcels(ctx, 10) == []
