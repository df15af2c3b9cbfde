"""Shopify's ``refunds/create`` webhook: the facts that it tells. Pure.

Refuses to own the signature, which is that of all webhooks of a shop, and what statuses and amounts
mean (``shopify_wire``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

from returns_api.adapters import fields
from returns_api.adapters.payments.references import ours
from returns_api.adapters.payments.shopify_wire import minor_of, status_of
from returns_api.ports.payments import PaymentEvent, ProviderRefund


def parse_event(body: bytes) -> PaymentEvent:
    """The facts of a ``refunds/create`` webhook; of another topic none.

    The body tells no delivery and no topic, so the id is made of its content. Disputes name the
    order and not the payment: the shop's connection reads them. Raises ``ValueError``.
    """
    try:
        source = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError("the webhook is not JSON") from error
    if not isinstance(source, dict) or not isinstance(source.get("id"), int):
        raise ValueError("the webhook has no id")
    if "refund_line_items" not in source:
        if len(source) < 2:
            raise ValueError("not a webhook of Shopify")
        return PaymentEvent(_digest(body), "other", ())
    reference = ours(fields.optional_text(source, "note", longest=5_000))
    moves = [m for m in fields.objects(source, "transactions") if m.get("kind") == "refund"]
    facts = tuple(_told(move, reference) for move in moves if move.get("parent_id") is not None)
    return PaymentEvent(_digest(body), "refunds/create", facts)


def _told(move: Mapping[str, object], reference: str | None) -> ProviderRefund:
    currency = fields.text(move, "currency", longest=3)
    created = move.get("created_at")
    return ProviderRefund(
        provider_refund_id=str(fields.integer(move, "id", least=1, most=10**19)),
        provider_payment_id=str(fields.integer(move, "parent_id", least=1, most=10**19)),
        reference=reference,
        status=status_of(fields.text(move, "status").upper()),
        amount_minor=minor_of(fields.text(move, "amount", longest=40), currency),
        currency=currency,
        created_at=None if created is None else fields.timestamp(move, "created_at"),
    )


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
