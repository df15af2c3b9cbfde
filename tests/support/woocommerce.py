"""WooCommerce's webhooks in the shape of its documented REST API 3, signed."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
from typing import Any, Final

import orjson

ORDER: Final[dict[str, Any]] = {
    "id": 727,
    "parent_id": 0,
    "number": "727",
    "order_key": "wc_order_58d2d042d1d",
    "created_via": "checkout",
    "version": "9.3.3",
    "status": "processing",
    "currency": "EUR",
    "date_created": "2026-11-01T10:00:02",
    "date_created_gmt": "2026-11-01T09:00:02",
    "date_modified": "2026-11-01T10:00:08",
    "date_modified_gmt": "2026-11-01T09:00:08",
    "discount_total": "2.00",
    "discount_tax": "0.38",
    "shipping_total": "4.12",
    "shipping_tax": "0.78",
    "cart_tax": "4.37",
    "total": "32.27",
    "total_tax": "5.15",
    "prices_include_tax": True,
    "customer_id": 0,
    "customer_ip_address": "",
    "customer_note": "",
    "billing": {
        "first_name": "Anna",
        "last_name": "Canary",
        "company": "",
        "address_1": "Canary Str. 1",
        "address_2": "",
        "city": "Berlin",
        "state": "DE-BE",
        "postcode": "10115",
        "country": "DE",
        "email": "Anna@Example.com",
        "phone": "+49301",
    },
    "shipping": {
        "first_name": "Anna",
        "last_name": "Canary",
        "company": "",
        "address_1": "Canary Str. 1",
        "address_2": "",
        "city": "Berlin",
        "state": "DE-BE",
        "postcode": "10115",
        "country": "DE",
    },
    "payment_method": "stripe",
    "payment_method_title": "Card",
    "transaction_id": "pi_woo_727",
    "date_paid": "2026-11-01T10:00:08",
    "date_paid_gmt": "2026-11-01T09:00:08",
    "date_completed": None,
    "date_completed_gmt": None,
    "cart_hash": "",
    "meta_data": [{"id": 13106, "key": "_download_permissions_granted", "value": "yes"}],
    "line_items": [
        {
            "id": 315,
            "name": "Woo Single #1",
            "product_id": 93,
            "variation_id": 0,
            "quantity": 3,
            "tax_class": "",
            "subtotal": "10.00",
            "subtotal_tax": "1.90",
            "total": "10.00",
            "total_tax": "1.90",
            "taxes": [{"id": 75, "total": "1.9", "subtotal": "1.9"}],
            "meta_data": [],
            "sku": "WOO-1",
            "price": 3.3333333333333335,
        },
        {
            "id": 316,
            "name": "Ship Your Idea – Color: Black, Size: M",
            "product_id": 22,
            "variation_id": 23,
            "quantity": 1,
            "tax_class": "",
            "subtotal": "15.00",
            "subtotal_tax": "2.85",
            "total": "13.00",
            "total_tax": "2.47",
            "taxes": [{"id": 75, "total": "2.47", "subtotal": "2.85"}],
            "meta_data": [{"id": 2095, "key": "pa_color", "value": "black"}],
            "sku": "BAR3",
            "price": 13,
        },
    ],
    "tax_lines": [
        {
            "id": 318,
            "rate_code": "DE-VAT",
            "rate_id": 75,
            "label": "VAT",
            "compound": False,
            "tax_total": "4.37",
            "shipping_tax_total": "0.78",
            "meta_data": [],
        }
    ],
    "shipping_lines": [
        {
            "id": 317,
            "method_title": "Flat Rate",
            "method_id": "flat_rate",
            "total": "4.12",
            "total_tax": "0.78",
            "taxes": [{"id": 75, "total": "0.78", "subtotal": ""}],
            "meta_data": [],
        }
    ],
    "fee_lines": [],
    "coupon_lines": [{"id": 319, "code": "two", "discount": "2", "discount_tax": "0.38"}],
    "refunds": [],
    "_links": {"self": [{"href": "https://example.com/wp-json/wc/v3/orders/727"}]},
}
REFUND: Final[dict[str, Any]] = {
    "id": 731,
    "parent_id": 727,
    "date_created": "2026-11-08T10:00:00",
    "date_created_gmt": "2026-11-08T09:00:00",
    "amount": "3.97",
    "currency": "EUR",
    "reason": "",
    "refunded_by": 1,
    "refunded_payment": False,
    "meta_data": [],
    "line_items": [
        {
            "id": 320,
            "name": "Woo Single #1",
            "product_id": 93,
            "variation_id": 0,
            "quantity": -1,
            "tax_class": "",
            "subtotal": "-3.34",
            "subtotal_tax": "-0.63",
            "total": "-3.34",
            "total_tax": "-0.63",
            "taxes": [],
            "meta_data": [{"id": 2076, "key": "_refunded_item_id", "value": "315"}],
            "sku": "WOO-1",
            "price": -3.34,
        }
    ],
}


def order(**changes: Any) -> bytes:
    return orjson.dumps({**copy.deepcopy(ORDER), **changes})


def completed(**changes: Any) -> bytes:
    """The same after it left, and after a refund was made in the dashboard."""
    later = {
        "status": "completed",
        "date_modified_gmt": "2026-11-08T09:00:01",
        "date_completed_gmt": "2026-11-03T08:00:00",
        "refunds": [{"id": 731, "reason": "", "total": "-3.97"}],
    }
    return order(**{**later, **changes})


def refund(**changes: Any) -> bytes:
    return orjson.dumps({**copy.deepcopy(REFUND), **changes})


def signed(
    body: bytes, topic: str, *, secret: str = "s3cret", webhook_id: str = "d1"
) -> dict[str, str]:
    """The headers of one delivery."""
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return {
        "x-wc-webhook-source": "https://shop.example/",
        "x-wc-webhook-topic": topic,
        "x-wc-webhook-resource": topic.split(".", maxsplit=1)[0],
        "x-wc-webhook-event": topic.rpartition(".")[2],
        "x-wc-webhook-signature": base64.b64encode(digest).decode(),
        "x-wc-webhook-id": "142",
        "x-wc-webhook-delivery-id": webhook_id,
        "content-type": "application/json",
    }
