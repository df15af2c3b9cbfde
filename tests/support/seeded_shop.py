"""What a seeded shop has before anything comes back: a policy, connections, keys, orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx

from returns_api.domain import ids
from returns_api.domain.access import Role
from returns_api.domain.events import SYSTEM
from returns_api.ports.messaging import Sender
from returns_api.usecases import connections, inbox, policies
from returns_api.usecases.connections import ConnectionValues
from returns_api.usecases.context import Context
from returns_api.usecases.credentials import issue
from returns_api.usecases.notification_settings import NotificationValues, put_settings
from tests.support import shopify
from tests.support.world import NOBODY_LISTENS, POLICY, SIGNING, House, bearer, post


async def publish_rules(ctx: Context, shop: UUID) -> None:
    draft = await policies.draft_policy(ctx, shop, SYSTEM, POLICY)
    await policies.publish_policy(
        ctx, shop, SYSTEM, draft["id"], effective_from=None, acknowledge="a test"
    )
    await policies.draft_policy(ctx, shop, SYSTEM, POLICY)


async def connect_providers(ctx: Context, shop: UUID) -> None:
    for source, kind, gateways in (
        ("shopify", "shop", ()),
        ("stripe", "payments", ("shopify_payments",)),
        ("easypost", "carrier", ()),
    ):
        values = ConnectionValues(
            kind=kind,
            adapter=source,
            account=f"account of {source}",
            base_url=NOBODY_LISTENS,
            gateways=gateways,
            secret="sk_of_the_tests",
            webhook_secrets=(SIGNING,),
        )
        await connections.put_connection(ctx, shop, SYSTEM, source, values, None)
    server = ConnectionValues(
        kind="messaging",
        adapter="smtp",
        account="returns@shop.example",
        base_url="smtp://127.0.0.1:9",
        gateways=(),
        secret="of the tests",
        webhook_secrets=None,
    )
    await connections.put_connection(ctx, shop, SYSTEM, "mail", server, None)
    told = NotificationValues(Sender("returns@shop.example", "Shop"), True, ())
    await put_settings(ctx, shop, SYSTEM, "mail", told, None)


async def issue_keys(ctx: Context, house: House) -> None:
    """One key for each role; a buyer's token for each order; one that was revoked."""
    async with ctx.database.transaction(house.id) as tx:
        for role in (Role.PUBLISHABLE, Role.AGENT, Role.WAREHOUSE, Role.FINANCE, Role.PLATFORM):
            house.keys[role.value] = (await issue(tx, ctx, role=role, label="seed")).token
        for name, order in zip(("buyer", "other_buyer"), house.orders, strict=True):
            made = await issue(
                tx,
                ctx,
                role=Role.BUYER,
                label="buyer",
                order_id=ids.decode("ord", order),
                expires_in=timedelta(hours=1),
            )
            house.keys[name] = made.token
        spare = [await issue(tx, ctx, role=Role.WAREHOUSE, label="spare") for _ in range(3)]
        house.spare_keys = tuple(ids.encode("key", key.id) for key in spare)
        revoked = await issue(tx, ctx, role=Role.ADMIN, label="revoked")
        house.keys["revoked"] = revoked.token
        await tx.connection.execute(
            "UPDATE credentials SET revoked_at = $1 WHERE id = $2", ctx.clock(), revoked.id
        )


async def bring_order(ctx: Context, http: httpx.AsyncClient, house: House, index: int) -> None:
    """An order of three lines, paid, sent and delivered; told by the platform's webhooks."""
    number, now = 1000 * house.number + index, datetime.now(UTC)
    placed, sent, arrived = (
        (now - timedelta(days=days)).isoformat(timespec="seconds") for days in (12, 10, 8)
    )
    body = shopify.order(
        820_000_000_000 + number,
        [
            shopify.line_item(number * 10 + 1, "Field jacket", "99.00", 40),
            shopify.line_item(number * 10 + 2, "Linen shirt", "39.00", 40),
            shopify.line_item(number * 10 + 3, "Waxed coat", "600.00", 4),
        ],
        shipping=[shopify.shipping_line(number * 10 + 4, "4.90")],
        transactions=[shopify.transaction(number, "7924.90", processed_at=placed)],
        created_at=placed,
        processed_at=placed,
        updated_at=placed,
        name=f"#{number}",
    )
    parcel = shopify.fulfillment(body, number * 100, created_at=sent, updated_at=sent)
    scan = shopify.delivery_scan(
        body, number * 100, happened_at=arrived, created_at=arrived, updated_at=arrived
    )
    told = (("orders/create", body), ("fulfillments/create", parcel))
    for topic, content in (*told, ("fulfillment_events/create", scan)):
        raw = shopify.encode(content)
        event = f"{topic}-{number}"
        headers = shopify.headers(topic, raw, secret=SIGNING, webhook_id=event, event_id=event)
        await post(http, f"/v1/hooks/{house.shop}/shopify", raw, headers)
        for shop, message in await inbox.due_inbox(ctx, 50):
            await inbox.process_inbox(ctx, shop, message)
    answer = await http.get(
        "/v1/orders", params={"number": str(number)}, headers=bearer(house.keys["admin"])
    )
    house.orders.append(answer.json()["items"][0]["order"])
