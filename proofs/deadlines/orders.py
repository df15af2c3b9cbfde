"""Ways to have each deadline of an order without a return stand: cancellations and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from proofs.deadlines.cases import CHEAP, Case, Make
from tests.support.story import Story
from tests.support.story_orders import goods

from returns_api.domain.cancellations import CancellationRecord
from returns_api.domain.events import By
from returns_api.usecases import address_changes, cancellations


async def _cancelled(story: Story, cause: str) -> CancellationRecord:
    """Of an order that was not sent, or whose parcel is on its way."""
    order = await story.order(goods("coat", CHEAP), delivered=None)
    sent = cause != "before_dispatch"
    if sent:
        await story.send(order.name, {"coat": 1})
    wish = cancellations.Wish(cause, "f1" if sent else None, {})
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        return await cancellations.open_cancellation(
            tx, story.ctx, story.agent, By("agent"), order.id, wish
        )


def _cancellation(made: CancellationRecord, kind: str, event: str) -> Case:
    return Case("cancellation", kind, f"cancellation.{event}", None, made.id)


async def cancel_unsent(story: Story) -> Case:
    made = await _cancelled(story, "before_dispatch")
    return _cancellation(made, "cancel_answer", "confirmed")


async def cancel_recalled(story: Story) -> Case:
    return _cancellation(await _cancelled(story, "recalled"), "cancel_answer", "declined")


async def cancel_refused(story: Story) -> Case:
    return _cancellation(await _cancelled(story, "refused"), "parcel_back", "overdue")


async def address_answer(story: Story) -> Case:
    order = await story.order(goods("coat", CHEAP), delivered=None)
    address = {"name": "A", "street1": "B", "city": "C", "postcode": "1", "country": "CH"}
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        made = await address_changes.ask(tx, story.ctx, story.agent, By("agent"), order.id, address)
    return Case("address_change", "address_answer", "address_change.declined", None, made.id)


MAKERS: Final[Mapping[str, Make]] = {
    "cancellation.cancel_answer, confirmed": cancel_unsent,
    "cancellation.cancel_answer, declined": cancel_recalled,
    "cancellation.parcel_back": cancel_refused,
    "address change.address_answer": address_answer,
}
