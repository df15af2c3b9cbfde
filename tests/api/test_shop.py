"""The shop's settings: names that exist, edits by version, one event each."""

from __future__ import annotations

from typing import Any

import pytest

from returns_api.domain import ids
from returns_api.domain.access import Role
from returns_api.domain.errors import Invalid
from returns_api.domain.shops import ShopSettings
from returns_api.usecases.shops import create_shop
from tests.support.api import Tenant
from tests.support.context import ADDRESS

PATH = "/v1/admin/shop"


async def patch(tenant: Tenant, body: dict[str, Any], version: int = 1) -> Any:
    return await tenant.admin.patch(PATH, json=body, headers={"if-match": f'"{version}"'})


async def test_a_shop_reads_its_settings(tenant: Tenant) -> None:
    answer = await tenant.admin.get(PATH)
    assert answer.headers["etag"] == '"1"'
    assert answer.json() == {
        "id": ids.encode("shp", tenant.shop),
        "name": "Field & Loom",
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "country": "DE",
        "locale": "de-DE",
        "status": "active",
        "return_address": ADDRESS,
        "refund_limits": {
            "agent_per_order": 0,
            "agent_per_day": 0,
            "finance_per_order": None,
            "finance_per_day": None,
            "shop_per_day": None,
            "return_above": None,
            "write_off_above": None,
        },
        "store_credit": {"owed_lasts_days": None, "granted_lasts_days": None, "gateways": []},
        "destinations": {},
        "after_sales": {
            "complaint_answer_days": 3,
            "check_in_days": None,
            "review_days": None,
            "review_url": None,
        },
        "repairs": {"address": None, "prices": {}},
        "created_at": "2026-11-21T09:12:44Z",
    }


async def test_what_is_left_out_stays(tenant: Tenant) -> None:
    answer = await patch(tenant, {"timezone": "Australia/Lord_Howe", "currency": "KWD"})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert (answer.json()["timezone"], answer.json()["name"]) == (
        "Australia/Lord_Howe",
        "Field & Loom",
    )
    address = {**ADDRESS, "street1": "Neue Str. 2", "country": "AT"}
    answer = await patch(tenant, {"return_address": address}, 2)
    assert answer.json()["return_address"] == address
    assert (await tenant.admin.get(PATH)).json() == answer.json()
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        told = await tx.connection.fetch(
            "SELECT sequence, type, data FROM events WHERE resource_id = $1 ORDER BY sequence",
            tenant.shop,
        )
    shop = ids.encode("shp", tenant.shop)
    assert [tuple(row) for row in told] == [
        (1, "shop.created", {"shop": shop}),
        (2, "shop.updated", {"shop": shop, "changed": ["currency", "timezone"]}),
        (3, "shop.updated", {"shop": shop, "changed": ["return_address"]}),
    ]


async def test_edits_go_by_version(tenant: Tenant) -> None:
    assert (await tenant.admin.patch(PATH, json={"name": "New"})).status_code == 428
    assert (await patch(tenant, {"name": "New"}, 2)).status_code == 412
    assert (await patch(tenant, {"name": "New"})).status_code == 200
    assert (await patch(tenant, {"name": "Newer"})).status_code == 412


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"timezone": "Europe/Berlln"}, "timezone"),
        ({"timezone": "CEST"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"timezone": None}, "timezone"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"country": "UK"}, "country"),
        ({"country": "Germany"}, "country"),
        ({"locale": "german"}, "locale"),
        ({"locale": "de_DE"}, "locale"),
        ({"name": ""}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"return_address": {"name": "x"}}, "return_address.street1"),
        ({"return_address": {**ADDRESS, "country": "ZZ"}}, "return_address.country"),
        ({"return_address": {**ADDRESS, "planet": "Earth"}}, "return_address.planet"),
        ({"status": "erased"}, "status"),
        ({"id": "shp_x"}, "id"),
    ],
)
async def test_what_cannot_be_right_is_refused_by_name(
    tenant: Tenant, body: dict[str, Any], field: str
) -> None:
    answer = await patch(tenant, body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert (await tenant.admin.get(PATH)).headers["etag"] == '"1"'


async def test_a_misspelt_zone_gets_a_suggestion(tenant: Tenant) -> None:
    answer = await patch(tenant, {"timezone": "Europe/Berlln"})
    assert "Write Europe/Berlin." in answer.json()["detail"]


async def test_only_who_manages_the_shop_sees_its_settings(tenant: Tenant) -> None:
    for role in set(Role) - {Role.ADMIN, Role.BUYER}:
        async with tenant.calling(await tenant.key(role)) as client:
            assert (await client.get(PATH)).status_code == 403


async def test_a_shop_that_cannot_be_right_is_not_made(tenant: Tenant) -> None:
    wrong = ShopSettings("S", "Mars/Base", "EUR", "DE", "de", ADDRESS)
    with pytest.raises(Invalid) as refused:
        await create_shop(tenant.ctx, wrong)
    assert refused.value.context["errors"]
