"""Outside accounts: secrets go in and never come out; nobody overwrites what they have not read."""

from __future__ import annotations

from typing import Any

import pytest

from returns_api.db import connections as rows
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import Role
from returns_api.usecases._connections import (
    open_account,
    open_carrier_account,
    open_webhook_secrets,
)
from tests.support.api import Tenant

PATH = "/v1/admin/connections"
SECRET = "sk_live_canary_1"


def stripe(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "payments",
        "adapter": "stripe",
        "account": "acct_1",
        "base_url": "https://api.stripe.com/",
        "secret": SECRET,
        "webhook_secrets": ["whsec_canary_1", "whsec_canary_2"],
        "gateways": ["stripe", "shopify_payments"],
        **changes,
    }


async def stored(tenant: Tenant, source: str) -> Row | None:
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        return await rows.by_source(tx, source)


async def for_gateway(tenant: Tenant, gateway: str) -> str | None:
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        row = await rows.payments_for_gateway(tx, gateway)
    return None if row is None else str(row["source"])


async def test_a_connection_is_created_shown_without_secrets_and_opened(tenant: Tenant) -> None:
    answer = await tenant.admin.put(f"{PATH}/stripe", json=stripe())
    assert answer.status_code == 201, answer.text
    shop = ids.encode("shp", tenant.shop)
    assert answer.json() == {
        "source": "stripe",
        "kind": "payments",
        "adapter": "stripe",
        "account": "acct_1",
        "base_url": "https://api.stripe.com",
        "gateways": ["stripe", "shopify_payments"],
        "active": True,
        "has_secret": True,
        "webhook_secrets": 2,
        "webhook_url": f"http://returns.test/v1/hooks/{shop}/stripe",
        "created_at": "2026-11-21T09:12:44Z",
    }
    read = await tenant.admin.get(f"{PATH}/stripe")
    listed = await tenant.admin.get(PATH)
    assert (read.json(), listed.json()) == (answer.json(), {"items": [answer.json()]})
    assert read.headers["etag"] == answer.headers["etag"] == '"1"'
    row = await stored(tenant, "stripe")
    assert row is not None
    account = open_account(tenant.ctx, row)
    assert (account.base_url, account.secret, account.account) == (
        "https://api.stripe.com",
        SECRET,
        "acct_1",
    )
    assert open_webhook_secrets(tenant.ctx, row) == ("whsec_canary_1", "whsec_canary_2")
    assert not any(
        b"canary" in (value if isinstance(value, bytes) else str(value).encode())
        for value in row.values()
    )


async def test_a_change_needs_the_version_that_was_read(tenant: Tenant) -> None:
    await tenant.admin.put(f"{PATH}/stripe", json=stripe())
    blind = await tenant.admin.put(f"{PATH}/stripe", json=stripe(account="acct_2"))
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition_required")
    for header, status in (('"7"', 412), ("*", 412), ('W/"1"', 412), ("1", 412), ('"1"', 200)):
        answer = await tenant.admin.put(
            f"{PATH}/stripe", json=stripe(account="acct_2"), headers={"if-match": header}
        )
        assert answer.status_code == status, header
    assert (answer.json()["account"], answer.headers["etag"]) == ("acct_2", '"2"')
    none_yet = await tenant.admin.put(
        f"{PATH}/other", json=stripe(gateways=[]), headers={"if-match": '"1"'}
    )
    assert none_yet.status_code == 412


async def test_a_secret_that_is_not_sent_stays(tenant: Tenant) -> None:
    await tenant.admin.put(f"{PATH}/stripe", json=stripe())
    change = stripe()
    del change["secret"], change["webhook_secrets"]
    answer = await tenant.admin.put(f"{PATH}/stripe", json=change, headers={"if-match": '"1"'})
    assert answer.status_code == 200
    row = await stored(tenant, "stripe")
    assert row is not None
    assert open_account(tenant.ctx, row).secret == SECRET
    assert len(open_webhook_secrets(tenant.ctx, row)) == 2


async def test_a_new_account_needs_a_secret_and_a_shop_platform_does_not(tenant: Tenant) -> None:
    change = stripe()
    del change["secret"]
    answer = await tenant.admin.put(f"{PATH}/stripe", json=change)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "secret")
    platform = {
        "kind": "shop",
        "adapter": "shopify",
        "account": "loom.myshopify.com",
        "base_url": "https://loom.myshopify.com",
        "webhook_secrets": ["shpss_canary"],
    }
    made = await tenant.admin.put(f"{PATH}/shopify", json=platform)
    assert (made.status_code, made.json()["has_secret"]) == (201, False)


async def test_a_carrier_opens_as_a_carrier(tenant: Tenant) -> None:
    body = stripe(
        kind="carrier", adapter="easypost", base_url="https://api.easypost.com/v2", gateways=[]
    )
    assert (await tenant.admin.put(f"{PATH}/easypost", json=body)).status_code == 201
    row = await stored(tenant, "easypost")
    assert row is not None
    assert open_carrier_account(tenant.ctx, row).base_url == "https://api.easypost.com/v2"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "bank"}, "kind"),
        ({"base_url": "http://api.stripe.com"}, "base_url"),
        ({"base_url": "https://10.0.0.1"}, "base_url"),
        ({"base_url": "https://user:pw@api.stripe.com"}, "base_url"),
        ({"base_url": "\u0000"}, "base_url"),
        ({"kind": "carrier", "adapter": "easypost"}, "gateways"),
        ({"gateways": ["x" * 201]}, "gateways.0"),
        ({"secret": ""}, "secret"),
        ({"surprise": 1}, "surprise"),
        ({"webhook_secrets": ["x"] * 6}, "webhook_secrets"),
    ],
)
async def test_what_cannot_be_right_is_refused_by_name(
    tenant: Tenant, changes: dict[str, Any], field: str
) -> None:
    answer = await tenant.admin.put(f"{PATH}/stripe", json=stripe(**changes))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    assert await stored(tenant, "stripe") is None
    assert "canary" not in answer.text


@pytest.mark.parametrize("changes", [{"adapter": "nobody"}, {"kind": "carrier"}])
async def test_an_adapter_that_is_not_there_does_not_fit(
    tenant: Tenant, changes: dict[str, Any]
) -> None:
    answer = await tenant.admin.put(f"{PATH}/stripe", json=stripe(**changes))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "adapter")
    assert await stored(tenant, "stripe") is None


@pytest.mark.parametrize("source", ["Stripe", "1stripe", "stripe%00", "x" * 64, "a%2Fb"])
async def test_a_name_that_is_no_slug_does_not_exist(tenant: Tenant, source: str) -> None:
    assert (await tenant.admin.get(f"{PATH}/{source}")).status_code == 404
    assert (await tenant.admin.delete(f"{PATH}/{source}")).status_code == 404
    assert (await tenant.admin.put(f"{PATH}/{source}", json=stripe())).status_code in {404, 422}


async def test_kind_and_adapter_never_change(tenant: Tenant) -> None:
    await tenant.admin.put(f"{PATH}/acc", json=stripe())
    body = stripe(kind="carrier", adapter="easypost", gateways=[])
    answer = await tenant.admin.put(f"{PATH}/acc", json=body, headers={"if-match": '"1"'})
    assert (answer.status_code, answer.json()["adapter"]) == (409, "stripe")


async def test_a_gateway_has_one_account(tenant: Tenant) -> None:
    await tenant.admin.put(f"{PATH}/first", json=stripe())
    answer = await tenant.admin.put(f"{PATH}/second", json=stripe(gateways=["stripe"]))
    assert (answer.status_code, answer.json()["connection"]) == (409, "first")
    await tenant.admin.put(f"{PATH}/second", json=stripe(gateways=["klarna"]))
    assert await for_gateway(tenant, "shopify_payments") == "first"
    assert await for_gateway(tenant, "klarna") == "second"
    assert await for_gateway(tenant, "second") == "second"
    assert await for_gateway(tenant, "cash") is None


async def test_a_deactivated_connection_is_not_used_and_can_come_back(tenant: Tenant) -> None:
    await tenant.admin.put(f"{PATH}/stripe", json=stripe())
    for _ in range(2):
        assert (await tenant.admin.delete(f"{PATH}/stripe")).status_code == 204
    assert await stored(tenant, "stripe") is None
    assert await for_gateway(tenant, "stripe") is None
    shown = await tenant.admin.get(f"{PATH}/stripe")
    assert (shown.json()["active"], shown.headers["etag"]) == (False, '"2"')
    back = await tenant.admin.put(
        f"{PATH}/stripe", json=stripe(), headers={"if-match": shown.headers["etag"]}
    )
    assert back.json()["active"]


async def test_active_connections_are_found_by_kind(tenant: Tenant) -> None:
    for name in ("b", "a"):
        await tenant.admin.put(f"{PATH}/{name}", json=stripe(gateways=[name]))
    await tenant.admin.delete(f"{PATH}/b")
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        assert [row["source"] for row in await rows.active(tx, "payments")] == ["a"]
        assert await rows.active(tx, "carrier") == []


async def test_only_who_manages_the_shop_sees_connections(tenant: Tenant, stranger: Tenant) -> None:
    await tenant.admin.put(f"{PATH}/stripe", json=stripe())
    for role in set(Role) - {Role.ADMIN, Role.BUYER}:
        async with tenant.calling(await tenant.key(role)) as client:
            assert (await client.get(PATH)).status_code == 403
    assert (await stranger.admin.get(f"{PATH}/stripe")).status_code == 404
    assert (await stranger.admin.get(PATH)).json() == {"items": []}


async def test_secrets_sealed_with_a_lost_key_read_as_none(tenant: Tenant) -> None:
    await tenant.admin.put(f"{PATH}/stripe", json=stripe())
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        await tx.connection.execute("UPDATE connections SET secret_sealed = 'nonsense'")
    assert (await tenant.admin.get(f"{PATH}/stripe")).json()["has_secret"] is False
