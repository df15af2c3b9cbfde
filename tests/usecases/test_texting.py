"""Buyers are told by SMS and push as by e-mail: once, where they can be reached and want it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from returns_api.domain import ids
from returns_api.domain.errors import DoesNotFit
from returns_api.domain.events import SYSTEM
from returns_api.ports.messaging import Sender
from returns_api.usecases import notification_settings
from returns_api.usecases.notification_settings import NotificationValues
from returns_api.usecases.opt_outs import opt_out
from tests.support.receiver import Received, Receiver, Reply, receiving
from tests.support.story import Story
from tests.support.story_orders import BUYER, goods

NUMBER = "+15005550006"
PHONED = replace(BUYER, phone="+49 30 1234567")


@pytest.fixture
async def vendor() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        running.answer = taken
        yield running


def taken(asked: Received) -> Reply:
    if asked.path == "/notifications":
        return Reply(200, body=b'{"id": "n-1"}')
    return Reply(201, body=b'{"sid": "SM1"}') if asked.body else Reply(200, body=NOTHING)


NOTHING = b'{"messages": []}'


async def reached(story: Story, adapter: str, vendor: Receiver) -> None:
    await story.connect(adapter, "messaging", adapter, vendor.base_url, "token")
    await sent_by(story, adapter, NUMBER)


async def sent_by(story: Story, source: str, address: str) -> None:
    values = NotificationValues(Sender(address, "Field & Loom"), True, ())
    await notification_settings.put_settings(story.ctx, story.shop, SYSTEM, source, values, None)


def texts(vendor: Receiver) -> list[str]:
    return [parse_qs(each.body.decode())["Body"][0] for each in vendor.received if each.body]


async def ended(story: Story) -> set[tuple[str, str, str | None]]:
    found = await story.rows("SELECT channel, state, reason FROM notifications")
    return {(row["channel"], row["state"], row["reason"]) for row in found}


async def test_a_buyer_with_a_phone_is_told_once_by_sms(story: Story, vendor: Receiver) -> None:
    await reached(story, "twilio", vendor)
    order = await story.order(goods("hat", 2_000), buyer=PHONED)
    await story.refund(order, 100)
    await story.drain()
    first, second = texts(vendor)
    assert first.startswith("Field & Loom: ")
    assert "1,00" in second
    assert await ended(story) == {("sms", "sent", None)}
    count = len(vendor.received)
    await story.drain(days=3)
    assert len(vendor.received) == count


async def test_a_lost_answer_makes_no_second_sms(story: Story, vendor: Receiver) -> None:
    await reached(story, "twilio", vendor)
    kept: list[str] = []

    def losing(asked: Received) -> Reply:
        if not asked.body:
            return Reply(200, body=json.dumps({"messages": [{"body": t} for t in kept]}).encode())
        kept.append(parse_qs(asked.body.decode())["Body"][0])
        return Reply(hang_up=True)

    vendor.answer = losing
    order = await story.order(goods("hat", 2_000), buyer=PHONED)
    await story.refund(order, 100)
    await story.drain()
    await story.drain(days=1)
    assert len(kept) == len(set(kept)) == 2
    assert await ended(story) == {("sms", "sent", None)}


async def test_nobody_is_texted_without_a_number_or_after_opting_out(
    story: Story, vendor: Receiver
) -> None:
    await reached(story, "twilio", vendor)
    await story.refund(await story.order(goods("hat", 2_000)), 100)
    await story.drain()
    assert await ended(story) == {("sms", "suppressed", "no_address")}
    order = await story.order(goods("hat", 2_000), buyer=PHONED)
    await story.refund(order, 100)
    await story.drain()
    found = re.search(r"notifications/(\S+?)/opt-out\?\S*signature=(\S+)", texts(vendor)[0])
    assert found is not None, texts(vendor)[0]
    event = ids.decode("evt", found[1])
    assert event is not None
    await opt_out(story.ctx, story.shop, event, "sms", found[2])
    count = len(texts(vendor))
    await story.refund(order, 100)
    await story.drain()
    assert len(texts(vendor)) == count
    assert ("sms", "suppressed", "opted_out") in await ended(story)


async def test_a_customer_is_told_on_their_devices(story: Story, vendor: Receiver) -> None:
    await reached(story, "onesignal", vendor)
    await story.refund(await story.order(goods("hat", 2_000)), 100)
    await story.drain()
    told = [json.loads(each.body) for each in vendor.received]
    assert {each["include_aliases"]["external_id"][0] for each in told} == {"c-1"}
    assert len({each["idempotency_key"] for each in told}) == len(told) == 2
    assert await ended(story) == {("push", "sent", None)}


async def test_a_sender_that_the_channel_does_not_know_is_refused(
    story: Story, vendor: Receiver
) -> None:
    await story.connect("texts", "messaging", "twilio", vendor.base_url, "token")
    with pytest.raises(DoesNotFit, match="sms"):
        await sent_by(story, "texts", "returns@shop.example")
