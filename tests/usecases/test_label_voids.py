"""Labels that nobody needs are given back, once it is known whether they were bought."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from returns_api.domain.errors import NotFound
from returns_api.domain.events import By
from returns_api.domain.returns import ReturnRecord
from returns_api.ports.errors import OutcomeUnknown
from returns_api.usecases import returns, shipments
from tests.support.gates import Gate
from tests.support.labelled import books, opened, parcel
from tests.support.story import Story
from tests.support.story_orders import goods


async def being_paid(story: Story) -> tuple[ReturnRecord, Gate, asyncio.Task[None]]:
    """A return whose label somebody pays the carrier for, until the gate opens."""
    gate = Gate(story.ctx.carriers["easypost"], "buy_label")
    ctx = replace(story.ctx, carriers={"easypost": gate})
    ret = await opened(story)
    shipment_id = (await parcel(story, ret)).id
    worker = asyncio.create_task(shipments.carry_label(ctx, story.shop, shipment_id))
    await gate.arrived.wait()
    return ret, gate, worker


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
    ret, gate, worker = await being_paid(story)
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
    ret, gate, zombie = await being_paid(story)
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
