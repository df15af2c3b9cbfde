"""Labels: bought once, whatever dies in between. The carrier's own books say what was paid."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from returns_api.domain.errors import ActionNotAllowed
from returns_api.domain.events import SYSTEM, By
from returns_api.ports.errors import ProviderRejected, ProviderUnavailable
from returns_api.usecases import shipments
from returns_api.usecases.connections import deactivate_connection
from returns_api.worker import sweep
from tests.support.gates import Gate
from tests.support.labelled import books, opened, parcel
from tests.support.story import Story
from tests.support.story_orders import BUYER
from tests.support.story_scene import PARCEL


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
    await story.carrier.script({"fault": fault, "seconds": 4})
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
