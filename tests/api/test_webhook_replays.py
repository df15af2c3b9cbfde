"""Events that are sent again: one, or all that failed since a time, with tries of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from returns_api.domain import ids
from tests.support.api import Tenant
from tests.support.context import START, Clock
from tests.support.endpoints import PATH, drain, happens, listed, make
from tests.support.receiver import Receiver, Reply


async def test_one_event_is_sent_again_with_the_same_id(tenant: Tenant, receiver: Receiver) -> None:
    made = await make(tenant, receiver)
    event = await happens(tenant)
    await drain(tenant)
    for expected in (1, 0):  # the second request finds it on its way
        answer = await tenant.admin.post(f"{PATH}/{made['id']}/replay", json={"event": event})
        assert (answer.status_code, answer.json()) == (202, {"queued": expected, "more": False})
    await drain(tenant)
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == event
    assert first.body == second.body
    assert await listed(tenant, made["id"]) == [(event, "succeeded", 2)]


async def test_a_replay_has_ten_tries_of_its_own(
    tenant: Tenant, receiver: Receiver, clock: Clock
) -> None:
    receiver.answer = lambda _: Reply(500)
    made = await make(tenant, receiver)
    event = await happens(tenant)
    for _ in range(10):
        await drain(tenant)
        clock.forward(hours=11)  # not five days in all: 410 and failing end an endpoint otherwise
        if (await listed(tenant, made["id"]))[0][1] == "dead":
            break
        clock.now = START + timedelta(hours=1)
        async with tenant.ctx.database.transaction(tenant.shop) as tx:
            await tx.connection.execute("UPDATE deliveries SET due_at = $1", clock.now)
    assert await listed(tenant, made["id"]) == [(event, "dead", 10)]
    await tenant.admin.post(f"{PATH}/{made['id']}/replay", json={"event": event})
    await drain(tenant)
    assert await listed(tenant, made["id"]) == [(event, "queued", 11)]


async def test_everything_that_failed_since_a_time_is_sent_again(
    tenant: Tenant, receiver: Receiver, clock: Clock
) -> None:
    made = await make(tenant, receiver)
    path = f"{PATH}/{made['id']}"
    old = await happens(tenant)
    clock.forward(hours=1)
    since = clock()
    failed = [await happens(tenant) for _ in range(3)]
    await tenant.admin.post(f"{path}/disable")
    while await drain(tenant):
        pass
    missed = await happens(tenant)
    other = await happens(tenant, "return.opened")
    await tenant.admin.post(f"{path}/enable")
    good = await happens(tenant)
    await drain(tenant)
    answer = await tenant.admin.post(f"{path}/replay", json={"since": since.isoformat()})
    assert answer.json() == {"queued": 3, "more": False}
    states = {event: state for event, state, _ in await listed(tenant, made["id"])}
    assert states == {old: "dead", good: "succeeded", **dict.fromkeys(failed, "queued")}
    answer = await tenant.admin.post(
        f"{path}/replay", json={"since": since.isoformat(), "include_missed": True}
    )
    assert answer.json() == {"queued": 1, "more": False}
    await drain(tenant)
    sent = [one.headers["webhook-id"] for one in receiver.received]
    assert (sent[0], sorted(sent[1:])) == (good, sorted([*failed, missed]))
    assert other not in sent


async def test_thirty_days_is_the_limit(tenant: Tenant, receiver: Receiver, clock: Clock) -> None:
    made = await make(tenant, receiver)
    event = await happens(tenant)
    clock.forward(days=30)
    path = f"{PATH}/{made['id']}/replay"
    assert (await tenant.admin.post(path, json={"since": START.isoformat()})).status_code == 202
    clock.forward(seconds=1)
    assert (await tenant.admin.post(path, json={"event": event})).status_code == 409
    assert (await tenant.admin.post(path, json={"since": START.isoformat()})).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": ids.encode("evt", UUID(int=1)), "since": START.isoformat()},
        {"event": "evt_x"},
        {"event": ids.encode("ref", UUID(int=1))},
        {"since": "yesterday"},
        {"since": 1795428764},
        {"since": START.isoformat(), "include_missed": "true"},
        {"since": START.isoformat(), "include_missed": 1},
    ],
)
async def test_a_replay_is_asked_for_in_one_of_two_ways(
    tenant: Tenant, receiver: Receiver, body: dict[str, Any]
) -> None:
    made = await make(tenant, receiver)
    assert (await tenant.admin.post(f"{PATH}/{made['id']}/replay", json=body)).status_code == 422
