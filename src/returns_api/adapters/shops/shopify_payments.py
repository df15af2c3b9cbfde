"""Shopify's order transactions: money that came in, and which payment it is at the provider.

A transaction counts as captured when it is a successful ``sale`` or ``capture``; authorizations,
voids and failures are no money. ``amount_rounding`` is what the buyer paid in cash beside
``amount`` and is added.

**The payment's id at the provider**, first that is there:

1. ``receipt.payment_intent_id``, ``receipt.payment_intent`` (an id, or an object with one), or
   ``receipt.id`` of Stripe's form: what Stripe-backed gateways put into the receipt, Shopify
   Payments among them (its receipt is the payment intent itself);
2. ``receipt.payment_id``: what payments apps put there;
3. ``authorization``: Shopify Payments and the older Stripe gateway put the payment intent or charge
   here. Shorter than 7 characters it is an issuer's approval code (ISO 8583, field 38) and no id;
4. ``payment_id``, only when it is of Stripe's form: otherwise it is Shopify's own number
   (``#9999.1``), which the provider does not know.

A capture that tells none inherits its authorization's. Refuses to own refunds: ``shopify_refunds``.
"""

from __future__ import annotations

import re
from typing import Final

from returns_api.adapters.shops.reading import Node
from returns_api.adapters.shops.shopify_money import exact_id
from returns_api.domain.orders import PaymentFacts

_CAPTURING: Final = frozenset({"sale", "capture"})
_SUCCESS: Final = "success"
_LONGEST_APPROVAL_CODE: Final = 6
_STRIPE_PAYMENT: Final = re.compile(r"(?:pi|ch|py)_[A-Za-z0-9_]{1,200}")


def read_payments(transactions: Node, currency: str) -> tuple[PaymentFacts, ...]:
    """The captured payments among ``transactions``; ``currency`` stands in where none is told.

    Raises ``Unreadable`` naming the JSON path.
    """
    provider_ids = {exact_id(each): provider_payment_id(each) for each in transactions}
    payments = [read_payment(each, currency, provider_ids) for each in transactions]
    return tuple(payment for payment in payments if payment is not None)


def read_payment(
    transaction: Node, currency: str, provider_ids: dict[str, str | None] | None = None
) -> PaymentFacts | None:
    """One transaction as a payment; None when it captured nothing.

    Raises ``Unreadable`` naming the JSON path.
    """
    kind, status = transaction["kind"].text(), transaction["status"].text()
    if kind not in _CAPTURING or status != _SUCCESS:
        return None
    told = transaction["currency"]
    mine = told.currency() if told else currency
    parent = transaction["parent_id"].optional_identifier()
    inherited = (provider_ids or {}).get(parent or "")
    return PaymentFacts(
        external_id=exact_id(transaction),
        gateway=transaction["gateway"].text() or "unknown",
        captured_minor=transaction["amount"].amount(mine) + _rounding(transaction, mine),
        currency=mine,
        provider_payment_id=provider_payment_id(transaction) or inherited,
    )


def provider_payment_id(transaction: Node) -> str | None:
    """The payment's id at the provider, by the precedence of the module; None when not told."""
    receipt = receipt_of(transaction)
    intent = receipt["payment_intent"]
    return (
        reference(receipt["payment_intent_id"])
        or reference(intent["id"] if isinstance(intent.value, dict) else intent)
        or _stripe(receipt["id"])
        or reference(receipt["payment_id"])
        or reference(transaction["authorization"])
        or _stripe(transaction["payment_id"])
    )


def is_payment_id(text: str) -> bool:
    """Whether ``text`` is a Stripe payment intent or charge, by its form."""
    return _STRIPE_PAYMENT.fullmatch(text) is not None


def receipt_of(transaction: Node) -> Node:
    """The gateway's free-form receipt; an empty one when it is no object."""
    receipt = transaction["receipt"]
    return receipt if isinstance(receipt.value, dict) else Node({}, receipt.path)


def reference(node: Node) -> str | None:
    """A gateway's id; None for anything else in a free-form member, approval codes included."""
    text = node.text() if isinstance(node.value, str) else None
    return text if text and len(text) > _LONGEST_APPROVAL_CODE else None


def _stripe(node: Node) -> str | None:
    found = reference(node)
    return found if found and is_payment_id(found) else None


def _rounding(transaction: Node, currency: str) -> int:
    rounding = transaction["amount_rounding"]
    return rounding.amount(currency) if rounding else 0
