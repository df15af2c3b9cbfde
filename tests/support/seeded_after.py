"""What follows in a seeded shop: money that arrives, couriers, recoveries, and all that is left."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

from returns_api.db import label_documents, moves, tables
from returns_api.db.engine import Transaction
from returns_api.db.tables import pickups
from returns_api.domain import address_changes, ids
from returns_api.ports.carriers import Form, LabelDocument
from returns_api.ports.payments import ProviderRefund, RefundStatus
from returns_api.usecases import _provider_facts
from returns_api.usecases.context import Context
from returns_api.usecases.credit_notes import number_credit_notes
from tests.support.stripe_signature import stripe_signature
from tests.support.world import NOBODY_LISTENS, SIGNING, Caller, House, bearer, post


async def let_money_arrive(ctx: Context, house: House) -> None:
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


async def book_couriers(ctx: Context, house: House) -> None:
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


async def recover_early_money(call: Caller) -> None:
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


async def add_the_rest(call: Caller) -> None:
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
