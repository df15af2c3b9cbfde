"""Refunds made in Shopify itself: which units they claim and which money they moved.

A refund is *ours to record* when money was moved or goods came back with it (a return settled by an
exchange moves none). What is left are records that the platform writes when an order edit takes
unshipped units out: those count as removed on the line and are not refunds.

What it gives back of a shipping line counts against that line (``refund_shipping_lines``, since
version 2024-07); older versions name no line, and tell it as money alone.

A *pending* movement counts as succeeded: the money is on its way out, and refunding it a second
time is worse than waiting. When it fails, a later snapshot of the order says so. Refuses to own
matching a refund with our own: the use case knows our references.

**Sent or not.** ``restock_type`` is ``cancel`` for units that were not fulfilled: they are taken
out of what is still to be sent. ``return`` and ``no_restock`` leave that as it is, and
``legacy_restock`` says nothing; those units count as given back of what the buyer has.
Source: the platform's refund resource, ``refund_line_items``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from returns_api.adapters.shops.reading import Node
from returns_api.adapters.shops.shopify_money import exact_id
from returns_api.adapters.shops.shopify_payments import is_payment_id, receipt_of, reference
from returns_api.domain.orders import (
    OutsideRefundLine,
    OutsideRefundMoney,
    OutsideRefundSeen,
    OutsideShipping,
)

_LEFT: Final = frozenset({"success", "pending"})
_CAME_BACK: Final = "return"
_NOT_SENT: Final = "cancel"


def read_refunds(
    refunds: Node, order_id: str, currency: str | None
) -> tuple[OutsideRefundSeen, ...]:
    """The refunds among ``refunds`` of one order. Raises ``Unreadable`` naming the JSON path."""
    found = [read_refund(refund, order_id, currency) for refund in refunds]
    return tuple(refund for refund in found if refund is not None)


def read_refund(refund: Node, order_id: str, currency: str | None) -> OutsideRefundSeen | None:
    """One refund; None when it is the trace of an order edit.

    ``currency`` is the order's where it is known; amounts without any currency are read in the one
    that the refund itself shows. Raises ``Unreadable`` naming the JSON path.
    """
    items = list(refund["refund_line_items"])
    lines = tuple(
        OutsideRefundLine(
            _line_id(item), item["quantity"].count(), item["restock_type"].value == _NOT_SENT
        )
        for item in items
        if item["quantity"].count()
    )
    moves = [each for each in refund["transactions"] if each["kind"].text() == "refund"]
    fallback = currency or _shown_currency(refund)
    money = tuple(_money(each, fallback) for each in moves)
    came_back = bool(refund["return"]) or any(
        item["restock_type"].value == _CAME_BACK for item in items
    )
    if not money and not (came_back and lines):
        return None
    at = refund["processed_at"] if refund["processed_at"] else refund["created_at"]
    paid = fallback or next((move.currency for move in money), None)
    shipping = tuple(_shipping(each, paid) for each in refund["refund_shipping_lines"])
    told = tuple(each for each in shipping if each is not None)
    return OutsideRefundSeen(order_id, exact_id(refund), at.time(), lines, money, told)


def refunded_units(refunds: Iterable[OutsideRefundSeen]) -> dict[str, int]:
    """Units claimed by refunds, by line id."""
    units: dict[str, int] = {}
    for refund in refunds:
        for line in refund.lines:
            units[line.line_external_id] = units.get(line.line_external_id, 0) + line.quantity
    return units


def _line_id(item: Node) -> str:
    """The line's exact id stands in the copy of the line; ``line_item_id`` may be rounded."""
    line = item["line_item"]
    return exact_id(line) if line else item["line_item_id"].identifier()


def _money(transaction: Node, fallback: str | None) -> OutsideRefundMoney:
    told = transaction["currency"]
    currency = told.currency() if told or fallback is None else fallback
    return OutsideRefundMoney(
        external_id=exact_id(transaction),
        payment_external_id=transaction["parent_id"].optional_identifier(),
        amount_minor=transaction["amount"].amount(currency),
        currency=currency,
        succeeded=transaction["status"].text() in _LEFT,
        provider_refund_id=_provider_refund_id(transaction),
    )


def _shipping(item: Node, currency: str | None) -> OutsideShipping | None:
    """What goes back of a shipping line; None where it names no line, or no amount in the order's
    currency."""
    line = item["shipping_line_id"].optional_identifier()
    if line is None and isinstance(item["shipping_line"].value, dict):
        line = item["shipping_line"]["id"].optional_identifier()
    amount = _in(currency, item["subtotal_amount_set"])
    if line is None or currency is None or amount is None:
        return None
    return OutsideShipping(f"shipping:{line}", amount, _in(currency, item["tax_amount_set"]) or 0)


def _in(currency: str | None, bag: Node) -> int | None:
    for name in ("presentment_money", "shop_money"):
        money = bag[name]
        if currency is not None and money["currency_code"].value == currency:
            return abs(money["amount"].amount(currency))
    return None


def _provider_refund_id(transaction: Node) -> str | None:
    """``receipt.id``, else ``authorization``, unless that repeats the payment's id."""
    receipt = receipt_of(transaction)
    found = reference(receipt["id"]) or reference(transaction["authorization"])
    return None if found is None or is_payment_id(found) else found


def _shown_currency(refund: Node) -> str | None:
    """The presentment currency of the refund's own sums, for senders that leave it out."""
    bags = [refund["total_duties_set"]]
    bags += [item["subtotal_set"] for item in refund["refund_line_items"]]
    for bag in bags:
        code = bag["presentment_money"]["currency_code"]
        if code:
            return code.currency()
    return None
