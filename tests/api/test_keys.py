"""API keys: shown once, kept as hashes, never more than their maker has, revoked everywhere."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from returns_api.domain import ids
from returns_api.domain.access import ROLE_SCOPES, Role, Scope
from returns_api.usecases.context import CACHE_SECONDS
from tests.support.api import Tenant
from tests.support.context import Clock

PATH = "/v1/admin/keys"


async def make(tenant: Tenant, **body: Any) -> dict[str, Any]:
    answer = await tenant.admin.post(PATH, json={"role": "warehouse", "label": "dock", **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_key_is_shown_once_works_and_is_kept_as_a_hash(tenant: Tenant) -> None:
    made = await make(tenant)
    token = made.pop("key")
    assert token.startswith("rk_warehouse_")
    assert made["scopes"] == sorted(ROLE_SCOPES[Role.WAREHOUSE])
    read = await tenant.admin.get(f"{PATH}/{made['id']}")
    assert read.json() == {**made, "created_at": "2026-11-21T09:12:44Z", "revoked_at": None}
    async with tenant.calling(token) as client:
        assert (await client.get("/v1/policy")).status_code == 404
    secret = token.rpartition("_")[2]
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        for table in ("credentials", "events"):
            text = await tx.connection.fetchval(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            assert secret not in text


@pytest.mark.parametrize("role", ["publishable", "agent", "warehouse", "finance", "admin"])
async def test_an_admin_makes_every_kind_of_key(tenant: Tenant, role: str) -> None:
    made = await make(tenant, role=role)
    assert made["scopes"] == sorted(ROLE_SCOPES[Role(role)])


async def test_a_key_may_have_fewer_scopes_than_its_role(tenant: Tenant) -> None:
    made = await make(tenant, scopes=["returns:read", "returns:read"])
    assert made["scopes"] == ["returns:read"]
    async with tenant.calling(made["key"]) as client:
        answer = await client.get("/v1/policy")
        assert (answer.status_code, answer.json()["required_scope"]) == (403, "policy:read")


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "buyer"},
        {"role": "arbiter"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": ["refunds:create"]},
        {"label": ""},
        {"label": "x" * 201},
        {"expires_in_seconds": 59},
        {"expires_in_seconds": 10**12},
        {"expires_in_seconds": True},
        {"expires_in_seconds": "3600"},
        {"secret": "mine"},
    ],
)
async def test_what_cannot_be_right_is_refused(tenant: Tenant, changes: dict[str, Any]) -> None:
    body = {"role": "warehouse", "label": "dock", **changes}
    assert (await tenant.admin.post(PATH, json=body)).status_code == 422


async def test_nobody_gives_more_than_they_have(tenant: Tenant) -> None:
    limited = frozenset({Scope.KEYS_MANAGE, Scope.RETURNS_READ})
    async with tenant.calling(await tenant.key(Role.ADMIN, limited)) as client:
        common = await client.post(PATH, json={"role": "agent", "label": "x"})
        assert common.json()["scopes"] == ["returns:read"]
        more = await client.post(
            PATH, json={"role": "finance", "label": "x", "scopes": ["refunds:create"]}
        )
        assert (more.status_code, more.json()["lacking"]) == (403, ["refunds:create"])
        copy = await client.post(PATH, json={"role": "admin", "label": "x"})
        assert copy.json()["scopes"] == sorted(limited)


async def test_only_an_admin_key_makes_keys(tenant: Tenant) -> None:
    for role in set(Role) - {Role.ADMIN, Role.BUYER}:
        async with tenant.calling(await tenant.key(role)) as client:
            answer = await client.post(PATH, json={"role": "admin", "label": "x"})
            assert answer.status_code == 403
            assert (await client.get(PATH)).status_code == 403


async def test_a_key_expires(tenant: Tenant, clock: Clock) -> None:
    made = await make(tenant, expires_in_seconds=3600)
    assert made["expires_at"] == "2026-11-21T10:12:44Z"
    async with tenant.calling(made["key"]) as client:
        clock.forward(seconds=3599)
        assert (await client.get("/v1/policy")).status_code == 404
        clock.forward(seconds=1 + CACHE_SECONDS)
        assert (await client.get("/v1/policy")).status_code == 401


async def test_a_revoked_key_stops_within_the_promised_time(tenant: Tenant, clock: Clock) -> None:
    made = await make(tenant)
    async with tenant.calling(made["key"]) as client:
        assert (await client.get("/v1/policy")).status_code == 404
        for _ in range(2):
            assert (await tenant.admin.delete(f"{PATH}/{made['id']}")).status_code == 204
        clock.forward(seconds=CACHE_SECONDS)
        assert CACHE_SECONDS < 5
        assert (await client.get("/v1/policy")).status_code == 401
    shown = (await tenant.admin.get(f"{PATH}/{made['id']}")).json()
    assert shown["revoked_at"] == "2026-11-21T09:12:44Z"
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        told = await tx.connection.fetch(
            "SELECT sequence, type FROM events WHERE resource_id = $1 ORDER BY sequence",
            ids.decode("key", made["id"]),
        )
    assert [tuple(row) for row in told] == [(1, "key.created"), (2, "key.revoked")]


async def test_keys_are_listed_newest_first_without_buyers(tenant: Tenant) -> None:
    made = [(await make(tenant, label=str(n)))["id"] for n in range(3)]
    await tenant.key(Role.BUYER, order_id=UUID(int=1))
    first = (await tenant.admin.get(PATH, params={"limit": "3"})).json()
    rest = (await tenant.admin.get(PATH, params={"cursor": first["next_cursor"]})).json()
    assert [one["id"] for one in first["items"]] == made[::-1]
    assert [(one["role"], one["label"]) for one in rest["items"]] == [("admin", "first admin key")]
    assert rest["next_cursor"] is None
    assert all("key" not in one for one in first["items"])


async def test_another_shops_key_is_unknown(tenant: Tenant, stranger: Tenant) -> None:
    made = await make(tenant)
    for wrong in (made["id"], ids.encode("key", UUID(int=3)), "key_x", "%00"):
        assert (await stranger.admin.get(f"{PATH}/{wrong}")).status_code == 404
        assert (await stranger.admin.delete(f"{PATH}/{wrong}")).status_code == 404
    async with tenant.calling(made["key"]) as client:
        assert (await client.get("/v1/policy")).status_code == 404
