"""Who carries a delivery: workers that die or sleep, two at once, slow receivers beside quick."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import uuid_utils.compat as uuids

from returns_api.db import deliveries as rows
from returns_api.domain.events import SYSTEM
from returns_api.domain.webhooks import MAX_TRIES
from returns_api.usecases import webhook_endpoints as manage
from returns_api.usecases.deliveries import deliver_event
from tests.support.listening import BROKEN, OK, Shop, answering
from tests.support.patience import PATIENCE
from tests.support.receiver import Received, Receiver, Reply, receiving


async def test_a_crashed_try_counts_and_comes_back_after_the_lease(shop: Shop) -> None:
    made = await shop.endpoint()
    event_id = await shop.happens()
    for _ in range(MAX_TRIES):
        async with shop.ctx.database.transaction(shop.id) as tx:  # claimed, and the worker dies
            claimed = await rows.claim(tx, event_id, shop.clock(), shop.clock() + shop.ctx.lease)
        assert len(claimed) == 1
        assert await shop.drain() == 0
        shop.clock.now += shop.ctx.lease
    assert await shop.drain() == 1
    delivery = await shop.delivery(event_id, made.endpoint["id"])
    assert (delivery["state"], delivery["attempt"]) == ("dead", MAX_TRIES)
    assert shop.receiver.received == []


async def test_a_zombie_writes_nothing(shop: Shop) -> None:
    made = await shop.endpoint()
    event_id = await shop.happens()
    stuck, resume = asyncio.Event(), asyncio.Event()
    real = shop.ctx.webhooks

    class Slow:
        """The first post waits until the other worker is done."""

        def refusal(self, url: str) -> str | None:
            return real.refusal(url)

        async def post(self, url: str, headers: Any, body: bytes) -> Any:
            stuck.set()
            await resume.wait()
            return await real.post(url, headers, body)

    answering(shop.receiver, OK, BROKEN)
    zombie = asyncio.create_task(
        deliver_event(replace(shop.ctx, webhooks=Slow()), shop.id, event_id)
    )
    await stuck.wait()
    assert await shop.drain() == 0
    shop.clock.now += shop.ctx.lease
    assert await shop.drain() == 1
    resume.set()
    await zombie
    delivery = await shop.delivery(event_id, made.endpoint["id"])
    assert (delivery["state"], delivery["last_status"], delivery["attempt"]) == (
        "succeeded",
        200,
        2,
    )
    assert await shop.attempts(event_id, made.endpoint["id"]) == [(2, 200, None)]
    assert len(shop.receiver.received) == 2


async def test_two_workers_send_a_due_delivery_once(shop: Shop) -> None:
    await shop.endpoint()
    event_id = await shop.happens()
    await asyncio.gather(*(deliver_event(shop.ctx, shop.id, event_id) for _ in range(5)))
    assert len(shop.receiver.received) == 1


async def test_a_lost_endpoint_and_an_unknown_event_are_nothing(shop: Shop) -> None:
    made = await shop.endpoint()
    event_id = await shop.happens()
    await manage.delete_endpoint(shop.ctx, shop.id, SYSTEM, made.endpoint["id"])
    await deliver_event(shop.ctx, shop.id, event_id)
    await deliver_event(shop.ctx, shop.id, uuids.uuid7())
    assert shop.receiver.received == []


def opening(other: Receiver) -> Callable[[Received], Reply]:
    """An endpoint's answer, whose coming lets the other endpoint answer."""

    def answer(_: Received) -> Reply:
        other.open.set()
        return OK

    return answer


async def test_a_slow_endpoint_does_not_hold_up_the_others(shop: Shop) -> None:
    async with receiving() as other:
        await shop.endpoint()
        await shop.endpoint(url=other.base_url)
        for mine, theirs in ((shop.receiver, other), (other, shop.receiver)):
            mine.open.clear()  # each answers only once the other one was asked
            mine.answer = opening(theirs)
        async with asyncio.timeout(PATIENCE):
            await deliver_event(shop.ctx, shop.id, await shop.happens())
        assert len(other.received) == len(shop.receiver.received) == 1
