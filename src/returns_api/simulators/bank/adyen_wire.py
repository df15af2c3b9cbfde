"""Adyen's wire format: the modification's answer, standard webhooks, the HMAC in them. Pure."""

from __future__ import annotations

import base64
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
MERCHANT = "TestMerchant"
_REFUND_CODES = {
    "refund.created": {"succeeded": ("REFUND", "true")},
    "refund.updated": {"succeeded": ("REFUND", "true"), "canceled": ("REFUND", "false")},
    "refund.failed": {"failed": ("REFUND_FAILED", "true")},
}
_DISPUTE_CODES = {
    "charge.dispute.created": "NOTIFICATION_OF_CHARGEBACK",
    "charge.dispute.funds_withdrawn": "CHARGEBACK",
    "charge.dispute.funds_reinstated": "CHARGEBACK_REVERSED",
}


def received(payment: Row, wanted: Mapping[str, Any], ident: str) -> Json:
    """The answer to a refund request: it was received, nothing more."""
    named = {"reference": wanted["reference"]} if "reference" in wanted else {}
    return {
        "merchantAccount": wanted["merchantAccount"],
        "paymentPspReference": payment["id"],
        "pspReference": ident,
        **named,
        "status": "received",
        "amount": wanted["amount"],
    }


def error(status: int, code: str) -> Json:
    """Adyen's service error."""
    kind = "security" if status in {401, 403} else "validation"
    return {"status": status, "errorCode": code, "message": code, "errorType": kind}


def spoil(fault: str, body: bytes) -> bytes:
    """An answer that says something else than what was done."""
    if fault == "nan":
        return re.sub(rb'"value":\d+', b'"value":NaN', body)
    if fault == "wrong_amount":
        return re.sub(rb'"value":(\d+)', lambda m: b'"value":%d' % (int(m[1]) + 1), body)
    if fault == "wrong_currency":
        return re.sub(rb'"currency":"[A-Z]{3}"', b'"currency":"XTS"', body)
    return re.sub(rb'"paymentPspReference":"', b'"paymentPspReference":"OTHER', body)


def outcome(
    code: str,
    success: str,
    *,
    ident: str,
    payment: Row,
    amount: int,
    reference: str | None,
    at: float,
) -> Message:
    """One webhook. A modification without a reference of its own carries the payment's."""
    item = {
        "additionalData": {},
        "amount": {"currency": payment["currency"].upper(), "value": amount},
        "eventCode": code,
        "eventDate": moment(at),
        "merchantAccountCode": MERCHANT,
        "merchantReference": reference or f"Order-{payment['id']}",
        "originalReference": payment["id"],
        "paymentMethod": "visa",
        "pspReference": ident,
        "reason": "" if success == "true" else "Insufficient balance on payment",
        "success": success,
    }
    body = {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
    return Message(code, f"{code}-{ident}-{secrets.token_hex(4)}", orjson.dumps(body))


class AdyenVoice:
    """Adyen's identifiers, events and signatures."""

    def new_payment_id(self) -> str:
        return secrets.token_hex(8).upper()

    def new_refund_id(self) -> str:
        return secrets.token_hex(8).upper()

    def refund_event(self, topic: str, row: Row, payment: Row) -> Message | None:
        found = _REFUND_CODES.get(topic, {}).get(row["status"])
        if found is None:
            return None
        reference = orjson.loads(row["metadata"]).get("returns_api_reference")
        return outcome(
            *found,
            ident=row["id"],
            payment=payment,
            amount=row["amount"],
            reference=reference,
            at=row["created"],
        )

    def dispute_event(self, topic: str, row: Row, payment: Row) -> Message | None:
        code = _DISPUTE_CODES.get(topic)
        if code is None:
            return None
        return outcome(
            code,
            "true",
            ident=row["id"],
            payment=payment,
            amount=row["amount"],
            reference=None,
            at=row["created"],
        )

    def is_mine(self, body: bytes) -> bool:
        return b'"notificationItems":' in body

    def sign(self, secret: str, body: bytes) -> Mapping[str, str]:
        return {}

    def seal(self, secret: str, body: bytes) -> bytes:
        """The body with ``additionalData.hmacSignature``; no signature if it is not hex."""
        try:
            key = bytes.fromhex(secret)
        except ValueError:
            return body
        content = orjson.loads(body)
        for each in content["notificationItems"]:
            item = each["NotificationRequestItem"]
            signed = ":".join(
                (
                    item["pspReference"],
                    item["originalReference"],
                    item["merchantAccountCode"],
                    item["merchantReference"],
                    str(item["amount"]["value"]),
                    item["amount"]["currency"],
                    item["eventCode"],
                    item["success"],
                )
            )
            mac = hmac.digest(key, signed.encode(), hashlib.sha256)
            item["additionalData"]["hmacSignature"] = base64.b64encode(mac).decode()
        return orjson.dumps(content)
