"""Webhooks out to real receivers: at least once, signed, on schedule, given up in the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import uuid_utils.compat as uuids
from standardwebhooks import WebhookVerificationError

from returns_api.db.outbox import emit
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.webhooks import MAX_TRIES, wait_after
from returns_api.usecases.deliveries import deliver_event
from tests.support.context import START
from tests.support.listening import BROKEN, OK, Shop, answering, verify
from tests.support.receiver import Reply


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
