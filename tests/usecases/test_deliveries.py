"""Webhooks out to real receivers: at least once, signed, on schedule, given up in the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
import uuid_utils.compat as uuids
from standardwebhooks import Webhook, WebhookVerificationError

from returns_api.adapters.sealing import FernetSealer
from returns_api.db import deliveries as rows
from returns_api.db import webhook_endpoints as endpoints
from returns_api.db.engine import Row
from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.shops import ShopSettings
from returns_api.domain.webhooks import MAX_TRIES, wait_after
from returns_api.usecases import webhook_endpoints as manage
from returns_api.usecases.context import Context
from returns_api.usecases.deliveries import deliver_event, due_deliveries
from returns_api.usecases.shops import create_shop
from returns_api.usecases.webhook_endpoints import WithSecret
from tests.support.context import ADDRESS, START, Clock, a_context
from tests.support.receiver import Received, Receiver, Reply, receiving

OK, BROKEN = Reply(200), Reply(500)


@dataclass(slots=True)
class Shop:
    """One shop, its clock and one receiver."""

    ctx: Context
    clock: Clock
    id: UUID
    receiver: Receiver

    async def endpoint(self, *topics: str, url: str | None = None) -> WithSecret:
        return await manage.create_endpoint(
            self.ctx,
            self.id,
            SYSTEM,
            url=url or self.receiver.base_url + "/in",
            topics=topics or ("refund.*",),
            description=None,
        )

    async def happens(self, type_: str = "refund.succeeded", **changes: Any) -> UUID:
        """Commit an event as any use case does; gives its id."""
        refund = uuids.uuid7()
        event = Event(
            id=uuids.uuid7(),
            type=type_,
            resource_type="refund",
            resource_id=refund,
            sequence=5,
            at=self.clock(),
            by=SYSTEM,
            reason="Ada asked",
            data={"refund": ids.encode("ref", refund), "state": "succeeded", "amount": 8410},
        )
        event = replace(event, **changes)
        async with self.ctx.database.transaction(self.id) as tx:
            await emit(tx, [event])
        return event.id

    async def drain(self) -> int:
        """Run what is due now, as the worker's sweep does; gives how many were due."""
        due = [key for shop, key in await due_deliveries(self.ctx, 1_000) if shop == self.id]
        for event_id in due:
            await deliver_event(self.ctx, self.id, event_id)
        return len(due)

    async def delivery(self, event_id: UUID, endpoint_id: UUID) -> Row:
        async with self.ctx.database.transaction(self.id) as tx:
            found = await rows.page(
                tx, endpoint_id, before=UUID(int=2**128 - 1), state=None, limit=1_000
            )
        return next(row for row in found if row["event_id"] == event_id)

    async def attempts(self, event_id: UUID, endpoint_id: UUID) -> list[tuple[Any, ...]]:
        async with self.ctx.database.transaction(self.id) as tx:
            found = await rows.attempts(tx, event_id, endpoint_id, 100)
        return [(row["no"], row["status"], row["error"]) for row in found or ()]

    async def state(self, endpoint_id: UUID) -> Row:
        async with self.ctx.database.transaction(self.id) as tx:
            row = await endpoints.one(tx, endpoint_id)
        assert row is not None
        return row

    async def types(self, resource_id: UUID) -> list[tuple[int, str]]:
        async with self.ctx.database.transaction(self.id) as tx:
            found = await tx.connection.fetch(
                "SELECT sequence, type FROM events WHERE resource_id = $1 ORDER BY sequence",
                resource_id,
            )
        return [(row["sequence"], row["type"]) for row in found]


@asynccontextmanager
async def a_shop(ctx: Context, clock: Clock) -> AsyncIterator[Shop]:
    made = await create_shop(ctx, ShopSettings("S", "Europe/Berlin", "EUR", "DE", "de", ADDRESS))
    async with receiving() as receiver:
        yield Shop(ctx, clock, made.id, receiver)


@pytest.fixture
async def shop(app_database_url: str) -> AsyncIterator[Shop]:
    clock = Clock()
    async with a_context(app_database_url, clock) as ctx, a_shop(ctx, clock) as made:
        yield made


def verify(received: Received, secret: str, now: datetime) -> Any:
    """What the reference library makes of it, at ``now``."""
    with time_machine.travel(now, tick=False):
        return Webhook(secret).verify(received.body, received.headers)


def answering(receiver: Receiver, *replies: Reply) -> None:
    """Answer with ``replies`` in turn; the last one for ever."""
    left = list(replies)
    receiver.answer = lambda _: left.pop(0) if len(left) > 1 else left[0]


async def test_an_event_arrives_signed_as_the_reference_library_wants_it(shop: Shop) -> None:
    made = await shop.endpoint()
    event_id = await shop.happens()
    await deliver_event(shop.ctx, shop.id, event_id)
    (received,) = shop.receiver.received
    body = verify(received, made.secret, shop.clock())
    assert list(body) == ["type", "id", "at", "shop", "resource", "sequence", "data"]
    assert (body["id"], body["shop"]) == (ids.encode("evt", event_id), ids.encode("shp", shop.id))
    assert (body["type"], body["sequence"]) == ("refund.succeeded", 5)
    assert body["resource"] == body["data"]["refund"]
    assert received.headers["webhook-id"] == body["id"]
    assert received.headers["webhook-timestamp"] == str(int(START.timestamp()))
    assert received.headers["content-type"] == "application/json"
    assert b"Ada" not in received.body
    delivery = await shop.delivery(event_id, made.endpoint["id"])
    assert (delivery["state"], delivery["due_at"], delivery["last_status"]) == (
        "succeeded",
        None,
        204,
    )
    assert await shop.attempts(event_id, made.endpoint["id"]) == [(1, 204, None)]


async def test_a_changed_byte_or_another_secret_is_refused(shop: Shop) -> None:
    made, other = await shop.endpoint(), await shop.endpoint("never.*")
    await deliver_event(shop.ctx, shop.id, await shop.happens())
    (received,) = shop.receiver.received
    forged = replace(received, body=received.body.replace(b"8410", b"9410"))
    for wrong, secret in ((forged, made.secret), (received, other.secret)):
        with pytest.raises(WebhookVerificationError):
            verify(wrong, secret, shop.clock())


async def test_only_who_asked_is_told(shop: Shop) -> None:
    wanted = {"all": ["*"], "family": ["refund.*"], "one": ["refund.succeeded"]}
    others = {"other": ["return.*", "refund.failed"]}
    for name, topics in {**wanted, **others}.items():
        await shop.endpoint(*topics, url=f"{shop.receiver.base_url}/{name}")
    await shop.drain()
    shop.receiver.received.clear()
    await deliver_event(shop.ctx, shop.id, await shop.happens())
    assert {received.path for received in shop.receiver.received} == {f"/{n}" for n in wanted}


async def test_every_try_has_the_same_id_and_bytes_and_a_fresh_signature(shop: Shop) -> None:
    answering(shop.receiver, BROKEN, Reply(302, (("location", "/elsewhere"),)), OK)
    made = await shop.endpoint()
    event_id = await shop.happens()
    for _ in range(3):
        await shop.drain()
        shop.clock.forward(hours=1)
    tries = shop.receiver.received
    assert len(tries) == 3
    assert (
        len({one.body for one in tries}) == len({one.headers["webhook-id"] for one in tries}) == 1
    )
    assert {one.path for one in tries} == {"/in"}
    assert len({one.headers["webhook-signature"] for one in tries}) == 3
    for number, one in enumerate(tries):
        verify(one, made.secret, START + number * timedelta(hours=1))
    with pytest.raises(WebhookVerificationError):
        verify(tries[0], made.secret, START + timedelta(hours=1))
    assert await shop.attempts(event_id, made.endpoint["id"]) == [
        (1, 500, None),
        (2, 302, None),
        (3, 200, None),
    ]


async def test_ten_tries_on_schedule_then_dead(shop: Shop) -> None:
    answering(shop.receiver, BROKEN)
    made = await shop.endpoint()
    endpoint_id = made.endpoint["id"]
    event_id = await shop.happens()
    tried_at = []
    for tries in range(1, MAX_TRIES + 1):
        tried_at.append(shop.clock())
        assert await shop.drain() == 1
        assert await shop.drain() == 0
        delivery = await shop.delivery(event_id, endpoint_id)
        wait = wait_after(tries, f"{event_id}/{endpoint_id}")
        if wait is None:
            break
        assert delivery["due_at"] == shop.clock() + wait
        shop.clock.now = delivery["due_at"] - timedelta(microseconds=1)
        assert await shop.drain() == 0
        shop.clock.now = delivery["due_at"]
    assert len(shop.receiver.received) == MAX_TRIES
    assert timedelta(hours=68) < tried_at[-1] - tried_at[0] < timedelta(hours=84)
    assert (delivery["state"], delivery["due_at"]) == ("dead", None)
    assert (await shop.state(endpoint_id))["state"] == "active"
    assert (await shop.state(endpoint_id))["failing_since"] == START
    shop.clock.forward(days=30)
    assert await shop.drain() == 0


async def test_retry_after_is_waited_for(shop: Shop) -> None:
    answering(shop.receiver, Reply(503, (("retry-after", "7200"),)), OK)
    made = await shop.endpoint()
    event_id = await shop.happens()
    await shop.drain()
    delivery = await shop.delivery(event_id, made.endpoint["id"])
    assert delivery["due_at"] == START + timedelta(hours=2)


async def test_a_receiver_that_hangs_up_is_tried_again(shop: Shop) -> None:
    answering(shop.receiver, Reply(hang_up=True), OK)
    made = await shop.endpoint()
    event_id = await shop.happens()
    await shop.drain()
    shop.clock.forward(minutes=1)
    await shop.drain()
    assert await shop.attempts(event_id, made.endpoint["id"]) == [
        (1, None, "broken_answer"),
        (2, 200, None),
    ]


async def test_410_disables_the_endpoint_and_tells_the_others(shop: Shop) -> None:
    gone = await shop.endpoint()
    await shop.endpoint("webhook_endpoint.*", url=shop.receiver.base_url + "/ops")
    await shop.drain()
    shop.receiver.answer = lambda one: Reply(410) if one.path == "/in" else OK
    event_id = await shop.happens()
    waiting = await shop.happens()
    await deliver_event(shop.ctx, shop.id, event_id)
    state = await shop.state(gone.endpoint["id"])
    assert (state["state"], state["disabled_reason"]) == ("disabled", "gone")
    assert await shop.types(gone.endpoint["id"]) == [
        (1, "webhook_endpoint.created"),
        (2, "webhook_endpoint.disabled"),
    ]
    shop.receiver.received.clear()
    while await shop.drain():
        pass
    told = [json.loads(one.body) for one in shop.receiver.received if one.path == "/ops"]
    assert [(one["type"], one["data"]["reason"]) for one in told] == [
        ("webhook_endpoint.disabled", "gone")
    ]
    assert told[0]["resource"] == ids.encode("whe", gone.endpoint["id"])
    assert (await shop.delivery(waiting, gone.endpoint["id"]))["state"] == "dead"
    assert await shop.attempts(waiting, gone.endpoint["id"]) == []
    assert [one.path for one in shop.receiver.received] == ["/ops"]


async def test_five_days_without_success_disable_the_endpoint(shop: Shop) -> None:
    answering(shop.receiver, BROKEN)
    made = await shop.endpoint()
    await shop.happens()
    while (await shop.state(made.endpoint["id"]))["state"] == "active":
        await shop.drain()
        shop.clock.forward(hours=6)
        await shop.happens()
        assert shop.clock() < START + timedelta(days=6)
    state = await shop.state(made.endpoint["id"])
    assert state["disabled_reason"] == "failing"
    assert shop.clock() >= START + timedelta(days=5)


async def test_one_success_starts_the_five_days_anew(shop: Shop) -> None:
    answering(shop.receiver, BROKEN, OK)
    made = await shop.endpoint()
    await shop.happens()
    await shop.drain()
    assert (await shop.state(made.endpoint["id"]))["failing_since"] == START
    shop.clock.forward(minutes=10)
    await shop.drain()
    assert (await shop.state(made.endpoint["id"]))["failing_since"] is None
    assert (await shop.state(made.endpoint["id"]))["version"] == made.endpoint["version"]


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


async def test_two_secrets_sign_while_they_overlap(shop: Shop) -> None:
    first = await shop.endpoint()
    endpoint_id = first.endpoint["id"]
    hour = timedelta(hours=1)
    second = await manage.rotate_secret(shop.ctx, shop.id, SYSTEM, endpoint_id, hour)
    await deliver_event(shop.ctx, shop.id, await shop.happens())
    signatures = shop.receiver.received[-1].headers["webhook-signature"].split(" ")
    assert [one.partition(",")[0] for one in signatures] == ["v1", "v1"]
    for made in (first, second):
        verify(shop.receiver.received[-1], made.secret, shop.clock())
    shop.clock.now += hour
    await deliver_event(shop.ctx, shop.id, await shop.happens())
    verify(shop.receiver.received[-1], second.secret, shop.clock())
    with pytest.raises(WebhookVerificationError):
        verify(shop.receiver.received[-1], first.secret, shop.clock())


async def test_never_more_than_two_secrets_and_none_after_a_hard_rotation(shop: Shop) -> None:
    first = await shop.endpoint()
    endpoint_id = first.endpoint["id"]
    hour = timedelta(hours=1)
    await manage.rotate_secret(shop.ctx, shop.id, SYSTEM, endpoint_id, hour)
    await manage.rotate_secret(shop.ctx, shop.id, SYSTEM, endpoint_id, hour)
    await deliver_event(shop.ctx, shop.id, await shop.happens())
    assert len(shop.receiver.received[-1].headers["webhook-signature"].split(" ")) == 2
    with pytest.raises(WebhookVerificationError):
        verify(shop.receiver.received[-1], first.secret, shop.clock())
    await manage.rotate_secret(shop.ctx, shop.id, SYSTEM, endpoint_id, timedelta())
    await deliver_event(shop.ctx, shop.id, await shop.happens())
    assert len(shop.receiver.received[-1].headers["webhook-signature"].split(" ")) == 1


async def test_secrets_are_sealed_and_a_lost_key_is_a_failed_try(shop: Shop) -> None:
    made = await shop.endpoint()
    endpoint_id = made.endpoint["id"]
    assert made.secret.encode()[6:] not in bytes(made.endpoint["secrets_sealed"])
    event_id = await shop.happens()
    robbed = replace(shop.ctx, sealer=FernetSealer([b"x" * 32]))
    await deliver_event(robbed, shop.id, event_id)
    assert await shop.attempts(event_id, endpoint_id) == [(1, None, "secret_unreadable")]
    again = await manage.rotate_secret(robbed, shop.id, SYSTEM, endpoint_id, timedelta(hours=1))
    shop.clock.forward(minutes=1)
    await deliver_event(robbed, shop.id, event_id)
    verify(shop.receiver.received[-1], again.secret, shop.clock())


async def test_a_slow_endpoint_does_not_hold_up_the_others(shop: Shop) -> None:
    async with receiving() as other:
        await shop.endpoint()
        await shop.endpoint(url=other.base_url)
        for mine, theirs in ((shop.receiver, other), (other, shop.receiver)):
            mine.open.clear()  # each answers only once the other one was asked
            mine.answer = lambda _, theirs=theirs: (theirs.open.set(), OK)[1]
        async with asyncio.timeout(5):
            await deliver_event(shop.ctx, shop.id, await shop.happens())
        assert len(other.received) == len(shop.receiver.received) == 1


async def test_a_rolled_back_change_tells_nobody(shop: Shop) -> None:
    await shop.endpoint()
    event = Event(
        id=uuids.uuid7(),
        type="refund.requested",
        resource_type="refund",
        resource_id=uuids.uuid7(),
        sequence=1,
        at=shop.clock(),
        by=SYSTEM,
        data={},
    )

    async def half() -> None:
        async with shop.ctx.database.transaction(shop.id) as tx:
            await emit(tx, [event])
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        await half()
    assert await shop.drain() == 0
    assert shop.receiver.received == []
