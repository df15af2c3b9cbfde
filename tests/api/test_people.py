"""A person asks what is kept, and to be forgotten: by API, whatever the platform."""

from __future__ import annotations

import copy
from typing import Any

from returns_api.db.tables import tenant_tables
from returns_api.domain.access import Role
from returns_api.domain.order_documents import EXAMPLE
from returns_api.domain.orders import BuyerFacts, OrderSeen
from tests.support.api import Tenant
from tests.support.intake import Intake
from tests.support.seen import at, order

PATH = "/v1/admin/people"
CANARIES = ("canary", "Canary", "+49301", "700123")
BUYER = {
    "email": "Anna.Canary@Example.com",
    "phone": "+49301",
    "name": "Anna Canary",
    "street1": "Canary Str. 1",
    "country": "DE",
}


async def put(tenant: Tenant, external_id: str, /, **buyer: Any) -> None:
    body = copy.deepcopy(EXAMPLE) | {"external_id": external_id, "buyer": BUYER | buyer}
    body["payments"][0]["provider_payment_id"] = f"pi_{external_id}"
    answer = await tenant.admin.put(f"/v1/orders/{external_id}", json=body)
    assert answer.status_code == 201, answer.text


async def everything(tenant: Tenant) -> str:
    """Every row of the shop as text: what somebody with the database could read."""
    shop = Intake(tenant.ctx, tenant.shop)
    found = []
    for table in tenant_tables():
        found += await shop.rows(f"SELECT t::text AS row FROM {table.name} t")
    return "\n".join(str(each["row"]) for each in found)


async def test_a_person_is_told_and_forgotten_everywhere(tenant: Tenant, stranger: Tenant) -> None:
    intake = Intake(tenant.ctx, tenant.shop)
    await put(tenant, "P1")
    await put(tenant, "P2", customer_id="700123")
    await put(tenant, "P3", customer_id="700123", email="other@canary.example")
    await put(tenant, "P4", email="bob@example.com", phone=None, name="Bob", street1="Elsewhere 2")
    await put(stranger, "P1")
    person = {"email": " anna.canary@EXAMPLE.com"}
    told = await tenant.admin.post(f"{PATH}/export", json=person)
    assert told.status_code == 200, told.text
    orders = told.json()["orders"]
    assert [each["external_id"] for each in orders] == ["P3", "P2", "P1"], "by the account too"
    assert orders[2]["person"]["name"] == "Anna Canary"
    assert orders[2]["lines"][0]["sku"] == "JKT-M-OLIVE"
    before = await everything(tenant)
    assert [canary for canary in CANARIES if canary in before] == list(CANARIES)
    erased = await tenant.admin.post(f"{PATH}/erase", json=person)
    assert (erased.status_code, erased.json()) == (200, {"orders": 3})
    left = await everything(tenant)
    assert [canary for canary in CANARIES if canary in left] == []
    assert "bob@example.com" in left
    again = await tenant.admin.post(f"{PATH}/erase", json=person)
    assert again.json() == {"orders": 0}
    assert (await tenant.admin.post(f"{PATH}/export", json=person)).json() == {
        "orders": [],
        "opted_out": [],
        "lists": [],
        "gifts": [],
    }
    kept = await stranger.admin.post(f"{PATH}/export", json=person)
    assert len(kept.json()["orders"]) == 1
    types = await intake.rows("SELECT DISTINCT type FROM events WHERE type LIKE 'order.person%'")
    assert sorted(row["type"] for row in types) == ["order.person_erased", "order.person_exported"]
    audit = await intake.rows("SELECT sum(captured) AS paid FROM payments")
    assert audit == [{"paid": 4 * 10390}], "the books stay"


async def test_later_messages_write_nothing_personal_again(tenant: Tenant) -> None:
    intake = Intake(tenant.ctx, tenant.shop)
    await intake.connect("shopify", "shop", "shopify")
    buyer = BuyerFacts(email="anna@canary.example", name="Anna Canary")
    await intake.see(OrderSeen(order(buyer=buyer, payments=())))
    await tenant.admin.post(f"{PATH}/erase", json={"email": "anna@canary.example"})
    await intake.see(OrderSeen(order(buyer=buyer, payments=(), updated_at=at(days=9))))
    left = await everything(tenant)
    assert [canary for canary in CANARIES if canary in left] == []


async def test_only_who_manages_the_shop_may(tenant: Tenant) -> None:
    for role in (Role.AGENT, Role.FINANCE, Role.WAREHOUSE):
        async with tenant.calling(await tenant.key(role)) as caller:
            for action in ("export", "erase"):
                answer = await caller.post(f"{PATH}/{action}", json={"email": "a@b.c"})
                assert answer.status_code == 403
