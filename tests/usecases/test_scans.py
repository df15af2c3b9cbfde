"""Scans: only our own parcels count, in any order, and the carrier's list says the same."""

from __future__ import annotations

from datetime import timedelta

from returns_api.ports.carriers import TrackingScan, TrackingStatus
from returns_api.usecases import _tracking, returns
from tests.support.labelled import opened, parcel
from tests.support.story import Story
from tests.support.story_scene import PARCEL


async def test_a_scan_moves_parcel_and_return(story: Story) -> None:
    ret = await opened(story)
    await story.drain()
    await story.scan(ret, "pre_transit")
    assert (await story.again(ret)).state == "approved"
    await story.scan(ret, "in_transit")
    ret = await story.again(ret)
    assert ret.next_deadline is not None
    assert (ret.state, ret.next_deadline.kind) == ("in_transit", "arrive")
    await story.scan(ret, "delivered")
    assert (await parcel(story, ret)).state == "delivered"
    assert (await story.again(ret)).state == "in_transit", "delivered is not received"
    assert await story.happened((await parcel(story, ret)).id) == [
        "shipment.label_ready",
        "return.expected",
        "shipment.in_transit",
        "shipment.delivered",
    ]


async def test_repeated_late_and_disordered_scans_are_harmless(story: Story) -> None:
    ret = await opened(story)
    await story.drain()
    now = story.clock()
    for hours, status in ((5, "delivered"), (1, "in_transit"), (5, "delivered"), (2, "failure")):
        await story.scan(ret, status, now + timedelta(hours=hours))
    shipment = await parcel(story, ret)
    assert shipment.state == "delivered"
    assert shipment.last_scan_at == now + timedelta(hours=5)
    assert len(await story.rows("SELECT 1 FROM scans")) == 3
    assert (await story.happened(shipment.id)).count("shipment.delivered") == 1
    assert (await story.again(ret)).state == "in_transit"


async def test_a_lost_parcel_shows_up_again(story: Story) -> None:
    ret = await opened(story)
    await story.drain()
    now = story.clock()
    for hours, status in enumerate(("in_transit", "failure", "in_transit", "delivered")):
        await story.scan(ret, status, now + timedelta(hours=hours))
    assert await story.happened((await parcel(story, ret)).id) == [
        "shipment.label_ready",
        "return.expected",
        "shipment.in_transit",
        "shipment.lost",
        "shipment.in_transit",
        "shipment.delivered",
    ]


async def test_only_our_own_label_counts(story: Story) -> None:
    """A tracking code that somebody names is no proof: it has to be the label that we bought."""
    ret = await opened(story)
    await story.drain()
    shipment = await parcel(story, ret)
    for label, code in (("shp_foreign", shipment.tracking_code), (None, "EZ000")):
        await story.scan(ret, "delivered", carrier_shipment_id=label, tracking_code=code)
    async with story.ctx.database.transaction(story.shop) as tx:
        scan = TrackingScan(
            tracking_code=shipment.tracking_code or "",
            carrier_shipment_id=shipment.carrier_shipment_id,
            status=TrackingStatus.DELIVERED,
            at=story.clock(),
        )
        await _tracking.apply(tx, story.ctx, "another-carrier", scan)
    assert (await parcel(story, ret)).state == "label_ready"
    assert (await story.again(ret)).state == "approved"
    assert await story.rows("SELECT 1 FROM scans") == []
    await story.scan(ret, "in_transit", carrier_shipment_id=None)
    assert (await story.again(ret)).state == "in_transit", "some carriers name the code alone"


async def test_a_scan_that_came_before_the_label_was_known_is_not_lost(story: Story) -> None:
    """The answer to the purchase was lost; the carrier's webhook was not."""
    await story.carrier.script("reset_after")
    ret = await opened(story)
    await story.drain()
    await story.scan(ret, "in_transit")
    assert (await parcel(story, ret)).state == "label_due"
    await story.drain(seconds=5)
    assert (await parcel(story, ret)).state == "in_transit"
    assert (await story.again(ret)).state == "in_transit"


async def test_scans_after_the_end_change_nothing(story: Story) -> None:
    ret = await opened(story)
    await story.drain()
    await story.act(ret, returns.canceling)
    await story.drain()
    await story.scan(ret, "delivered")
    assert (await parcel(story, ret)).state == "voided"
    assert (await story.again(ret)).state == "canceled"


async def test_the_carriers_own_list_says_the_same_as_its_webhooks(story: Story) -> None:
    ret = await opened(story)
    await story.drain()
    shipment = await parcel(story, ret)
    assert shipment.carrier_shipment_id is not None
    await story.carrier.walk(shipment.carrier_shipment_id)
    scans = await story.ctx.carriers["easypost"].track(
        story.carrier.account, shipment.carrier_shipment_id
    )
    for scan in (*scans, *reversed(scans)):
        async with story.ctx.database.transaction(story.shop) as tx:
            await _tracking.apply(tx, story.ctx, PARCEL, scan)
    assert (await parcel(story, ret)).state == "delivered"
