"""PayPal's texts, as it would say them of one refund."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from returns_api.ports.payments import (
    PaymentAccount,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

REFERENCE = "trf_00000000000000000001"


CAPTURE = "2GG279541U471931P"


ACCOUNT = PaymentAccount("https://api-m.paypal.com/", "secret", "client")


REQUEST = RefundRequest(REFERENCE, "key_1", CAPTURE, 1_299, "EUR")


REFUND: dict[str, Any] = {
    "id": "1JU08902781691411",
    "amount": {"currency_code": "EUR", "value": "12.99"},
    "custom_id": REFERENCE,
    "invoice_id": REFERENCE,
    "status": "COMPLETED",
    "create_time": "2026-03-01T04:00:00-08:00",
    "links": [
        {"rel": "self", "href": "https://api-m.paypal.com/v2/payments/refunds/1JU08902781691411"},
        {"rel": "up", "href": f"https://api-m.paypal.com/v2/payments/captures/{CAPTURE}"},
    ],
}


EVIDENCE = ProviderRefund(
    "1JU08902781691411",
    CAPTURE,
    REFERENCE,
    RefundStatus.SUCCEEDED,
    1_299,
    "EUR",
    created_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
)


DISPUTE: dict[str, Any] = {
    "dispute_id": "PP-D-4012",
    "disputed_transactions": [{"seller_transaction_id": CAPTURE}],
    "dispute_amount": {"currency_code": "EUR", "value": "12.99"},
    "status": "UNDER_REVIEW",
}


def event(topic: str, resource: object) -> bytes:
    return orjson.dumps({"id": "WH-1", "event_type": topic, "resource": resource})


def answer(status: int, content: object) -> bytes:
    body = orjson.dumps(content)
    return b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


def token(value: str, seconds: int = 32_400) -> bytes:
    return answer(200, {"access_token": value, "expires_in": seconds})


def order(*refunds: object, captures: tuple[str, ...] = (CAPTURE,)) -> dict[str, Any]:
    payments = {"captures": [{"id": each} for each in captures], "refunds": list(refunds)}
    return {"purchase_units": [{"payments": payments}]}


def other_capture(refund: dict[str, Any]) -> dict[str, Any]:
    links = [{**each, "href": each["href"].replace(CAPTURE, "OTHER")} for each in refund["links"]]
    return {**refund, "links": links}
