"""Ways to have each deadline of what is on its way stand: the parcel, its courier, its claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from proofs.deadlines.cases import CHEAP, Case, Make, opened
from tests.support.story import Story
from tests.support.story_orders import goods

from returns_api.domain.events import By
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.transport_claims import ClaimRecord
from returns_api.usecases import pickup_calls, pickups, shipments, transport_claims
from returns_api.usecases._acting import Acting


async def parcel_scan(story: Story) -> Case:
    """Scanned once on its way, and then no more."""
    _, ret = await opened(story, CHEAP)
    shipment = (await story.view(ret)).shipment
    assert shipment is not None
    await shipments.carry_label(story.ctx, story.shop, shipment.id)
    await story.scan(ret, "in_transit")
    return Case("shipment", "parcel_scan", "shipment.stalled", ret.id, shipment.id)


async def _claimed(story: Story) -> tuple[ReturnRecord, ClaimRecord]:
    _, ret = await opened(story, CHEAP)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        made = await transport_claims.claim_parcel(
            tx, story.ctx, story.agent, By("agent"), ret.id,
            cause="damaged", amount_minor=500, note=None,
        )  # fmt: skip
    return ret, made


async def claim_submit(story: Story) -> Case:
    ret, made = await _claimed(story)
    event = "transport_claim.overdue"
    return Case("transport_claim", "claim_submit", event, ret.id, made.id)


async def claim_answer(story: Story) -> Case:
    ret, made = await _claimed(story)
    who = Acting(story.agent, By("agent"), made.id)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await transport_claims.act(tx, story.ctx, who, "submit", reference="NF-1")
    event = "transport_claim.overdue"
    return Case("transport_claim", "claim_answer", event, ret.id, made.id)


async def _picked_up(story: Story, *, connected: bool) -> Case:
    """A courier who was asked to come, by a carrier that is connected or not any more."""
    order = await story.order(goods("coat", CHEAP))
    ret = await story.open(order, {"coat": 1}, method="pickup")
    shipment = (await story.view(ret)).shipment
    assert shipment is not None
    await shipments.carry_label(story.ctx, story.shop, shipment.id)
    slot = (await pickups.list_slots(story.ctx, story.agent, ret.id))[0]
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        made = await pickups.book(tx, story.ctx, story.agent, By("agent"), ret.id, slot.token)
    ctx = story.ctx if connected else replace(story.ctx, carriers={})
    await pickup_calls.carry_pickup(ctx, story.shop, made.id)
    kind, event = ("scan", "missed") if connected else ("rebook", "lapsed")
    return Case("pickup", f"pickup_{kind}", f"pickup.{event}", ret.id, made.id)


async def pickup_scan(story: Story) -> Case:
    return await _picked_up(story, connected=True)


async def pickup_rebook(story: Story) -> Case:
    return await _picked_up(story, connected=False)


MAKERS: Final[Mapping[str, Make]] = {
    "shipment.parcel_scan": parcel_scan,
    "transport claim.claim_submit": claim_submit,
    "transport claim.claim_answer": claim_answer,
    "pickup.pickup_scan": pickup_scan,
    "pickup.pickup_rebook": pickup_rebook,
}
