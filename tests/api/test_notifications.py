"""How a shop tells its buyers, over HTTP: settings, a test, the list, the way out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from returns_api.domain.access import Role
from returns_api.worker.sweep import drain
from tests.api.test_people import put
from tests.support.api import Tenant
from tests.support.mailbox import Mailbox, a_mailbox, text_of

CONNECTIONS = "/v1/admin/connections"
SETTINGS = "/v1/admin/notification-settings"
BODY: dict[str, Any] = {"sender": {"address": "returns@shop.example", "name": "Field & Loom"}}


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with a_mailbox() as running:
        yield running


async def connect(tenant: Tenant, url: str, source: str = "mail") -> httpx.Response:
    body = {"kind": "messaging", "adapter": "smtp", "account": "u", "base_url": url}
    return await tenant.admin.put(f"{CONNECTIONS}/{source}", json=body)


async def test_a_shop_sets_up_tests_and_changes_its_messages(
    tenant: Tenant, mailbox: Mailbox
) -> None:
    for bad in ("https://mx.example", "smtp://u:p@mx.example", "smtp://mx.example/x"):
        refused = await connect(tenant, bad)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert (await connect(tenant, mailbox.url)).status_code == 201
    early = await tenant.admin.post(f"{SETTINGS}/mail/test", json={"to": "me@shop.example"})
    assert early.status_code == 409
    made = await tenant.admin.put(f"{SETTINGS}/mail", json=BODY)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert (made.json()["channel"], made.json()["switched_off"]) == ("email", [])
    tested = await tenant.admin.post(f"{SETTINGS}/mail/test", json={"to": "me@shop.example"})
    assert tested.json() == {"sent": True, "reason": None}
    assert mailbox.received[0]["Subject"] == "Nachrichten kommen an"
    mailbox.at_rcpt = lambda _: "550 nobody"
    tested = await tenant.admin.post(f"{SETTINGS}/mail/test", json={"to": "me@shop.example"})
    assert tested.json() == {"sent": False, "reason": "smtp_550"}
    for _ in range(3):
        last = await tenant.admin.post(f"{SETTINGS}/mail/test", json={"to": "me@shop.example"})
    assert last.status_code == 429
    less = BODY | {"switched_off": ["refund.requested"]}
    blind = await tenant.admin.put(f"{SETTINGS}/mail", json=less)
    assert blind.status_code == 428
    stale = await tenant.admin.put(f"{SETTINGS}/mail", json=less, headers={"if-match": '"7"'})
    assert stale.status_code == 412
    saved = await tenant.admin.put(f"{SETTINGS}/mail", json=less, headers={"if-match": '"1"'})
    assert (saved.status_code, saved.headers["etag"]) == (200, '"2"')
    (shown,) = (await tenant.admin.get(SETTINGS)).json()["items"]
    assert shown == saved.json()
    odd = BODY | {"switched_off": ["refund.nothing"]}
    unfit = await tenant.admin.put(f"{SETTINGS}/mail", json=odd, headers={"if-match": '"2"'})
    assert (unfit.status_code, unfit.json()["code"]) == (409, "does_not_fit")
    assert (await tenant.admin.put(f"{SETTINGS}/nowhere", json=BODY)).status_code == 404


async def test_what_was_told_is_listed_exported_and_stopped(
    tenant: Tenant, stranger: Tenant, mailbox: Mailbox
) -> None:
    await connect(tenant, mailbox.url)
    await tenant.admin.put(f"{SETTINGS}/mail", json=BODY)
    await put(tenant, "P1", locale="fr-FR")
    order = (await tenant.admin.get("/v1/orders")).json()["items"][0]["order"]
    for number in (1, 2):
        made = await tenant.admin.post(
            "/v1/refunds",
            json={"order": order, "amount": 100, "kind": "goodwill"},
            headers={"idempotency-key": f"r{number}"},
        )
        assert made.status_code == 202, made.text
    await drain(tenant.ctx)
    listed = (await tenant.admin.get("/v1/admin/notifications", params={"limit": 1})).json()
    assert [each["state"] for each in listed["items"]] == ["sent"]
    after = {"limit": 1, "cursor": listed["next_cursor"], "order": order, "state": "sent"}
    rest = (await tenant.admin.get("/v1/admin/notifications", params=after)).json()
    assert {each["kind"] for each in listed["items"] + rest["items"]} == {"refund.requested"}
    assert {each["language"] for each in rest["items"]} == {"fr"}
    assert (await stranger.admin.get("/v1/admin/notifications")).json()["items"] == []
    mail = mailbox.received[-1]
    link = str(mail["List-Unsubscribe"])[1:-1]
    assert link in text_of(mail)
    async with tenant.calling("nobody") as buyer:
        buyer.headers.pop("authorization")
        page = await buyer.get(link)
        assert (page.status_code, page.headers["content-type"][:9]) == (200, "text/html")
        form = {"List-Unsubscribe": "One-Click"}
        assert (await buyer.post(link, data=form)).status_code == 200
        assert (await buyer.post(link[:-3] + "AAA", data=form)).status_code == 404
        assert (await buyer.get(link.replace("=email", "=sms"))).status_code == 404
    person = {"email": "anna.canary@example.com"}
    export = (await tenant.admin.post("/v1/admin/people/export", json=person)).json()
    assert export["opted_out"] == ["email"]
    assert [each["state"] for each in export["orders"][0]["notifications"]] == ["sent", "sent"]
    assert (await tenant.admin.post("/v1/admin/people/erase", json=person)).json() == {"orders": 1}
    async with tenant.ctx.database.transaction(tenant.shop) as tx:
        left = await tx.connection.fetchval("SELECT count(*) FROM notification_opt_outs")
    assert left == 0


async def test_who_may(tenant: Tenant) -> None:
    for role, seen in ((Role.AGENT, 200), (Role.FINANCE, 403), (Role.WAREHOUSE, 403)):
        async with tenant.calling(await tenant.key(role)) as caller:
            assert (await caller.get("/v1/admin/notifications")).status_code == seen
            assert (await caller.get(SETTINGS)).status_code == 403
