"""Labels: bought once whatever dies in between, given back when nobody needs them; only our own
parcels count. The carrier's own books say what was paid."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from returns_api.domain import ids
from returns_api.domain.errors import ActionNotAllowed, NotFound
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.shipments import ShipmentRecord
from returns_api.ports.carriers import TrackingScan, TrackingStatus
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.usecases import _tracking, returns, shipments
from returns_api.usecases.connections import deactivate_connection
from returns_api.worker import sweep
from tests.support.gates import Gate
from tests.support.story import BUYER, PARCEL, Story, goods


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


async def test_a_label_is_bought_once(story: Story) -> None:
    ret = await opened(story)
    await story.drain()
    await story.drain(days=2)
    shipment = await parcel(story, ret)
    assert shipment.state == "label_ready"
    assert shipment.label_url is not None
    assert shipment.tracking_code is not None
    seen = await books(story, ret)
    assert (seen["bought"], seen["voided"], seen["net_minor"]) == (1, 0, shipment.cost_minor)
    assert await story.happened(shipment.id) == ["shipment.label_ready", "return.expected"]


async def test_ten_workers_buy_one_label(story: Story) -> None:
    ret = await opened(story)
    shipment = await parcel(story, ret)
    await asyncio.gather(
        *(shipments.carry_label(story.ctx, story.shop, shipment.id) for _ in range(10))
    )
    assert (await books(story, ret))["bought"] == 1
    assert (await parcel(story, ret)).attempt == 1


@pytest.mark.parametrize("fault", ["reset_after", "error_after", "garbage", "hang_after"])
async def test_a_lost_answer_is_looked_up_never_bought_twice(story: Story, fault: str) -> None:
    await story.carrier.script({"fault": fault, "seconds": 2})
    ret = await opened(story)
    await story.drain()
    assert (await parcel(story, ret)).state == "label_due"
    await story.drain(seconds=5)
    assert (await parcel(story, ret)).state == "label_ready"
    assert (await books(story, ret))["bought"] == 1


@pytest.mark.parametrize("fault", ["reset_before", "error_before", "rate_limited"])
async def test_a_carrier_that_is_away_is_asked_again(story: Story, fault: str) -> None:
    await story.carrier.script(fault, fault)
    ret = await opened(story)
    await story.drain()
    shipment = await parcel(story, ret)
    assert (shipment.state, shipment.tries) == ("label_due", 1)
    assert shipment.last_error
    await story.drain(seconds=5)
    await story.drain(seconds=20)
    assert (await parcel(story, ret)).state == "label_ready"
    assert (await books(story, ret))["bought"] == 1


async def test_preparing_may_be_repeated_it_costs_nothing(story: Story) -> None:
    await story.carrier.script({"fault": "reset_after", "on": "prepare"})
    ret = await opened(story)
    await story.drain()
    await story.drain(seconds=5)
    seen = await books(story, ret)
    assert (seen["shipments"], seen["bought"]) == (2, 1)


async def test_a_refused_label_waits_for_a_person_and_the_return_lives_on(story: Story) -> None:
    ret = await opened(story, buyer=replace(BUYER, street1=None))
    await story.drain()
    shipment = await parcel(story, ret)
    assert (shipment.state, shipment.last_error) == ("label_failed", "an address is missing")
    assert (await story.again(ret)).state == "approved"
    by = By("agent")
    with pytest.raises(ActionNotAllowed):
        await shipments.retry_label(story.ctx, story.dock, By("warehouse"), ret.id)
    await shipments.retry_label(story.ctx, story.agent, by, ret.id)
    assert (await parcel(story, ret)).state == "label_due"
    with pytest.raises(ActionNotAllowed):
        await shipments.retry_label(story.ctx, story.agent, by, ret.id)
    await story.drain()
    assert await story.happened(shipment.id) == [
        "shipment.label_failed",
        "shipment.label_due",
        "shipment.label_failed",
    ]


async def test_what_the_carrier_refused_is_prepared_anew(story: Story) -> None:
    """A rejection proves that the prepared shipment was not bought; its faults went with it."""
    gate = Gate(story.ctx.carriers["easypost"])
    gate.refusals["buy_label"] = [ProviderRejected("address_unknown", "no such street")]
    ctx = replace(story.ctx, carriers={"easypost": gate})
    ret = await opened(story)
    await sweep.drain(ctx)
    shipment = await parcel(story, ret)
    assert (shipment.state, shipment.carrier_shipment_id) == ("label_failed", None)
    await shipments.retry_label(ctx, story.agent, By("agent"), ret.id)
    await sweep.drain(ctx)
    assert (await parcel(story, ret)).state == "label_ready"
    seen = await books(story, ret)
    assert (seen["shipments"], seen["bought"]) == (2, 1)


async def test_an_endless_outage_ends_with_a_person(story: Story) -> None:
    gate = Gate(story.ctx.carriers["easypost"])
    gate.refusals["prepare_label"] = [ProviderUnavailable("away") for _ in range(100)]
    ctx = replace(story.ctx, carriers={"easypost": gate})
    ret = await opened(story)
    for _ in range(70):
        story.clock.forward(hours=1)
        await shipments.carry_label(ctx, story.shop, (await parcel(story, ret)).id)
    shipment = await parcel(story, ret)
    assert (shipment.state, shipment.tries) == ("label_failed", 60)
    gate.refusals.clear()
    await shipments.retry_label(ctx, story.agent, By("agent"), ret.id)
    await sweep.drain(ctx)
    assert (await parcel(story, ret)).state == "label_ready"


async def test_a_worker_that_dies_each_time_does_not_loop_for_ever(story: Story) -> None:
    gate = Gate(story.ctx.carriers["easypost"])
    gate.refusals["prepare_label"] = [RuntimeError("the worker dies here") for _ in range(100)]
    ctx = replace(story.ctx, carriers={"easypost": gate})
    shipment_id = (await parcel(story, await opened(story))).id
    deaths = 0
    for _ in range(70):
        story.clock.forward(minutes=2)
        try:
            await shipments.carry_label(ctx, story.shop, shipment_id)
        except RuntimeError:
            deaths += 1
    assert deaths == 60
    (row,) = await story.rows("SELECT state, due_at FROM shipments")
    assert (row["state"], row["due_at"]) == ("label_failed", None)


async def test_without_a_connection_a_person_must_look(story: Story) -> None:
    ret = await opened(story)
    await deactivate_connection(story.ctx, story.shop, SYSTEM, PARCEL)
    await story.drain()
    shipment = await parcel(story, ret)
    assert (shipment.state, shipment.last_error) == ("label_failed", "the carrier is not connected")


# A label that nobody needs


async def test_a_bought_label_of_a_canceled_return_is_paid_back(story: Story) -> None:
    ret = await opened(story)
    await story.drain()
    await story.act(ret, returns.canceling)
    assert (await parcel(story, ret)).state == "void_due"
    await story.drain()
    shipment = await parcel(story, ret)
    assert (shipment.state, shipment.due_at) == ("voided", None)
    assert (await books(story, ret))["net_minor"] == 0
    last = (await story.events(shipment.id))[-1]
    assert (last["type"], last["data"]["given_back"], last["data"]["cost"]) == (
        "shipment.voided",
        True,
        shipment.cost_minor,
    )


async def test_an_expired_return_gives_its_label_back_too(story: Story) -> None:
    ret = await opened(story)
    await story.drain()
    await story.drain(days=15)
    await story.drain()
    assert (await story.again(ret)).state == "expired"
    assert (await books(story, ret))["voided"] == 1


async def test_an_unbought_label_is_simply_not_bought(story: Story) -> None:
    ret = await opened(story)
    await story.act(ret, returns.canceling)
    await story.drain()
    assert (await parcel(story, ret)).state == "voided"
    assert (await books(story, ret))["shipments"] == 0


@pytest.mark.parametrize(("fault", "net"), [("reset_after", 0), ("reset_before", 0)])
async def test_a_label_of_unknown_fate_is_looked_up_before_it_is_given_back(
    story: Story, fault: str, net: int
) -> None:
    await story.carrier.script(fault)
    ret = await opened(story)
    await story.drain()
    await story.act(ret, returns.canceling)
    assert (await parcel(story, ret)).state == "void_due"
    await story.drain()
    shipment, seen = await parcel(story, ret), await books(story, ret)
    assert shipment.state == "voided"
    assert seen["bought"] == seen["voided"] == (1 if fault == "reset_after" else 0)
    assert seen["net_minor"] == net


async def test_a_label_that_was_used_is_not_paid_back_and_it_is_told(story: Story) -> None:
    ret = await opened(story)
    await story.drain()
    shipment = await parcel(story, ret)
    assert shipment.carrier_shipment_id is not None
    await story.carrier.scan(shipment.carrier_shipment_id, "in_transit", announce=False)
    await story.act(ret, returns.canceling)
    await story.drain()
    shipment = await parcel(story, ret)
    assert (shipment.state, shipment.last_error) == ("void_failed", "the carrier keeps the money")
    last = (await story.events(shipment.id))[-1]
    assert (last["type"], last["data"]["given_back"]) == ("shipment.void_failed", False)
    await shipments.retry_label(story.ctx, story.agent, By("agent"), ret.id)
    await story.drain()
    assert (await parcel(story, ret)).state == "void_failed"


async def test_a_carrier_that_is_away_is_asked_for_the_money_again(story: Story) -> None:
    ret = await opened(story)
    await story.drain()
    await story.carrier.script({"fault": "error_before", "on": "void"})
    await story.act(ret, returns.canceling)
    await story.drain()
    assert (await parcel(story, ret)).state == "void_due"
    await story.drain(seconds=5)
    assert (await parcel(story, ret)).state == "voided"
    assert (await books(story, ret))["voided"] == 1


async def test_a_purchase_under_way_is_given_back_when_it_comes_through(story: Story) -> None:
    """The return is canceled while the carrier is being paid."""
    gate = Gate(story.ctx.carriers["easypost"], "buy_label")
    ctx = replace(story.ctx, carriers={"easypost": gate})
    ret = await opened(story)
    shipment_id = (await parcel(story, ret)).id
    worker = asyncio.create_task(shipments.carry_label(ctx, story.shop, shipment_id))
    await gate.arrived.wait()
    await story.act(ret, returns.canceling)
    assert (await parcel(story, ret)).state == "void_due"
    gate.open.set()
    await worker
    assert (await parcel(story, ret)).tracking_code is not None
    await story.drain()
    assert (await parcel(story, ret)).state == "voided"
    assert (await books(story, ret))["net_minor"] == 0


async def test_a_paused_worker_that_pays_late_is_paid_back(story: Story) -> None:
    """It wakes up after another one found nothing bought and closed the label."""
    gate = Gate(story.ctx.carriers["easypost"], "buy_label")
    ctx = replace(story.ctx, carriers={"easypost": gate})
    ret = await opened(story)
    shipment_id = (await parcel(story, ret)).id
    zombie = asyncio.create_task(shipments.carry_label(ctx, story.shop, shipment_id))
    await gate.arrived.wait()
    await story.act(ret, returns.canceling)
    await story.drain(minutes=5)
    assert (await parcel(story, ret)).state == "voided"
    gate.open.set()
    await zombie
    assert (await parcel(story, ret)).state == "void_due"
    await story.drain()
    assert (await parcel(story, ret)).state == "voided"
    seen = await books(story, ret)
    assert (seen["bought"], seen["voided"], seen["net_minor"]) == (1, 1, 0)


async def test_a_paused_worker_that_prepared_late_buys_nothing(story: Story) -> None:
    gate = Gate(story.ctx.carriers["easypost"], "prepare_label")
    ctx = replace(story.ctx, carriers={"easypost": gate})
    ret = await opened(story)
    shipment_id = (await parcel(story, ret)).id
    zombie = asyncio.create_task(shipments.carry_label(ctx, story.shop, shipment_id))
    await gate.arrived.wait()
    await story.drain(minutes=5)
    assert (await parcel(story, ret)).state == "label_ready"
    gate.open.set()
    await zombie
    assert (await books(story, ret))["bought"] == 1


async def test_a_late_failure_does_not_undo_a_label(story: Story) -> None:
    """The paused worker's call failed; meanwhile another worker has bought the label."""
    gate = Gate(story.ctx.carriers["easypost"], "buy_label")
    gate.refusals["buy_label"] = [OutcomeUnknown("no answer")]
    ctx = replace(story.ctx, carriers={"easypost": gate})
    ret = await opened(story)
    shipment_id = (await parcel(story, ret)).id
    zombie = asyncio.create_task(shipments.carry_label(ctx, story.shop, shipment_id))
    await gate.arrived.wait()
    await story.drain(minutes=5)
    gate.open.set()
    await zombie
    shipment = await parcel(story, ret)
    assert (shipment.state, shipment.due_at) == ("label_ready", None)


async def test_goods_that_came_without_a_label_need_none(story: Story) -> None:
    await story.carrier.script("error_before", "error_before", "error_before")
    ret = await opened(story)
    await story.drain()
    await story.receive(ret, {"shirt": 2})
    await story.drain(minutes=10)
    assert (await parcel(story, ret)).state == "voided"
    assert (await books(story, ret))["bought"] == 0


async def test_goods_that_came_with_the_label_keep_it(story: Story) -> None:
    ret = await opened(story)
    await story.drain()
    await story.receive(ret, {"shirt": 2})
    assert (await parcel(story, ret)).state == "label_ready"


async def test_a_return_without_a_parcel_has_no_label_to_try(story: Story) -> None:
    order = await story.order(goods("shirt", 2000))
    ret = await story.open(order, {"shirt": 1}, method="in_store")
    with pytest.raises(NotFound):
        await shipments.retry_label(story.ctx, story.agent, By("agent"), ret.id)


# Scans


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
    for other in (
        {"carrier_shipment_id": "shp_foreign", "tracking_code": shipment.tracking_code},
        {"carrier_shipment_id": None, "tracking_code": "EZ000"},
    ):
        await story.scan(ret, "delivered", **other)
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
