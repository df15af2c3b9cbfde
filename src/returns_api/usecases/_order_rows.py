"""What an order's facts are as rows: its head, lines and person, and which snapshot is newer.

Pure but for ids and keyed hashes. Refuses to own when they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from returns_api.db import order_intake
from returns_api.domain.allocation import Certificate
from returns_api.domain.listings import customer_name
from returns_api.domain.orders import BuyerFacts, LineFacts, OrderFacts, ParcelSeen
from returns_api.domain.people import normalise_email, normalise_order_number
from returns_api.usecases.context import Context


def snapshot_of(ctx: Context, order: OrderFacts, parcels: Sequence[ParcelSeen] = ()) -> str:
    """Decides between two snapshots of the same second: more captured, more taken out, the rest.

    The rest is keyed, since it covers the buyer's data; parcels that came in one document with the
    order belong to it.
    """
    captured = sum(max(payment.captured_minor, 0) for payment in order.payments)
    removed = sum(max(line.removed, 0) for line in order.lines)
    whole = [order, *parcels] if parcels else order
    text = orjson.dumps(whole, option=orjson.OPT_SORT_KEYS).decode()
    # What was said before there were options and missed parcels: a document sent again is the same.
    text = text.replace('"options":[],', "").replace('"missed":null,', "")
    return f"{captured:020d}.{removed:010d}.{ctx.sealer.keyed_hash(text).hex()}"


def head_row(
    ctx: Context, source: str, order: OrderFacts, certificate: Certificate, snapshot: str
) -> dict[str, Any]:
    buyer = order.buyer
    email_key = ctx.sealer.keyed_hash(normalise_email(buyer.email)) if buyer.email else None
    customer_key = email_key
    if buyer.customer_id:
        customer_key = ctx.sealer.keyed_hash(customer_name(source, buyer.customer_id))
    flags = {flag.code.value for flag in certificate.flags} | ({"test"} if order.test else set())
    return {
        "number": order.number,
        "number_key": normalise_order_number(order.number),
        "snapshot": snapshot,
        "email_key": email_key,
        "customer_key": customer_key,
        "placed_at": order.placed_at,
        "platform_updated_at": order.updated_at,
        "currency": order.currency,
        "taxes_included": order.taxes_included,
        "total_minor": order.total_minor,
        "tags": list(order.tags),
        "flags": sorted(flags),
        "channel": order.channel,
        "country": buyer.country,
        "region": buyer.region,
        "financial_status": order.financial_status,
        "cancelled_at": order.cancelled_at,
        "updated_at": ctx.clock(),
    }


def person_row(buyer: BuyerFacts) -> dict[str, str | None]:
    return {name: getattr(buyer, name) for name in order_intake.PERSON}


def line_row(ctx: Context, place: int, line: LineFacts) -> dict[str, Any]:
    return {
        "id": ctx.new_id(),
        "external_id": line.external_id,
        "position": place,
        "kind": line.kind.value,
        "title": line.title,
        "sku": line.sku,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "vendor": line.vendor,
        "category": line.category,
        "tags": list(line.tags),
        "weight_grams": line.weight_grams,
        "shippable": line.shippable,
        "unit_price_minor": line.unit_price_minor,
        "discounted": line.line_discount_minor + line.order_discount_minor > 0,
        "options": dict(line.options),
        "ordered": line.quantity,
        "removed": max(line.removed, 0),
    }


def public(order: OrderFacts) -> dict[str, Any]:
    return {
        "currency": order.currency,
        "total": order.total_minor,
        "financial_status": order.financial_status,
        "cancelled": order.cancelled_at is not None,
    }
