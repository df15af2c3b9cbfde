"""Endpoints that are given up, and secrets that are changed while messages are under way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from standardwebhooks import WebhookVerificationError

from returns_api.adapters.sealing import FernetSealer
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM
from returns_api.usecases import webhook_endpoints as manage
from returns_api.usecases.deliveries import deliver_event
from tests.support.context import START
from tests.support.listening import BROKEN, OK, Shop, answering, verify
from tests.support.receiver import Reply


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
