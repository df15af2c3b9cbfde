"""Two shops with everything in them, seeded through the doors that a real shop uses.

The clock of the seeding context moves by hand, so that policy, orders and deliveries lie in the
past of a server that lives now; whatever has an address is made over HTTP. The second shop is the
first one's stranger and has the same things under other ids.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx

from returns_api.config import Settings
from returns_api.db import label_documents, moves, tables
from returns_api.db.engine import Transaction
from returns_api.db.tables import pickups
from returns_api.domain import address_changes, ids
from returns_api.domain.access import Role
from returns_api.domain.events import SYSTEM
from returns_api.domain.shops import ShopSettings
from returns_api.ports.carriers import Form, LabelDocument
from returns_api.ports.messaging import Sender
from returns_api.ports.payments import ProviderRefund, RefundStatus
from returns_api.usecases import _provider_facts, connections, exports, inbox, policies
from returns_api.usecases.connections import ConnectionValues
from returns_api.usecases.context import Context
from returns_api.usecases.credentials import issue
from returns_api.usecases.credit_notes import number_credit_notes
from returns_api.usecases.notification_settings import NotificationValues, put_settings
from returns_api.usecases.shops import change_shop, create_shop
from returns_api.wiring import running_context
from tests.support import shopify
from tests.support.api import ADDRESS
from tests.support.patience import PATIENCE
from tests.support.pictures import picture
from tests.support.stripe_signature import stripe_signature

NOBODY_LISTENS: Final = "http://127.0.0.1:9"
"""Where the providers of these shops would be: connections are refused at once."""
SIGNING: Final = "whsec_of_the_tests"
POLICY: Final = """\
policy: returns-policy/v1
name: Field & Loom
timezone: Europe/Berlin
currency: EUR
rules:
  - id: costly
    when: {unit_price: {min: 500.00}}
    approval: {respond_within: 48 hours, on_silence: approve}
  - id: quick
    when: {reason: changed_mind}
    refund_at: {at: request, per_buyer: 900.00, per_day: 9000.00, recover_within: 14 days}
  - id: worn
    when: {reason: other}
    resolutions: {repair: {within: 3 years, cost: quoted}}
  - id: house
    resolutions: {refund: 30 days, exchange: 60 days}
    starts: [delivered, fulfilled + 7 days]
    return_shipping: 4.90
    original_shipping: keep
    grades: {used_worn: 30%}
    evidence: none
    methods: [post, dropoff]
    approval: auto
    ship_within: 14 days
    inspect_within: 2 days
    refund_at: inspection
    refund_within: 5 days
"""
CONTEST: Final = {"claim": 1000, "statement": "It came with a stain."}
KEEP: Final = {"amount": 1000, "note": "Keep it for ten less?"}
USUAL: Final = "size_too_small"
"""Why goods come back in these shops, unless it is said."""
TABLES: Final = {
    "ord": "orders",
    "li": "order_lines",
    "pay": "payments",
    "qt": "quotes",
    "ret": "returns",
    "rl": "return_lines",
    "ev": "photos",
    "shm": "shipments",
    "pku": "pickups",
    "clm": "transport_claims",
    "can": "cancellations",
    "adc": "address_changes",
    "off": "offers",
    "dsp": "disputes",
    "cpl": "complaints",
    "exc": "exchanges",
    "rep": "repairs",
    "wdr": "withdrawals",
    "rec": "receipts",
    "ins": "inspections",
    "ref": "refunds",
    "rcv": "recoveries",
    "lst": "listings",
    "trf": "transfers",
    "sc": "store_credits",
    "scm": "store_credit_movements",
    "cn": "credit_notes",
    "evt": "events",
    "whe": "webhook_endpoints",
    "key": "credentials",
    "pv": "policy_versions",
    "in": "inbox",
    "bt": "backtests",
    "aud": "audits",
    "le": "ledger_entries",
    "ph": "policy_history",
    "rcn": "reconciliations",
    "imp": "imports",
    "exp": "exports",
    "msg": "return_messages",
    "dif": "reconciliation_differences",
}
"""Public prefixes and the tables whose ids they show."""


@dataclass(slots=True)
class Past:
    """The real time, moved back by ``ago``."""

    ago: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.ago


@dataclass(slots=True)
class House:
    """One shop: ``keys`` by role (and ``other_buyer``, ``revoked``), what is in it by prefix."""

    shop: str
    number: int
    keys: dict[str, str] = field(repr=False)
    orders: list[str] = field(default_factory=list)
    made: list[dict[str, str]] = field(default_factory=list)
    """For each order one thing of each kind, by prefix: all of them belong together."""
    things: dict[str, tuple[str, ...]] = field(default_factory=dict)
    spare_keys: tuple[str, ...] = ()
    """Ids of keys that nobody uses, to revoke."""

    @property
    def id(self) -> UUID:
        found = ids.decode("shp", self.shop)
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class World:
    """Our shop and the stranger."""

    ours: House
    theirs: House


async def build_world(settings: Settings, owner_url: str) -> World:
    """Seed both shops behind the running server of ``settings``."""
    clock = Past()
    async with (
        running_context(settings, pool_size=2, clock=clock) as (ctx, _),
        httpx.AsyncClient(base_url=settings.base_url, trust_env=False, timeout=PATIENCE) as http,
    ):
        houses = [await _house(ctx, clock, http, number) for number in (1, 2)]
    for house in houses:
        house.things = await things_of(owner_url, house.id)
        for made in house.made:
            last = {prefix: found[-1] for prefix, found in house.things.items() if found}
            made.update({**last, "key": house.spare_keys[0], **made})
    return World(*houses)


async def things_of(owner_url: str, shop: UUID) -> dict[str, tuple[str, ...]]:
    """Every public id in the shop by prefix, oldest first."""
    connection = await asyncpg.connect(owner_url)
    try:
        return {
            prefix: tuple(
                ids.encode(prefix, row["id"])
                for row in await connection.fetch(
                    f"SELECT id FROM {table} WHERE shop_id = $1 ORDER BY id", shop
                )
            )
            for prefix, table in TABLES.items()
        }
    finally:
        await connection.close()


async def _house(ctx: Context, clock: Past, http: httpx.AsyncClient, number: int) -> House:
    clock.ago = timedelta(days=40)
    made = await create_shop(
        ctx, ShopSettings(f"Shop {number}", "Europe/Berlin", "EUR", "DE", "de-DE", ADDRESS)
    )
    house = House(ids.encode("shp", made.id), number, {"admin": made.key.token})
    await _policy(ctx, made.id)
    await _connect(ctx, made.id)
    limits = {"agent_per_order": 0, "finance_per_day": 100_000_00}
    prices = {"hour": {"kind": "labour", "title": "An hour", "price": 5500}}
    settings = {"refund_limits": limits, "repairs": {"address": None, "prices": prices}}
    await change_shop(ctx, made.id, SYSTEM, 1, settings)
    clock.ago = timedelta()
    for index in (1, 2):
        await _order(ctx, http, house, index)
    await _keys(ctx, house)
    caller = Caller(http, house)
    for index, order in enumerate(house.orders):
        await _returns(caller, order, index)
    await _arrived(ctx, house)
    await _recovered(caller)
    await _fetched(ctx, house)
    await _rest(caller)
    for shop, export in await exports.due_exports(ctx, 10):
        await exports.run_export(ctx, shop, export)
    return house


async def _policy(ctx: Context, shop: UUID) -> None:
    draft = await policies.draft_policy(ctx, shop, SYSTEM, POLICY)
    await policies.publish_policy(
        ctx, shop, SYSTEM, draft["id"], effective_from=None, acknowledge="a test"
    )
    await policies.draft_policy(ctx, shop, SYSTEM, POLICY)


async def _connect(ctx: Context, shop: UUID) -> None:
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


async def _keys(ctx: Context, house: House) -> None:
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


async def _order(ctx: Context, http: httpx.AsyncClient, house: House, index: int) -> None:
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


@dataclass(slots=True)
class Caller:
    """Calls the API of one shop with its keys; fails the seeding for anything but a 2xx."""

    http: httpx.AsyncClient
    house: House
    calls: int = 0

    async def __call__(self, role: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        self.calls += 1
        headers = {
            **bearer(self.house.keys[role]),
            "Idempotency-Key": f"seed-{self.house.number}-{self.calls}",
        }
        answer = await self.http.request(method, path, json=body, headers=headers)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return dict(answer.json()) if answer.content else {}


async def _returns(call: Caller, order: str, index: int) -> None:
    """A quote nobody accepted; returns that wait, are approved, asked about, and paid back; a
    refund that finance makes, and one of an agent's that finance approves."""
    buyer = ("buyer", "other_buyer")[index]
    seen = await call("agent", "GET", f"/v1/orders/{order}/returnable")
    jacket, shirt, coat = (line["line"] for line in seen["lines"])

    async def opened(line: str, quantity: int = 1, why: str = USUAL) -> dict[str, Any]:
        quote = await call(buyer, "POST", "/v1/quotes", asked(order, line, quantity, why))
        return await call(buyer, "POST", "/v1/returns", {"quote": quote["quote"]})

    quote = await call(buyer, "POST", "/v1/quotes", asked(order, jacket))
    await opened(coat)
    asked_about = await opened(coat)
    await call(
        "agent", "POST", f"/v1/returns/{asked_about['return']}/request-info", {"question": "Why?"}
    )
    offered = await call("admin", "POST", f"/v1/returns/{asked_about['return']}/offers", KEEP)
    refused = await opened(coat)
    await call("agent", "POST", f"/v1/returns/{refused['return']}/reject", {"code": "worn"})
    disputed = await call(buyer, "POST", f"/v1/returns/{refused['return']}/disputes", CONTEST)
    approved = await opened(shirt, 2)
    said = f"/v1/returns/{approved['return']}"
    await call(buyer, "POST", f"{said}/messages", {"text": "By when, please?"})
    await call("warehouse", "POST", f"{said}/notes", {"text": "Shelf 4."})
    stalled = {"cause": "stalled", "note": "No scan for ten days."}
    claims = f"/v1/returns/{approved['return']}/transport-claims"
    claimed = await call("agent", "POST", claims, stalled)
    complained = await _complained(call, buyer, order, approved["return"])
    missed = await _missed(call, buyer, order, coat)
    received = await opened(jacket, 2)
    path, line = f"/v1/returns/{received['return']}", received["lines"][0]["return_line"]
    counted = {"reference": "dock 7", "lines": [{"return_line": line, "quantity": 2}]}
    await call("warehouse", "POST", f"{path}/receipts", counted)
    units = [{"return_line": line, "grade": grade} for grade in ("sealed", "used_worn")]
    await call("warehouse", "POST", f"{path}/inspections", {"units": units})
    refund = await call("finance", "POST", "/v1/refunds", {"order": order, "amount": 100})
    asked_for = await call("agent", "POST", "/v1/refunds", {"order": order, "amount": 50})
    seen = await call("finance", "GET", f"/v1/refunds/{asked_for['refund']}")
    binding = {"binding": seen["approval"]["binding"]}
    await call("finance", "POST", f"/v1/refunds/{asked_for['refund']}/approve", binding)
    early = await opened(shirt, 1, "changed_mind")
    exchanged = await _exchanged(call, buyer, order, jacket)
    repaired = await _repaired(call, buyer, order, jacket)
    present = {"order": order, "amount": 300, "kind": "goodwill", "to": "store_credit"}
    given = await call("finance", "POST", "/v1/refunds", present)
    credit = given["transfers"][0]["store_credit"]
    paid = {"amount": 120, "client_reference": f"checkout {order}"}
    debit = await call("agent", "POST", f"/v1/store-credits/{credit}/debits", paid)
    undo = f"/v1/store-credits/{credit}/debits/{debit['movement']}/reversals"
    await call("agent", "POST", undo, {"amount": 20})
    named = {"name": "Ada", "contact": "ada@buyer.example"}
    path = f"/v1/orders/{order}/withdrawals"
    confirmed = await call(buyer, "POST", path, named)
    await call(buyer, "POST", f"/v1/withdrawals/{confirmed['withdrawal']}/confirm")
    withdrawn = await call(buyer, "POST", path, named)
    sent = {"content-type": "image/png", "idempotency-key": f"photo-{order}"}
    answer = await call.http.post(
        f"/v1/orders/{order}/photos",
        content=picture(index, kind="PNG"),
        headers={**bearer(call.house.keys[buyer]), **sent},
    )
    call.house.made.append(
        {
            "ev": answer.json()["photo"],
            "early": early["return"],
            "ord": order,
            "li": jacket,
            "qt": quote["quote"],
            "ret": approved["return"],
            "rl": approved["lines"][0]["return_line"],
            "ref": refund["refund"],
            "sc": credit,
            "scm": debit["movement"],
            "off": offered["offer"],
            "dsp": disputed["dispute"],
            "cpl": complained,
            "exc": exchanged,
            "rep": repaired,
            "wdr": withdrawn["withdrawal"],
            "clm": claimed["claim"],
            "can": missed["cancellation"],
            "shp": call.house.shop,
            "slug": "stripe",
        }
    )


async def _complained(call: Caller, buyer: str, order: str, return_: str) -> str:
    """One complaint that was rated, one that is under way with a note of the staff's."""
    about = {"order": order, "return": return_, "category": "refund", "text": "Where is it?"}
    rated = await call(buyer, "POST", "/v1/complaints", about)
    path = f"/v1/complaints/{rated['complaint']}"
    await call("agent", "POST", f"{path}/resolve", {"text": "It is on its way."})
    await call(buyer, "POST", f"{path}/rate", {"score": 4, "text": "Thank you."})
    made = await call(buyer, "POST", "/v1/complaints", about)
    path = f"/v1/complaints/{made['complaint']}"
    await call("agent", "POST", f"{path}/notes", {"text": "Second time."})
    return str(made["complaint"])


async def _missed(call: Caller, buyer: str, order: str, line: str) -> dict[str, Any]:
    """A coat that never reached its buyer, and one that the shop has already answered for."""
    (parcel,) = (await call("agent", "GET", f"/v1/orders/{order}"))["parcels"]
    one = {"cause": "not_received", "lines": [{"line": line, "quantity": 1}]}
    told = {**one, "parcel": parcel["external_id"]}
    lost = await call("agent", "POST", f"/v1/orders/{order}/cancellations", told)
    await call("agent", "POST", f"/v1/cancellations/{lost['cancellation']}/withdraw")
    return await call(buyer, "POST", f"/v1/orders/{order}/cancellations", told)


async def _exchanged(call: Caller, buyer: str, order: str, line: str) -> str:
    """Goods for goods that cost more: judged, paid for and to be sent."""
    wanted = {**asked(order, line), "resolution": "exchange"}
    quote = await call(buyer, "POST", "/v1/quotes", wanted)
    body = {"quote": quote["quote"], "lines": [{"line": line, "wanted": {"sku": "JKT-L"}}]}
    opened = await call(buyer, "POST", "/v1/returns", body)
    found = await call(buyer, "GET", f"/v1/exchanges?return={opened['return']}")
    exchange = str(found["items"][0]["exchange"])
    await call("agent", "POST", f"/v1/exchanges/{exchange}/answer",
               {"in_stock": True, "unit_price": 10900})  # fmt: skip
    await call(buyer, "POST", f"/v1/exchanges/{exchange}/accept")
    await _back(call, opened)
    due = (await call(buyer, "GET", f"/v1/exchanges/{exchange}"))["money"]["due"]
    paid = {"amount": due, "reference": f"paid for {exchange}"}
    await call("finance", "POST", f"/v1/exchanges/{exchange}/payments", paid)
    return exchange


async def _repaired(call: Caller, buyer: str, order: str, line: str) -> str:
    """Goods that nobody covers: quoted, mended, paid for and to be sent back."""
    wanted = {**asked(order, line, why="other"), "resolution": "repair"}
    quote = await call(buyer, "POST", "/v1/quotes", wanted)
    opened = await call(buyer, "POST", "/v1/returns", {"quote": quote["quote"]})
    await _back(call, opened)
    found = await call(buyer, "GET", opened["repair"])
    repair = str(found["items"][0]["repair"])
    path = f"/v1/repairs/{repair}"
    await call("agent", "POST", f"{path}/quote", {"positions": [{"code": "hour"}]})
    await call(buyer, "POST", f"{path}/accept")
    due = (await call("agent", "POST", f"{path}/finish"))["money"]["due"]
    paid = {"amount": due, "reference": f"paid for {repair}"}
    await call("finance", "POST", f"{path}/payments", paid)
    return repair


async def _back(call: Caller, opened: Mapping[str, Any]) -> None:
    """The one unit of a return comes back as it was sold."""
    path, here = f"/v1/returns/{opened['return']}", opened["lines"][0]["return_line"]
    counted = {"reference": "dock 9", "lines": [{"return_line": here, "quantity": 1}]}
    await call("warehouse", "POST", f"{path}/receipts", counted)
    units = [{"return_line": here, "grade": "sealed"}]
    await call("warehouse", "POST", f"{path}/inspections", {"units": units})


async def _arrived(ctx: Context, house: House) -> None:
    """The provider's evidence of the refunds that finance approved, so that they have notes, and of
    those that were paid before the goods were seen."""
    async with ctx.database.transaction(house.id) as tx:
        sent = await tx.connection.fetch(
            "SELECT t.id, t.amount_minor, t.currency, p.provider_payment_id"
            " FROM transfers t JOIN payments p ON p.id = t.payment_id JOIN refunds f"
            " ON f.id = t.refund_id WHERE f.hold_reason IS NOT NULL OR f.kind = 'advance'"
            " ORDER BY t.id"
        )
        for row in sent:
            fact = ProviderRefund(
                provider_refund_id=f"re_{row['id']}",
                provider_payment_id=row["provider_payment_id"],
                amount_minor=row["amount_minor"],
                currency=row["currency"],
                status=RefundStatus.SUCCEEDED,
                reference=ids.encode("trf", row["id"]),
            )
            await _provider_facts.apply(tx, ctx, "stripe", "stripe", "stripe", fact)
    await number_credit_notes(ctx, house.id, house.id)
    notes = "SELECT id FROM credit_notes WHERE order_id = $1 AND amount_minor = 50"
    async with ctx.database.transaction(house.id) as tx:
        for made in house.made:
            order = ids.decode("ord", made["ord"])
            made["cn"] = ids.encode("cn", await tx.connection.fetchval(notes, order))


async def _fetched(ctx: Context, house: House) -> None:
    """A courier for the parcel of each approved return, as the carrier confirmed it."""
    now = ctx.clock()
    async with ctx.database.transaction(house.id) as tx:
        for made in house.made:
            return_id = ids.decode("ret", made["ret"])
            parcel = await tx.connection.fetchrow(
                "SELECT id, source FROM shipments WHERE return_id = $1", return_id
            )
            assert parcel is not None
            pickup_id = ctx.new_id()
            await moves.add(
                tx, pickups, "pickup", now, (), id=pickup_id, return_id=return_id,
                order_id=ids.decode("ord", made["ord"]), shipment_id=parcel["id"],
                source=parcel["source"], state="booked", carrier_pickup_id=str(pickup_id),
                carrier="UPS", service="NextDay", starts_at=now + timedelta(days=1),
                ends_at=now + timedelta(days=1, hours=4), cost_minor=550, currency="EUR",
                confirmation="PU1",
            )  # fmt: skip
            made["pku"] = ids.encode("pku", pickup_id)
            printed = LabelDocument(Form.LABEL, "application/pdf", b"%PDF-1.4")
            await label_documents.keep(tx, parcel["id"], [printed], now)
            made["adc"] = ids.encode("adc", await _redirected(tx, ctx, made["ord"]))


async def _redirected(tx: Transaction, ctx: Context, order: str) -> UUID:
    """A wish for another address, as it was stored before everything was sent."""
    state, deadlines = address_changes.opening(ctx.clock())
    change_id = ctx.new_id()
    address = {"name": "Ada", "street1": "Neue Str. 2", "postcode": "20095", "city": "Hamburg"}
    await moves.add(
        tx, tables.address_changes, "address_change", ctx.clock(), deadlines, id=change_id,
        order_id=ids.decode("ord", order), state=state, asked_by="buyer",
        address={**address, "country": "DE"},
    )  # fmt: skip
    return change_id


async def _recovered(call: Caller) -> None:
    """Goods that are worth less than what was paid before they were seen; a part is written off."""
    for made in call.house.made:
        path = f"/v1/returns/{made.pop('early')}"
        seen = await call("agent", "GET", path)
        line = seen["lines"][0]["return_line"]
        counted = {"reference": "dock 8", "lines": [{"return_line": line, "quantity": 1}]}
        await call("warehouse", "POST", f"{path}/receipts", counted)
        units = [{"return_line": line, "grade": "used_worn"}]
        await call("warehouse", "POST", f"{path}/inspections", {"units": units})
        made["rcv"] = (await call("finance", "GET", path))["money"]["advance"]["recovery"]
        body = {"amount": 100, "note": "a test"}
        await call("finance", "POST", f"/v1/recoveries/{made['rcv']}/write-off", body)
        body = {"amount": 100, "reference": f"wire for {made['rcv']}"}
        await call("finance", "POST", f"/v1/recoveries/{made['rcv']}/payments", body)
        body = {"store_credit": made["sc"], "amount": 1}
        await call("finance", "POST", f"/v1/recoveries/{made['rcv']}/debits", body)


async def _rest(call: Caller) -> None:
    """An endpoint and an event for it, a back-test, a message that nobody could read."""
    await call(
        "admin",
        "POST",
        "/v1/admin/webhook-endpoints",
        {"url": f"{NOBODY_LISTENS}/in", "topics": ["*"]},
    )
    versions = await call("admin", "GET", "/v1/admin/policies")
    await call(
        "admin", "POST", "/v1/admin/backtests", {"policy_version": versions["items"][0]["id"]}
    )
    await call("finance", "POST", "/v1/reconciliations", {"source": "stripe"})
    await call("finance", "POST", "/v1/audits", {})
    body = {"list": "block", "email": "nobody@example.com", "reason": "payment_disputes"}
    await call("agent", "POST", "/v1/listings", body)
    await call("admin", "POST", "/v1/exports", {"kind": "returns"})
    begun = await call("admin", "POST", "/v1/imports", {})
    path = f"/v1/imports/{begun['id']}/parts"
    lines = {**bearer(call.house.keys["admin"]), "content-type": "application/x-ndjson"}
    await post(call.http, path, b"{}\n", lines)
    name = f"only-shop-{call.house.number}"
    body = {"kind": "shop", "adapter": "shopify", "account": "x", "base_url": NOBODY_LISTENS}
    await call("admin", "PUT", f"/v1/admin/connections/{name}", body)
    for made in call.house.made:
        made["slug"] = name
    raw = b'{"not": "an event"}'
    signature = stripe_signature(SIGNING, raw, int(time.time()))
    await post(
        call.http, f"/v1/hooks/{call.house.shop}/stripe", raw, {"stripe-signature": signature}
    )


def asked(order: str, line: str, quantity: int = 1, why: str = USUAL) -> dict[str, Any]:
    """A body for ``POST /v1/quotes``."""
    one = {"line": line, "quantity": quantity, "reason": why}
    return {"order": order, "lines": [one]}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def post(http: httpx.AsyncClient, path: str, body: bytes, headers: Mapping[str, str]) -> None:
    """A webhook that has to be taken."""
    answer = await http.post(path, content=body, headers=dict(headers))
    if not answer.is_success:
        raise RuntimeError(f"POST {path}: {answer.status_code} {answer.text}")


def as_json(values: Iterable[Any]) -> str:
    """A list in one line, for messages of failing tests."""
    return json.dumps(list(values), ensure_ascii=False, default=str)
