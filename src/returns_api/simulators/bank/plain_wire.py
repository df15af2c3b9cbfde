"""The simplest provider that could exist, in plain JSON: the one to write a first adapter against.

Pure. Nobody's real format; ``examples/acme-payments`` speaks it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from ..kit.store import Row
from .words import Message, moment

Json = dict[str, Any]


def refund(row: Row) -> Json:
    """A refund. Amounts in minor units."""
    return {
        "id": row["id"],
        "payment": row["payment"],
        "amount": row["amount"],
        "currency": row["currency"].upper(),
        "reference": orjson.loads(row["metadata"]).get("returns_api_reference"),
        "status": row["status"],
        "created_at": moment(row["created"]),
    }


def dispute(row: Row) -> Json:
    """A chargeback."""
    return {
        "id": row["id"],
        "payment": row["payment"],
        "amount": row["amount"],
        "currency": row["currency"].upper(),
        "won": row["status"] == "won",
    }


def error(status: int, code: str) -> Json:
    """Every error has a code."""
    return {"code": code}


def spoil(fault: str, body: bytes) -> bytes:
    """An answer that says something else than what was done."""
    if fault == "nan":
        return re.sub(rb'"amount":\d+', b'"amount":NaN', body)
    if fault == "wrong_amount":
        return re.sub(rb'"amount":(\d+)', lambda m: b'"amount":%d' % (int(m[1]) + 1), body)
    if fault == "wrong_currency":
        return re.sub(rb'"currency":"[A-Z]{3}"', b'"currency":"XTS"', body)
    return re.sub(rb'"payment":"', b'"payment":"other', body)


class PlainVoice:
    """Identifiers, events and signatures: hex HMAC-SHA256 over the body in ``x-signature``."""

    def new_payment_id(self) -> str:
        return f"pay_{secrets.token_hex(8)}"

    def new_refund_id(self) -> str:
        return f"rf_{secrets.token_hex(8)}"

    def refund_event(self, topic: str, row: Row, payment: Row) -> Message | None:
        return _event("refund", refund(row))

    def dispute_event(self, topic: str, row: Row, payment: Row) -> Message | None:
        return _event("dispute", dispute(row))

    def is_mine(self, body: bytes) -> bool:
        return body.startswith(b'{"event":')

    def sign(self, secret: str, body: bytes) -> Mapping[str, str]:
        return {"x-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}

    def seal(self, secret: str, body: bytes) -> bytes:
        return body


def _event(topic: str, subject: Json) -> Message:
    ident = f"ev_{secrets.token_hex(10)}"
    return Message(topic, ident, orjson.dumps({"event": ident, "topic": topic, "data": subject}))
