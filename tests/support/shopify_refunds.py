"""Shopify's texts of one refund: its movements, the order around it, its answers and webhooks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from returns_api.adapters.payments import shopify_wire as wire
from returns_api.ports.payments import (
    PaymentAccount,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

REFERENCE = "trf_00000000000000000001"


ACCOUNT = PaymentAccount("https://shop.myshopify.com/", "shpat_1", "shop.myshopify.com")


REQUEST = RefundRequest(REFERENCE, "key_1", "723599266", 1_299, "EUR")


PAYMENT = wire.Payment("gid://shopify/Order/1", "shopify_payments", ())


def money(amount: str = "12.99", currency: str = "EUR") -> dict[str, Any]:
    return {"presentmentMoney": {"amount": amount, "currencyCode": currency}, "shopMoney": {}}


def movement(**changed: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/OrderTransaction/99",
        "kind": "REFUND",
        "status": "SUCCESS",
        "errorCode": None,
        "createdAt": "2026-03-01T12:00:00Z",
        "parentTransaction": {"id": "gid://shopify/OrderTransaction/723599266"},
        "amountSet": money(),
        **changed,
    }


def group(*moves: dict[str, Any], note: str | None = REFERENCE, more: bool = False) -> Any:
    page = {"nodes": list(moves), "pageInfo": {"hasNextPage": more}}
    return {"id": "gid://shopify/Refund/5", "note": note, "transactions": page}


def node(*groups: dict[str, Any], **changed: Any) -> dict[str, Any]:
    found = {
        "id": "gid://shopify/OrderTransaction/723599266",
        "gateway": "shopify_payments",
        "order": {"id": "gid://shopify/Order/1", "refunds": list(groups)},
        **changed,
    }
    return {"node": found}


EVIDENCE = ProviderRefund(
    "99",
    "723599266",
    REFERENCE,
    RefundStatus.SUCCEEDED,
    1_299,
    "EUR",
    created_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
)


def created(**payload: Any) -> dict[str, Any]:
    return {"refundCreate": {"refund": group(movement()), "userErrors": [], **payload}}


def answer(data: object) -> bytes:
    body = orjson.dumps({"data": data})
    return b"HTTP/1.1 200 X\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def webhook(**changed: Any) -> bytes:
    move = {
        "id": 99,
        "kind": "refund",
        "status": "success",
        "amount": "12.99",
        "currency": "EUR",
        "parent_id": 723_599_266,
        "created_at": "2026-03-01T07:00:00-05:00",
        **changed,
    }
    content = {"id": 5, "note": REFERENCE, "refund_line_items": [], "transactions": [move]}
    return orjson.dumps(content)
