"""Stripe's wire format: objects, errors, events and the signature. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any

import orjson

from ..kit import clock

Row = sqlite3.Row


def refund(row: Row) -> dict[str, Any]:
    """A refund object."""
    return {
        "id": row["id"],
        "object": "refund",
        "amount": row["amount"],
        "balance_transaction": f"txn_{row['id'][3:]}",
        "charge": row["charge"],
        "created": row["created"],
        "currency": row["currency"],
        "failure_reason": row["failure_reason"],
        "metadata": orjson.loads(row["metadata"]),
        "payment_intent": row["payment"],
        "reason": row["reason"],
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": row["status"],
        "transfer_reversal": None,
    }


def payment_intent(row: Row) -> dict[str, Any]:
    """A payment intent that succeeded."""
    return {
        "id": row["id"],
        "object": "payment_intent",
        "amount": row["amount"],
        "amount_received": row["amount"],
        "capture_method": "automatic",
        "created": row["created"],
        "currency": row["currency"],
        "latest_charge": row["charge"],
        "livemode": False,
        "metadata": orjson.loads(row["metadata"]),
        "status": "succeeded",
    }


def charge(row: Row, refunded: int) -> dict[str, Any]:
    """A captured charge, without its refunds as in every version since 2022-11-15."""
    return {
        "id": row["charge"],
        "object": "charge",
        "amount": row["amount"],
        "amount_captured": row["amount"],
        "amount_refunded": refunded,
        "captured": True,
        "created": row["created"],
        "currency": row["currency"],
        "livemode": False,
        "metadata": {},
        "paid": True,
        "payment_intent": row["id"],
        "refunded": refunded >= row["amount"],
        "status": "succeeded",
    }


def dispute(row: Row, charge_id: str) -> dict[str, Any]:
    """A dispute object."""
    return {
        "id": row["id"],
        "object": "dispute",
        "amount": row["amount"],
        "charge": charge_id,
        "created": row["created"],
        "currency": row["currency"],
        "livemode": False,
        "metadata": {},
        "payment_intent": row["payment"],
        "reason": "product_not_received",
        "status": row["status"],
    }


def event(topic: str, subject: Mapping[str, Any]) -> tuple[str, bytes]:
    """An event's id and body."""
    ident = f"evt_{secrets.token_hex(12)}"
    body = {
        "id": ident,
        "object": "event",
        "api_version": "2023-08-16",
        "created": int(clock.now()),
        "data": {"object": subject},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": topic,
    }
    return ident, orjson.dumps(body)


def sign(secret: str, body: bytes) -> dict[str, str]:
    """The Stripe-Signature header of this moment."""
    stamp = str(int(clock.now()))
    signed = stamp.encode() + b"." + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={stamp},v1={digest}"}


def error(status: int, code: str, message: str = "") -> dict[str, Any]:
    """An error body; the type follows from the status and code as at Stripe."""
    kind = "invalid_request_error"
    if status >= 500:
        kind = "api_error"
    elif code == "idempotency_error":
        kind = code
    return {"error": {"type": kind, "code": code, "message": message or code.replace("_", " ")}}


def spoil(fault: str, body: bytes) -> bytes:
    """An answer that says something else than what was done."""
    if fault == "nan":
        return re.sub(rb'"amount":\d+', b'"amount":NaN', body)
    if fault == "wrong_amount":
        return re.sub(rb'"amount":(\d+)', lambda m: b'"amount":%d' % (int(m[1]) + 1), body)
    if fault == "wrong_currency":
        return re.sub(rb'"currency":"[a-z]{3}"', b'"currency":"xts"', body)
    return re.sub(rb'"(payment_intent|charge)":"(..)_', rb'"\1":"\2_other', body)
