"""Orders over HTTP: whole, found by number, and nobody else's."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from returns_api.db import inbox as inbox_rows
from returns_api.domain import ids
from returns_api.domain.access import Role
from returns_api.domain.order_documents import EXAMPLE
from returns_api.domain.orders import OrderSeen, ParcelDelivered
from tests.support.api import Tenant
from tests.support.intake import Intake
from tests.support.seen import CARD, CASH, at, order, outside, parcel

PATH = "/v1/orders"
INBOX = "/v1/admin/inbox"


@pytest.fixture
async def intake(tenant: Tenant) -> Intake:
    return Intake(tenant.ctx, tenant.shop)


async def order_id(intake: Intake, external_id: str = "o1") -> str:
    found = await intake.rows("SELECT id FROM orders WHERE external_id = $1", external_id)
    return ids.encode("ord", found[0]["id"])


async def test_an_order_is_shown_whole_and_without_its_buyer(
    tenant: Tenant, intake: Intake
) -> None:
    await intake.see(
        OrderSeen(order(payments=(CASH,))),
        parcel(),
        ParcelDelivered("o1", "f1", at(days=3)),
        outside(),
    )
    path = f"{PATH}/{await order_id(intake)}"
    answer = await tenant.admin.get(path)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    assert answer.headers["etag"] == f'"{shown["version"]}"' == '"4"'
    assert (shown["number"], shown["total"], shown["tags"]) == ("#1001", 25290, ["vip"])
    shirt = shown["lines"][1]
    assert {key: shirt[key] for key in ("ordered", "shipped", "delivered", "left")} == {
        "ordered": 3,
        "shipped": 2,
        "delivered": 2,
        "left": 1,
    }
    assert shirt["delivered_at"] == "2026-11-04T09:00:00Z"
    assert shown["parcels"][0]["tracking"] == ["T1"]
    assert shown["payments"][0]["refundable"] == 23290
    for personal in ("Canary", "anna", "Anna", "+49301", "700123"):
        assert personal not in answer.text


async def test_a_buyer_sees_the_one_order_and_not_the_merchants_words(
    tenant: Tenant, intake: Intake
) -> None:
    await intake.see(OrderSeen(order()), OrderSeen(order(external_id="o2", payments=())))
    mine = await order_id(intake)
    uuid = ids.decode("ord", mine)
    token = await tenant.key(Role.BUYER, order_id=uuid)
    async with tenant.calling(token) as buyer:
        answer = await buyer.get(f"{PATH}/{mine}")
        assert answer.status_code == 200
        assert (answer.json()["tags"], answer.json()["flags"]) == (None, None)
        assert (await buyer.get(f"{PATH}/{await order_id(intake, 'o2')}")).status_code == 404
        assert (await buyer.get(PATH)).status_code == 403


async def test_an_agent_finds_orders_by_number_as_people_type_it(
    tenant: Tenant, intake: Intake
) -> None:
    await intake.see(
        OrderSeen(order()),
        OrderSeen(order(external_id="o2", number="#1002", payments=())),
        OrderSeen(order(external_id="o3", number="1001", payments=())),
    )
    token = await tenant.key(Role.AGENT)
    async with tenant.calling(token) as agent:
        for typed in ("#1001", "1001", " # 1001 "):
            answer = await agent.get(PATH, params={"number": typed})
            assert [item["external_id"] for item in answer.json()["items"]] == ["o3", "o1"]
        first = (await agent.get(PATH, params={"limit": 2})).json()
        rest = (await agent.get(PATH, params={"cursor": first["next_cursor"]})).json()
    found = [item["external_id"] for item in first["items"] + rest["items"]]
    assert found == ["o3", "o2", "o1"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"number": "\x00"}, 422),
        ({"number": ""}, 422),
        ({"number": "1" * 65}, 422),
        ({"limit": "-1"}, 422),
        ({"cursor": "ord_nonsense"}, 422),
        ({"number": "ß\u202e1001"}, 200),
    ],
)
async def test_odd_queries_are_answered_plainly(
    tenant: Tenant, query: dict[str, str], status: int
) -> None:
    assert (await tenant.admin.get(PATH, params=query)).status_code == status


async def test_a_foreign_order_is_an_unknown_one(
    tenant: Tenant, stranger: Tenant, intake: Intake
) -> None:
    await intake.see(OrderSeen(order(payments=(CARD,))))
    theirs = await order_id(intake)
    unknown = ids.encode("ord", tenant.ctx.new_id())
    answers = []
    for name in (theirs, unknown, "ord_nonsense", "%00"):
        answer = await stranger.admin.get(f"{PATH}/{name}")
        shown = answer.json()
        answers.append((answer.status_code, shown["code"], shown["detail"]))
    assert len(set(answers)) == 1
    assert answers[0][0] == 404
    assert (await stranger.admin.get(PATH)).json()["items"] == []


async def dead_message(tenant: Tenant) -> str:
    ctx = tenant.ctx
    message_id = ctx.new_id()
    async with ctx.database.transaction(tenant.shop) as tx:
        await inbox_rows.add(
            tx,
            message_id=message_id,
            source="shopify",
            event_id=str(message_id),
            topic="orders/create",
            body=b'{"email": "anna@example.com"}',
            received_at=ctx.clock(),
        )
        await inbox_rows.claim(tx, message_id, ctx.clock(), ctx.clock())
        await inbox_rows.finish(
            tx, message_id, 1, state="dead", now=ctx.clock(), error="$.id is missing"
        )
    return ids.encode("in", message_id)


async def test_dead_messages_are_listed_without_their_bodies_and_replayed(tenant: Tenant) -> None:
    message = await dead_message(tenant)
    listed = await tenant.admin.get(INBOX)
    (item,) = listed.json()["items"]
    assert (item["message"], item["state"], item["error"]) == (message, "dead", "$.id is missing")
    assert "anna" not in listed.text
    replayed = await tenant.admin.post(f"{INBOX}/{message}/replay")
    assert (replayed.status_code, replayed.json()["state"]) == (202, "received")
    again = await tenant.admin.post(f"{INBOX}/{message}/replay")
    assert (again.status_code, again.json()["code"]) == (409, "action_not_allowed")
    assert (await tenant.admin.get(INBOX)).json()["items"] == []
    assert len((await tenant.admin.get(INBOX, params={"state": "received"})).json()["items"]) == 1


async def test_messages_of_another_shop_do_not_exist(tenant: Tenant, stranger: Tenant) -> None:
    message = await dead_message(tenant)
    answer = await stranger.admin.post(f"{INBOX}/{message}/replay")
    assert answer.status_code == 404
    assert (await stranger.admin.get(INBOX)).json()["items"] == []
    assert len((await tenant.admin.get(INBOX)).json()["items"]) == 1


async def test_only_managers_of_webhooks_see_the_inbox(tenant: Tenant) -> None:
    for role in (Role.AGENT, Role.WAREHOUSE, Role.FINANCE, Role.PUBLISHABLE):
        async with tenant.calling(await tenant.key(role)) as caller:
            assert (await caller.get(INBOX)).status_code == 403


async def test_an_order_is_put_renewed_and_kept(tenant: Tenant, intake: Intake) -> None:
    body = copy.deepcopy(EXAMPLE)
    path = f"{PATH}/{body['external_id']}"
    first = await tenant.admin.put(path, json=body)
    assert (first.status_code, first.headers["etag"]) == (201, '"2"'), first.text
    assert first.json()["lines"][0]["delivered"] == 1
    assert first.json()["source"] == "api"
    same = await tenant.admin.put(path, json=body)
    assert (same.status_code, same.headers["etag"], same.json()) == (200, '"2"', first.json())
    assert len(await intake.rows("SELECT id FROM events WHERE type LIKE 'order.%'")) == 2
    body["financial_status"] = "refunded"
    clash = await tenant.admin.put(path, json=body)
    assert (clash.status_code, clash.json()["known"]) == (409, "2026-11-06T13:04:10+00:00")
    body["updated_at"] = "2026-11-07T00:00:00Z"
    unseen = await tenant.admin.put(path, json=body, headers={"if-match": '"1"'})
    assert unseen.status_code == 412
    newer = await tenant.admin.put(path, json=body, headers={"if-match": '"2"'})
    assert (newer.status_code, newer.json()["financial_status"]) == (200, "refunded")
    older = await tenant.admin.put(path, json=EXAMPLE)
    assert older.status_code == 409


async def test_a_document_that_contradicts_itself_is_named(tenant: Tenant) -> None:
    body = copy.deepcopy(EXAMPLE)
    body["parcels"][0]["lines"][0] = {"line": "none", "quantity": 1}
    body["lines"][1]["external_id"] = body["lines"][0]["external_id"]
    answer = await tenant.admin.put(f"{PATH}/A-1001", json=body)
    assert answer.status_code == 409
    assert [each["field"] for each in answer.json()["errors"]] == [
        "lines[1].external_id",
        "parcels[0].lines[0].line",
    ]
    other = await tenant.admin.put(f"{PATH}/A-1002", json=EXAMPLE)
    assert (other.status_code, other.json()["errors"][0]["field"]) == (409, "external_id")
    nowhere = await tenant.admin.put(f"{PATH}/A-1001?source=none", json=EXAMPLE)
    assert (nowhere.status_code, nowhere.json()["code"]) == (409, "does_not_fit")
    async with tenant.calling(await tenant.key(Role.AGENT)) as agent:
        assert (await agent.put(f"{PATH}/A-1001", json=EXAMPLE)).status_code == 403
