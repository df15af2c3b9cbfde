"""The audit trail: every change of the shop, by whom, filtered and paged."""

from __future__ import annotations

from typing import Any

import pytest

from returns_api.domain import ids
from returns_api.domain.access import Role
from tests.support.api import Tenant

PATH = "/v1/admin/events"


async def read(tenant: Tenant, **query: str) -> dict[str, Any]:
    answer = await tenant.admin.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_changes_are_told_with_who_and_in_which_request(tenant: Tenant) -> None:
    made = await tenant.admin.post(
        "/v1/admin/keys",
        json={"role": "agent", "label": "x"},
        headers={"x-request-id": "audit-me-1"},
    )
    mine = (await tenant.admin.get("/v1/admin/keys")).json()["items"][-1]["id"]
    (event,) = (await read(tenant, type="key.created"))["items"]
    assert event == {
        "id": event["id"],
        "type": "key.created",
        "at": "2026-11-21T09:12:44Z",
        "resource": made.json()["id"],
        "sequence": 1,
        "actor": "admin",
        "actor_key": mine,
        "reason": None,
        "request_id": "audit-me-1",
        "order": None,
        "return": None,
        "data": {"key": made.json()["id"], "role": "agent"},
    }


async def test_filters_and_pages(tenant: Tenant) -> None:
    keys = [
        (await tenant.admin.post("/v1/admin/keys", json={"role": "agent", "label": "x"})).json()[
            "id"
        ]
        for _ in range(3)
    ]
    await tenant.admin.delete(f"/v1/admin/keys/{keys[0]}")
    await tenant.admin.patch("/v1/admin/shop", json={"name": "N"}, headers={"if-match": '"1"'})
    types = [one["type"] for one in (await read(tenant))["items"]]
    assert types == ["shop.updated", "key.revoked", *["key.created"] * 3, "shop.created"]
    assert [one["type"] for one in (await read(tenant, type="shop.*"))["items"]] == [
        "shop.updated",
        "shop.created",
    ]
    assert len((await read(tenant, type="*"))["items"]) == 6
    assert (await read(tenant, type="shop.opened"))["items"] == []
    of_key = (await read(tenant, resource=keys[0]))["items"]
    assert [(one["sequence"], one["type"]) for one in of_key] == [
        (2, "key.revoked"),
        (1, "key.created"),
    ]
    assert len((await read(tenant, resource=keys[0], type="key.revoked"))["items"]) == 1
    assert (await read(tenant, resource=ids.encode("ret", tenant.shop)))["items"] != []
    page = await read(tenant, limit="4")
    rest = await read(tenant, limit="4", cursor=page["next_cursor"])
    assert [one["type"] for one in page["items"] + rest["items"]] == types
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"type": "refund"},
        {"type": "%"},
        {"type": "refund.%"},
        {"resource": "nonsense"},
        {"resource": "evt_01h2xcejqtf2nbrexx3vqjhp41"},
        {"cursor": "ret_01h2xcejqtf2nbrexx3vqjhp41"},
        {"limit": "-1"},
        {"sort": "at"},
        {"type": "a.b\u0000"},
    ],
)
async def test_odd_queries_are_refused(tenant: Tenant, query: dict[str, str]) -> None:
    assert (await tenant.admin.get(PATH, params=query)).status_code == 422


async def test_the_underscore_of_a_family_is_no_wildcard(tenant: Tenant) -> None:
    assert (await read(tenant, type="sho_.*"))["items"] == []


async def test_only_who_manages_the_shop_reads_its_trail(tenant: Tenant, stranger: Tenant) -> None:
    for role in set(Role) - {Role.ADMIN, Role.BUYER}:
        async with tenant.calling(await tenant.key(role)) as client:
            assert (await client.get(PATH)).status_code == 403
    own = await read(stranger)
    assert [one["resource"] for one in own["items"]] == [ids.encode("shp", stranger.shop)]
