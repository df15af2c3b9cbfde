"""Webhook endpoints over HTTP: secrets once, edits by version, the record of tries."""

from __future__ import annotations

from typing import Any

import pytest
from standardwebhooks import Webhook

from returns_api.domain.access import Role
from returns_api.usecases.webhook_endpoints import ENDPOINTS_MAX
from tests.support.api import Tenant
from tests.support.context import START, Clock
from tests.support.endpoints import PATH, drain, happens, listed, make
from tests.support.receiver import Receiver, Reply


async def test_an_endpoint_shows_its_secret_once(tenant: Tenant, receiver: Receiver) -> None:
    body = {"url": receiver.base_url + "/in", "topics": ["*", "*"], "description": "ERP"}
    answer = await tenant.admin.post(PATH, json=body)
    made = answer.json()
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert Webhook(secret).sign("evt_1", START, "{}").startswith("v1,")
    assert made == {
        "id": made["id"],
        "url": body["url"],
        "topics": ["*"],
        "description": "ERP",
        "state": "active",
        "disabled_reason": None,
        "failing_since": None,
        "created_at": "2026-11-21T09:12:44Z",
    }
    read = await tenant.admin.get(f"{PATH}/{made['id']}")
    page = await tenant.admin.get(PATH)
    assert (read.json(), page.json()) == (made, {"items": [made], "next_cursor": None})
    assert read.headers["etag"] == answer.headers["etag"] == '"1"'
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hooks",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/",
        "https://2852039166/",
        "https://[::ffff:10.0.0.1]/",
        "https://user:pw@shop.example/",
        "https://shop.internal/",
        "file:///etc/passwd",
        "shop.example",
    ],
)
async def test_an_address_that_may_not_be_used_is_refused_clearly(
    tenant: Tenant, receiver: Receiver, url: str
) -> None:
    answer = await tenant.admin.post(PATH, json={"url": url, "topics": ["*"]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "url")
    assert answer.json()["detail"].startswith("The address cannot be used: ")
    made = await make(tenant, receiver)
    changed = await tenant.admin.patch(
        f"{PATH}/{made['id']}", json={"url": url}, headers={"if-match": '"1"'}
    )
    assert (changed.status_code, changed.json()["errors"][0]["field"]) == (422, "url")


@pytest.mark.parametrize(
    "changes",
    [
        {"topics": []},
        {"topics": ["refund"]},
        {"topics": "*"},
        {"topics": ["*"] * 51},
        {"topics": ["refund.*\u0000"]},
        {"url": ""},
        {"url": None},
        {"description": "x" * 201},
        {"description": "\u0000"},
        {"secret": "whsec_mine"},
        {"state": "disabled"},
    ],
)
async def test_what_cannot_be_right_is_refused(
    tenant: Tenant, receiver: Receiver, changes: dict[str, Any]
) -> None:
    body = {"url": receiver.base_url, "topics": ["*"], **changes}
    assert (await tenant.admin.post(PATH, json=body)).status_code == 422
    made = await make(tenant, receiver)
    patched = await tenant.admin.patch(
        f"{PATH}/{made['id']}", json=changes, headers={"if-match": '"1"'}
    )
    assert patched.status_code == 422


async def test_a_shop_has_a_bounded_number_of_endpoints(tenant: Tenant, receiver: Receiver) -> None:
    for _ in range(ENDPOINTS_MAX):
        await make(tenant, receiver)
    body = {"url": receiver.base_url, "topics": ["*"]}
    assert (await tenant.admin.post(PATH, json=body)).status_code == 409


async def test_edits_go_by_version(tenant: Tenant, receiver: Receiver) -> None:
    made = await make(tenant, receiver)
    path = f"{PATH}/{made['id']}"
    assert (await tenant.admin.patch(path, json={"topics": ["*"]})).status_code == 428
    first = await tenant.admin.patch(
        path, json={"topics": ["*"], "description": "new"}, headers={"if-match": '"1"'}
    )
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    assert (first.json()["topics"], first.json()["url"]) == (["*"], made["url"])
    late = await tenant.admin.patch(path, json={"topics": []}, headers={"if-match": '"1"'})
    assert late.status_code == 422
    late = await tenant.admin.patch(path, json={"topics": ["x.y"]}, headers={"if-match": '"1"'})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    cleared = await tenant.admin.patch(
        path, json={"description": None}, headers={"if-match": '"2"'}
    )
    assert (cleared.json()["description"], cleared.json()["topics"]) == (None, ["*"])
    nothing = await tenant.admin.patch(path, json={}, headers={"if-match": '"3"'})
    assert (nothing.status_code, nothing.headers["etag"]) == (200, '"3"')


async def test_a_rotation_shows_the_new_secret_once(tenant: Tenant, receiver: Receiver) -> None:
    made = await make(tenant, receiver)
    answer = await tenant.admin.post(f"{PATH}/{made['id']}/rotate-secret", json={})
    assert answer.status_code == 200
    assert answer.json()["secret"] != made["secret"]
    await happens(tenant)
    await drain(tenant)
    assert receiver.received[-1].headers["webhook-signature"].count("v1,") == 2
    for seconds in (-1, 7 * 86_400 + 1, True, "60", 1.5):
        refused = await tenant.admin.post(
            f"{PATH}/{made['id']}/rotate-secret", json={"overlap_seconds": seconds}
        )
        assert refused.status_code == 422, seconds


async def test_disabling_and_enabling(tenant: Tenant, receiver: Receiver) -> None:
    made = await make(tenant, receiver)
    path = f"{PATH}/{made['id']}"
    off = await tenant.admin.post(f"{path}/disable")
    assert (off.json()["state"], off.json()["disabled_reason"]) == ("disabled", "requested")
    again = await tenant.admin.post(f"{path}/disable")
    assert (again.status_code, again.json()["allowed"]) == (409, ["enable"])
    await happens(tenant)
    assert await drain(tenant) == 0
    replay = await tenant.admin.post(f"{path}/replay", json={"since": START.isoformat()})
    assert (replay.status_code, replay.json()["allowed"]) == (409, ["enable"])
    on = await tenant.admin.post(f"{path}/enable")
    assert (on.json()["state"], on.json()["disabled_reason"]) == ("active", None)
    await happens(tenant)
    assert await drain(tenant) == 1
    assert len(receiver.received) == 1


async def test_the_record_of_deliveries_and_tries(
    tenant: Tenant, receiver: Receiver, clock: Clock
) -> None:
    made = await make(tenant, receiver)
    good = await happens(tenant)
    await drain(tenant)
    receiver.answer = lambda _: Reply(503)
    bad = await happens(tenant)
    await drain(tenant)
    clock.forward(seconds=10)
    await drain(tenant)
    waiting = await happens(tenant)
    assert await listed(tenant, made["id"]) == [
        (waiting, "queued", 0),
        (bad, "queued", 2),
        (good, "succeeded", 1),
    ]
    assert await listed(tenant, made["id"], state="succeeded") == [(good, "succeeded", 1)]
    first = await tenant.admin.get(f"{PATH}/{made['id']}/deliveries", params={"limit": "2"})
    cursor = first.json()["next_cursor"]
    assert await listed(tenant, made["id"], cursor=cursor) == [(good, "succeeded", 1)]
    detail = first.json()["items"][1]
    assert detail["last_status"] == 503
    assert detail["next_try_at"] is not None
    assert detail["resource"].startswith("ref_")
    tries = await tenant.admin.get(f"{PATH}/{made['id']}/deliveries/{bad}/attempts")
    assert tries.json()["items"] == [
        {"no": 1, "at": "2026-11-21T09:12:44Z", "status": 503, "error": None, "duration_ms": 0},
        {"no": 2, "at": "2026-11-21T09:12:54Z", "status": 503, "error": None, "duration_ms": 0},
    ]
    shown = (await tenant.admin.get(f"{PATH}/{made['id']}")).json()
    assert shown["failing_since"] == "2026-11-21T09:12:44Z"


@pytest.mark.parametrize("query", [{"state": "lost"}, {"limit": "0"}, {"limit": "101"}, {"x": "1"}])
async def test_odd_queries_are_refused(
    tenant: Tenant, receiver: Receiver, query: dict[str, str]
) -> None:
    made = await make(tenant, receiver)
    answer = await tenant.admin.get(f"{PATH}/{made['id']}/deliveries", params=query)
    assert answer.status_code == 422


async def test_a_removed_endpoint_is_gone_with_its_record(
    tenant: Tenant, receiver: Receiver
) -> None:
    made = await make(tenant, receiver)
    await happens(tenant)
    await drain(tenant)
    path = f"{PATH}/{made['id']}"
    assert (await tenant.admin.delete(path)).status_code == 204
    assert (await tenant.admin.delete(path)).status_code == 404
    assert (await tenant.admin.get(f"{path}/deliveries")).status_code == 404
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        for table in ("deliveries", "delivery_attempts"):
            assert await tx.connection.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_another_shop_sees_and_moves_nothing(
    tenant: Tenant, stranger: Tenant, receiver: Receiver
) -> None:
    made = await make(tenant, receiver)
    mine = await make(stranger, receiver)
    event = await happens(tenant)
    path = f"{PATH}/{made['id']}"
    answers = [
        await stranger.admin.get(path),
        await stranger.admin.patch(path, json={"topics": ["*"]}, headers={"if-match": '"1"'}),
        await stranger.admin.delete(path),
        await stranger.admin.post(f"{path}/rotate-secret", json={}),
        await stranger.admin.post(f"{path}/disable"),
        await stranger.admin.post(f"{path}/enable"),
        await stranger.admin.get(f"{path}/deliveries"),
        await stranger.admin.get(f"{path}/deliveries/{event}/attempts"),
        await stranger.admin.post(f"{path}/replay", json={"event": event}),
        await stranger.admin.post(f"{PATH}/{mine['id']}/replay", json={"event": event}),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert (await tenant.admin.get(path)).headers["etag"] == '"1"'
    for role in set(Role) - {Role.ADMIN, Role.BUYER}:
        async with tenant.calling(await tenant.key(role)) as client:
            assert (await client.get(PATH)).status_code == 403


async def test_secrets_are_in_no_table_in_the_clear(tenant: Tenant, receiver: Receiver) -> None:
    made = await make(tenant, receiver, "*")
    await drain(tenant)
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        for table in ("webhook_endpoints", "events", "idempotency_keys", "deliveries"):
            text = await tx.connection.fetchval(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            assert made["secret"][6:] not in (text or "")
