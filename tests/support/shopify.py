"""Webhooks as Shopify sends them: builders of complete, consistent bodies, and their signature.

Amounts are decimal texts, ids are numbers with their exact ``admin_graphql_api_id``, as on the
wire. Whatever a test wants different it passes as a keyword or changes in the returned dict.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[1] / "fixtures" / "shopify"
SECRET = "shpss_a_secret_of_the_tests"
DOMAIN = "super-toys.myshopify.com"
PLACED = "2026-03-01T10:15:00+01:00"
SHIPPED = "2026-03-02T09:00:00+01:00"
DELIVERED = "2026-03-04T14:30:00+01:00"

Json = dict[str, Any]


def fixture(name: str) -> bytes:
    """The bytes of ``tests/fixtures/shopify/<name>.json``."""
    return (FIXTURES / f"{name}.json").read_bytes()


def encode(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


def sign(body: bytes, secret: str = SECRET) -> str:
    """What ``X-Shopify-Hmac-Sha256`` holds for ``body``."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def headers(
    topic: str,
    body: bytes,
    *,
    secret: str = SECRET,
    webhook_id: str = "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    event_id: str = "98880550-7158-44d4-b7cd-2c97c8a091b5",
    domain: str = DOMAIN,
    triggered_at: str = "2026-03-01T09:15:03.027841743Z",
) -> dict[str, str]:
    """All headers of one delivery, with lower-case names as the service sees them."""
    return {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": sign(body, secret),
        "x-shopify-webhook-id": webhook_id,
        "x-shopify-event-id": event_id,
        "x-shopify-shop-domain": domain,
        "x-shopify-api-version": "2026-07",
        "x-shopify-triggered-at": triggered_at,
    }


def money(
    name: str, amount: str, currency: str, presentment: tuple[str, str] | None = None
) -> Json:
    """``name`` and ``name_set``; ``presentment`` is another amount and currency for the buyer."""
    shown_amount, shown_currency = presentment or (amount, currency)
    return {
        name: amount,
        f"{name}_set": {
            "shop_money": {"amount": amount, "currency_code": currency},
            "presentment_money": {"amount": shown_amount, "currency_code": shown_currency},
        },
    }


def tax(title: str, rate: float, amount: str, currency: str = "EUR") -> Json:
    return {
        "title": title,
        "rate": rate,
        "channel_liable": False,
        **money("price", amount, currency),
    }


def discount(index: int, amount: str, currency: str = "EUR") -> Json:
    """An allocation of the order's discount application number ``index``."""
    return {"discount_application_index": index, **money("amount", amount, currency)}


def application(title: str, *, across: bool, percent: str = "10.0") -> Json:
    """A discount on the whole order (``across``) or on each unit of some lines."""
    return {
        "type": "discount_code" if across else "automatic",
        "target_type": "line_item",
        "target_selection": "all" if across else "entitled",
        "allocation_method": "across" if across else "each",
        "value_type": "percentage",
        "value": percent,
        "title": title,
    }


def line_item(
    line_id: int, title: str, price: str, quantity: int = 1, currency: str = "EUR", **more: Any
) -> Json:
    return {
        "id": line_id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line_id}",
        "current_quantity": quantity,
        "fulfillable_quantity": quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": False,
        "grams": 400,
        "name": title,
        "product_exists": True,
        "product_id": line_id + 1_000,
        "properties": [],
        "quantity": quantity,
        "requires_shipping": True,
        "sku": f"SKU-{line_id}",
        "taxable": True,
        "title": title,
        "variant_id": line_id + 2_000,
        "variant_title": None,
        "vendor": "Super Toys",
        "tax_lines": [],
        "duties": [],
        "discount_allocations": [],
        **money("price", price, currency),
        **money("total_discount", "0", currency),
        **more,
    }


def shipping_line(
    line_id: int, price: str, discounted: str | None = None, currency: str = "EUR", **more: Any
) -> Json:
    return {
        "id": line_id,
        "carrier_identifier": None,
        "code": "standard",
        "is_removed": False,
        "source": "shopify",
        "title": "Standard",
        "tax_lines": [],
        "discount_allocations": [],
        **money("price", price, currency),
        **money("discounted_price", price if discounted is None else discounted, currency),
        **more,
    }


def transaction(
    transaction_id: int, amount: str, currency: str = "EUR", *, kind: str = "sale", **more: Any
) -> Json:
    """A card payment at Shopify Payments, whose receipt and authorization name the intent."""
    intent = f"pi_3Nxt{transaction_id}"
    return {
        "id": transaction_id,
        "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{transaction_id}",
        "kind": kind,
        "gateway": "shopify_payments",
        "status": "success",
        "message": "Transaction approved",
        "created_at": PLACED,
        "processed_at": PLACED,
        "test": False,
        "authorization": intent,
        "parent_id": None,
        "error_code": None,
        "source_name": "web",
        "receipt": {"id": intent, "object": "payment_intent"} if kind != "refund" else {},
        "amount": amount,
        "currency": currency,
        "payment_id": f"c{transaction_id}.1",
        "manual_payment_gateway": False,
        "amount_rounding": None,
        **more,
    }


def order(
    order_id: int,
    lines: Sequence[Json],
    *,
    shipping: Sequence[Json] = (),
    transactions: Sequence[Json] = (),
    currency: str = "EUR",
    taxes_included: bool = True,
    applications: Sequence[Json] = (),
    **more: Any,
) -> Json:
    """An order whose totals are the sums of its parts, sent when it was placed."""
    goods = sum((Decimal(line["price"]) * line["quantity"] for line in lines), Decimal(0))
    freight = sum((Decimal(line["price"]) for line in shipping), Decimal(0))
    charges = [*lines, *shipping]
    off = sum((_sum(line["discount_allocations"], "amount") for line in charges), Decimal(0))
    taxes = sum((_sum(line["tax_lines"], "price") for line in charges), Decimal(0))
    total = goods + freight - off + (0 if taxes_included else taxes)
    return {
        "id": order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
        "cancelled_at": None,
        "cancel_reason": None,
        "closed_at": None,
        "confirmed": True,
        "contact_email": "anna@example.com",
        "created_at": PLACED,
        "currency": currency,
        "customer_locale": "de-DE",
        "discount_codes": [],
        "discount_applications": list(applications),
        "duties_included": False,
        "email": "anna@example.com",
        "estimated_taxes": False,
        "financial_status": "paid" if transactions else "pending",
        "fulfillment_status": None,
        "name": f"#{order_id % 10_000}",
        "note": None,
        "number": order_id % 10_000,
        "order_number": order_id % 10_000,
        "payment_gateway_names": sorted({each["gateway"] for each in transactions}),
        "phone": None,
        "presentment_currency": currency,
        "processed_at": PLACED,
        "source_name": "web",
        "tags": "newsletter, vip",
        "tax_exempt": False,
        "taxes_included": taxes_included,
        "test": False,
        "total_tip_received": "0.00",
        "total_weight": sum(line["grams"] * line["quantity"] for line in lines),
        "updated_at": PLACED,
        **money("total_line_items_price", str(goods), currency),
        **money("total_discounts", str(off), currency),
        **money("total_tax", str(taxes), currency),
        **money("subtotal_price", str(total - freight), currency),
        **money("total_price", str(total), currency),
        **money("current_total_price", str(total), currency),
        **money("total_shipping_price", str(freight), currency),
        **money("total_cash_rounding_payment_adjustment", "0", currency),
        "original_total_duties_set": None,
        "original_total_additional_fees_set": None,
        "billing_address": address(),
        "shipping_address": address(),
        "customer": {
            "id": 7_064_055_069,
            "admin_graphql_api_id": "gid://shopify/Customer/7064055069",
            "email": "anna@example.com",
            "first_name": "Anna",
            "last_name": "Muster",
            "phone": None,
            "default_address": address(),
        },
        "fulfillments": [],
        "line_items": list(lines),
        "payment_terms": None,
        "refunds": [],
        "returns": [],
        "shipping_lines": list(shipping),
        "transactions": [{**each, "order_id": order_id} for each in transactions],
        **more,
    }


def address() -> Json:
    return {
        "first_name": "Anna",
        "last_name": "Muster",
        "name": "Anna Muster",
        "company": None,
        "address1": "Beispielweg 3",
        "address2": None,
        "city": "Berlin",
        "zip": "10115",
        "province": "Berlin",
        "province_code": "BE",
        "country": "Germany",
        "country_code": "DE",
        "phone": "+49 30 5550100",
    }


def fulfillment(
    of: Json, fulfillment_id: int, quantities: Mapping[int, int] | None = None, **more: Any
) -> Json:
    """A parcel of ``of``: all units, or ``quantities`` by line id; shipped, not yet delivered."""
    items = [
        {**line, "quantity": line["quantity"] if quantities is None else quantities[line["id"]]}
        for line in of["line_items"]
        if quantities is None or line["id"] in quantities
    ]
    return {
        "id": fulfillment_id,
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{fulfillment_id}",
        "order_id": of["id"],
        "status": "success",
        "created_at": SHIPPED,
        "updated_at": SHIPPED,
        "service": "manual",
        "shipment_status": None,
        "tracking_company": "DHL",
        "tracking_number": f"0034{fulfillment_id}",
        "tracking_numbers": [f"0034{fulfillment_id}"],
        "tracking_urls": [],
        "receipt": {},
        "name": f"{of['name']}.1",
        "line_items": items,
        **more,
    }


def delivery_scan(of: Json, fulfillment_id: int, **more: Any) -> Json:
    """A ``fulfillment_events/create`` body: delivered."""
    return {
        "id": fulfillment_id + 1,
        "admin_graphql_api_id": f"gid://shopify/FulfillmentEvent/{fulfillment_id + 1}",
        "fulfillment_id": fulfillment_id,
        "order_id": of["id"],
        "status": "delivered",
        "message": "Delivered",
        "happened_at": DELIVERED,
        "created_at": DELIVERED,
        "updated_at": DELIVERED,
        "country": "DE",
        **more,
    }


def refund(
    of: Json,
    refund_id: int,
    quantities: Mapping[int, int],
    amount: str | None,
    *,
    restock_type: str = "return",
    **more: Any,
) -> Json:
    """A refund made in the platform: units by line id, and one movement of ``amount`` (or none)."""
    lines = {line["id"]: line for line in of["line_items"]}
    parent = of["transactions"][0] if of["transactions"] else None
    moves = (
        [] if amount is None or parent is None else [_refund_move(of, parent, refund_id, amount)]
    )
    return {
        "id": refund_id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund_id}",
        "order_id": of["id"],
        "created_at": "2026-03-10T12:00:00+01:00",
        "processed_at": "2026-03-10T12:00:00+01:00",
        "note": None,
        "restock": restock_type != "no_restock",
        "return": None,
        "duties": [],
        "order_adjustments": [],
        "refund_shipping_lines": [],
        "refund_line_items": [
            {
                "id": refund_id + line_id,
                "line_item_id": line_id,
                "line_item": lines[line_id],
                "quantity": quantity,
                "restock_type": restock_type,
            }
            for line_id, quantity in quantities.items()
        ],
        "transactions": moves,
        **more,
    }


def _refund_move(of: Json, parent: Json, refund_id: int, amount: str) -> Json:
    return transaction(
        refund_id + 500,
        amount,
        of["currency"],
        kind="refund",
        parent_id=parent["id"],
        order_id=of["id"],
        authorization=None,
        receipt={"id": f"re_3Nxt{refund_id}", "object": "refund"},
    )


def _sum(items: Sequence[Json], name: str) -> Decimal:
    return sum((Decimal(item[name]) for item in items), Decimal(0))
