"""Shopify's wire format as far as refunds need it: Admin GraphQL nodes, refunds/create. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..kit.store import Row
from .decimals import to_text
from .words import Message, moment

Json = dict[str, Any]
_STATUS = {"succeeded": "SUCCESS", "pending": "PENDING"}
BUSY = "This request is currently in progress, please try again."
MISMATCH = "The same idempotency key cannot be used with different operation parameters."


def gid(kind: str, number: str) -> str:
    """A global id."""
    return f"gid://shopify/{kind}/{number}"


def order_number(payment: Row) -> str:
    """Every payment here has an order of its own."""
    return f"5{payment['id']}"


def refund(row: Row, note: str | None) -> Json:
    """A Refund with its one transaction."""
    return {
        "id": gid("Refund", f"8{row['id']}"),
        "note": note,
        "createdAt": moment(row["created"]),
        "transactions": {
            "nodes": [_transaction(row)],
            "pageInfo": {"hasNextPage": False},
        },
    }


def payment_node(payment: Row, refunds: Sequence[Json]) -> Json:
    """The sale's transaction, its order, and the order's refunds."""
    money = _money(payment["amount"], payment["currency"])
    return {
        "__typename": "OrderTransaction",
        "id": gid("OrderTransaction", payment["id"]),
        "kind": "SALE",
        "gateway": "shopify_payments",
        "amountSet": {"presentmentMoney": money, "shopMoney": money},
        "order": {"id": gid("Order", order_number(payment)), "refunds": list(refunds)},
    }


def user_error(message: str, *field: str) -> Json:
    """The answer of a mutation that was refused."""
    error = {"field": list(field) or None, "message": message}
    return {"data": {"refundCreate": {"refund": None, "userErrors": [error]}}}


def error(status: int, code: str) -> Json:
    """A top-level error."""
    return {"errors": [{"message": code, "extensions": {"code": code.upper()}}]}


def spoil(fault: str, body: bytes) -> bytes:
    """An answer that says something else than what was done."""
    if fault == "nan":
        return re.sub(rb'"amount":"[^"]*"', b'"amount":NaN', body)
    if fault == "wrong_amount":
        return re.sub(rb'"amount":"(\d+)', lambda m: b'"amount":"%d' % (int(m[1]) + 1), body)
    if fault == "wrong_currency":
        return re.sub(rb'"currencyCode":"[A-Z]{3}"', b'"currencyCode":"XTS"', body)
    return body.replace(b"gid://shopify/OrderTransaction/", b"gid://shopify/OrderTransaction/9")


class ShopifyVoice:
    """Shopify's identifiers, webhooks and signatures."""

    def new_payment_id(self) -> str:
        return _number()

    def new_refund_id(self) -> str:
        return _number()

    def refund_event(self, topic: str, row: Row, payment: Row) -> Message | None:
        """Shopify announces a refund once and says nothing of what becomes of it."""
        if topic != "refund.created":
            return None
        body = {
            "id": int(f"8{row['id']}"),
            "admin_graphql_api_id": gid("Refund", f"8{row['id']}"),
            "order_id": int(order_number(payment)),
            "created_at": moment(row["created"]),
            "note": orjson.loads(row["metadata"]).get("returns_api_reference"),
            "refund_line_items": [],
            "transactions": [
                {
                    "id": int(row["id"]),
                    "kind": "refund",
                    "status": _STATUS.get(row["status"], "FAILURE").lower(),
                    "amount": to_text(row["amount"], row["currency"]),
                    "currency": row["currency"].upper(),
                    "parent_id": int(payment["id"]),
                    "created_at": moment(row["created"]),
                }
            ],
        }
        return Message("refunds/create", f"refund-{row['id']}", orjson.dumps(body))

    def dispute_event(self, topic: str, row: Row, payment: Row) -> Message | None:
        """Its disputes name the order and not the payment: the shop's own webhooks tell them."""
        return None

    def is_mine(self, body: bytes) -> bool:
        return b'"refund_line_items":' in body

    def sign(self, secret: str, body: bytes) -> Mapping[str, str]:
        mac = hmac.digest(secret.encode(), body, hashlib.sha256)
        return {"x-shopify-hmac-sha256": base64.b64encode(mac).decode()}

    def seal(self, secret: str, body: bytes) -> bytes:
        return body


def _transaction(row: Row) -> Json:
    money = _money(row["amount"], row["currency"])
    return {
        "id": gid("OrderTransaction", row["id"]),
        "kind": "REFUND",
        "status": _STATUS.get(row["status"], "FAILURE"),
        "errorCode": None,
        "createdAt": moment(row["created"]),
        "parentTransaction": {"id": gid("OrderTransaction", row["payment"])},
        "amountSet": {"presentmentMoney": money, "shopMoney": money},
    }


def _money(minor: int, currency: str) -> Json:
    return {"amount": to_text(minor, currency), "currencyCode": currency.upper()}


def _number() -> str:
    return str(10**12 + secrets.randbelow(9 * 10**12))
