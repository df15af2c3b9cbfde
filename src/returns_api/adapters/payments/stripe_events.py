"""Stripe's webhooks: the signature over them, and the facts that they tell. Pure.

Refuses to own the objects that they carry (``stripe_wire``).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson

from returns_api.adapters import fields
from returns_api.adapters.payments.stripe_wire import parse_dispute, parse_refund
from returns_api.ports.payments import PaymentEvent, ProviderDispute, ProviderRefund

SIGNATURE_TOLERANCE: Final = timedelta(minutes=5)
MAX_SIGNATURE_HEADER: Final = 2_048

_REFUND_TOPICS: Final = frozenset(
    {"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"}
)
_DISPUTE_TOPICS: Final = frozenset(
    {
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
    }
)


def parse_event(body: bytes) -> PaymentEvent:
    """The facts of a webhook. Raises ``ValueError`` for what is not a readable Stripe event.

    Topics without facts for us give none. ``charge.refunded`` carries its refunds only in API
    versions before 2022-11-15; later ones announce each by ``refund.created`` as well.
    """
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError("the event is not JSON") from error
    if not isinstance(event, dict) or event.get("object") != "event":
        raise ValueError("not an event object")
    topic = fields.text(event, "type", longest=255)
    subject = fields.mapping(fields.mapping(event, "data"), "object")
    return PaymentEvent(fields.text(event, "id", longest=255), topic, _facts(topic, subject))


def verify_signature(header: str, body: bytes, secrets: Sequence[str], now: datetime) -> bool:
    """Whether any v1 signature in ``header`` is right for any secret, within ±5 minutes of ``now``.

    Never raises; a header that is empty, overlong, not ASCII or without exactly one timestamp is
    simply wrong. Source: docs.stripe.com/webhooks, "verify manually".
    """
    if not header.isascii() or not 0 < len(header) <= MAX_SIGNATURE_HEADER:
        return False
    pairs = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    given = [value.encode("ascii") for name, _, value in pairs if name == "v1"]
    if len(stamps) != 1 or not stamps[0].isdigit() or len(stamps[0]) > 12:
        return False
    if abs(int(now.timestamp()) - int(stamps[0])) > SIGNATURE_TOLERANCE.total_seconds():
        return False
    signed = stamps[0].encode("ascii") + b"." + body
    right = [_sign(secret, signed) for secret in secrets if secret]
    return any(hmac.compare_digest(one, other) for one in given for other in right)


def _facts(
    topic: str, subject: Mapping[str, object]
) -> tuple[ProviderRefund | ProviderDispute, ...]:
    if topic in _REFUND_TOPICS:
        return (parse_refund(subject),)
    if topic in _DISPUTE_TOPICS:
        dispute = parse_dispute(subject)
        return () if dispute is None else (dispute,)
    if topic == "charge.refunded" and isinstance(subject.get("refunds"), dict):
        listed = fields.objects(fields.mapping(subject, "refunds"), "data")
        return tuple(parse_refund(each) for each in listed)
    return ()


def _sign(secret: str, signed: bytes) -> bytes:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode("ascii")
