"""Adyen's standard webhooks: the HMAC in them, and the facts they tell. Pure.

**What counts.** The signature covers eight fields of an item and not the body, so facts are made of
those eight alone; the reason text, the date and everything else could be anybody's.

**Disputes.** "Given back" is final for us, but at Adyen money can be taken a second time after
``CHARGEBACK_REVERSED``. So what is taken in a second round is a dispute of its own, ``<id>/2``.
A notification of chargeback took nothing yet and counts all the same: the money is about to go.

Source: docs.adyen.com, "Verify HMAC signatures", "Dispute webhooks", API explorer Webhooks v1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from returns_api.adapters import fields
from returns_api.adapters.payments.adyen_money import from_adyen
from returns_api.adapters.payments.references import ours
from returns_api.ports.payments import (
    PaymentEvent,
    ProviderDispute,
    ProviderRefund,
    RefundStatus,
)

BASIC: Final = "basic:"
MIN_KEY_BYTES: Final = 16
_SIGNATURE_LENGTH: Final = 44
"""Base64 of 32 bytes; no other length is looked at."""

# Whether the event itself succeeded decides only for REFUND: the other two tell of a refund that
# had succeeded before.
_REFUND_STATUS: Final = {
    ("REFUND", "true"): RefundStatus.SUCCEEDED,
    ("REFUND", "false"): RefundStatus.FAILED,
    ("REFUND_FAILED", "true"): RefundStatus.FAILED,
    ("REFUNDED_REVERSED", "true"): RefundStatus.FAILED,
}
_DISPUTE: Final = {
    "NOTIFICATION_OF_CHARGEBACK": ("", True),
    "CHARGEBACK": ("", True),
    "CHARGEBACK_REVERSED": ("", False),
    "ISSUER_RESPONSE_TIMEFRAME_EXPIRED": ("", False),
    "SECOND_CHARGEBACK": ("/2", True),
    "PREARBITRATION_LOST": ("/2", True),
    "PREARBITRATION_WON": ("/2", False),
}


def verify_webhook(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> bool:
    """Whether the one item in ``body`` was signed with one of the hex keys in ``secrets``.

    A secret ``basic:<user>:<password>`` is no key: where there is one, the Authorization header
    must match one of them as well. Never raises. Every secret is tried in full.
    """
    keys = [key for key in map(_key, secrets) if key is not None]
    try:
        item = _item(body)
        signed = signed_text(item)
        additional = fields.mapping(item, "additionalData")
        given = fields.text(additional, "hmacSignature", longest=_SIGNATURE_LENGTH).encode()
    except ValueError:
        return False
    right = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    matches = [hmac.compare_digest(given, each) for each in right]
    return any(matches) and _may_enter(headers, secrets)


def signed_text(item: Mapping[str, object]) -> bytes:
    """The eight fields, joined by colons, that the signature covers. Raises ``ValueError``.

    Only the merchant's own reference may contain a colon; else two items could read the same.
    """
    amount = fields.mapping(item, "amount")
    parts = [
        fields.text(item, "pspReference", longest=255),
        fields.optional_text(item, "originalReference", longest=255) or "",
        fields.text(item, "merchantAccountCode", longest=255),
        fields.optional_text(item, "merchantReference", longest=255) or "",
        str(fields.integer(amount, "value", least=0, most=10**15)),
        fields.text(amount, "currency", longest=3),
        fields.text(item, "eventCode", longest=100),
        _success(item),
    ]
    if any(":" in part for place, part in enumerate(parts) if place != 3):
        raise ValueError("a signed field holds a colon")
    try:
        return ":".join(parts).encode()
    except UnicodeEncodeError as error:
        raise ValueError("a signed field is no text") from error


def parse_event(body: bytes) -> PaymentEvent:
    """The facts of a webhook. Raises ``ValueError`` for what is not a readable Adyen webhook.

    The event's id is what Adyen says to recognise duplicates by: the event code, the reference and
    the success of the item.
    """
    item = _item(body)
    signed_text(item)
    code, success = fields.text(item, "eventCode", longest=100), _success(item)
    psp = fields.text(item, "pspReference", longest=100)
    ident = f"{code}:{psp}:{success}"
    if (code, success) in _REFUND_STATUS:
        return PaymentEvent(ident, code, (_refund(item, _REFUND_STATUS[code, success]),))
    if code in _DISPUTE and success == "true":
        return PaymentEvent(ident, code, (_dispute(item, *_DISPUTE[code]),))
    return PaymentEvent(ident, code, ())


def _refund(item: Mapping[str, object], status: RefundStatus) -> ProviderRefund:
    amount, currency = from_adyen(fields.mapping(item, "amount"))
    return ProviderRefund(
        provider_refund_id=fields.text(item, "pspReference", longest=255),
        provider_payment_id=fields.text(item, "originalReference", longest=255),
        reference=ours(fields.optional_text(item, "merchantReference", longest=255)),
        status=status,
        amount_minor=amount,
        currency=currency,
    )


def _dispute(item: Mapping[str, object], round_: str, is_open: bool) -> ProviderDispute:
    amount, currency = from_adyen(fields.mapping(item, "amount"))
    return ProviderDispute(
        provider_dispute_id=fields.text(item, "pspReference", longest=250) + round_,
        provider_payment_id=fields.text(item, "originalReference", longest=255),
        amount_minor=amount,
        currency=currency,
        open=is_open,
    )


def _item(body: bytes) -> Mapping[str, object]:
    """The notification item; JSON webhooks hold exactly one. Raises ``ValueError``."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError("the webhook is not JSON") from error
    if not isinstance(content, dict):
        raise ValueError("the webhook is not an object")
    items = fields.objects(content, "notificationItems")
    if len(items) != 1:
        raise ValueError("not one notification item")
    return fields.mapping(items[0], "NotificationRequestItem")


def _success(item: Mapping[str, object]) -> str:
    value = item.get("success")
    text = str(value).lower() if isinstance(value, bool) else value
    if not isinstance(text, str) or text not in {"true", "false"}:
        raise ValueError("success is neither true nor false")
    return text


def _key(secret: str) -> bytes | None:
    """The HMAC key of a secret; None for basic credentials and for what is no key."""
    if secret.startswith(BASIC):
        return None
    try:
        key = bytes.fromhex(secret)
    except ValueError:
        return None
    return key if len(key) >= MIN_KEY_BYTES else None


def _may_enter(headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
    wanted = [each.removeprefix(BASIC).encode() for each in secrets if each.startswith(BASIC)]
    if not wanted:
        return True
    kind, _, value = headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(value, validate=True) if value.isascii() else b""
    except binascii.Error:
        given = b""
    matches = [hmac.compare_digest(given, each) for each in wanted]
    return kind.lower() == "basic" and any(matches)
