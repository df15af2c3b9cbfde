"""Refunds made in WooCommerce itself.

The core tells them with the order only: an id and a total, no lines and no time. A shop that adds
the topic ``refund.created`` sends the whole refund: then its lines hold their units. The same
refund told both ways is one fact, since both have its id; the whole one is the later one, whichever
comes first, because the order's own time stands in for the time that the order does not tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from returns_api.adapters.shops.reading import Node
from returns_api.domain.orders import (
    Observation,
    OutsideRefundLine,
    OutsideRefundMoney,
    OutsideRefundSeen,
    OutsideShipping,
)


def read_refund_totals(
    order: Node, order_id: str, currency: str, payment: str
) -> tuple[OutsideRefundSeen, ...]:
    """What an order tells of its refunds. Raises ``Unreadable`` naming the JSON path."""
    placed = _time(order["date_created_gmt"])
    return tuple(
        [
            _refund(
                order_id,
                refund["id"].identifier(),
                placed,
                abs(refund["total"].amount(currency)),
                currency,
                payment,
            )
            for refund in order["refunds"]
        ]
    )


def parse_refund(refund: Node) -> tuple[Observation, ...]:
    """One refund as the REST API tells it, with the order's id as ``parent_id`` and, beside the
    documented members, its ``currency``. Raises ``Unreadable`` naming the JSON path."""
    currency = refund["currency"].currency()
    lines = [(_item_id(item), _units(item)) for item in refund["line_items"]]
    return (
        _refund(
            refund["parent_id"].identifier(),
            refund["id"].identifier(),
            _time(refund["date_created_gmt"]),
            abs(refund["amount"].amount(currency)),
            currency,
            "payment",
            [OutsideRefundLine(line, units) for line, units in lines if line and units],
            tuple(_shipping(refund, currency)),
        ),
    )


def _refund(
    order_id: str,
    refund_id: str,
    at: datetime,
    amount: int,
    currency: str,
    payment: str,
    lines: list[OutsideRefundLine] | None = None,
    shipping: tuple[OutsideShipping, ...] = (),
) -> OutsideRefundSeen:
    money = OutsideRefundMoney(refund_id, payment, amount, currency, succeeded=True)
    return OutsideRefundSeen(
        order_external_id=order_id,
        external_id=refund_id,
        at=at,
        lines=tuple(lines or ()),
        money=(money,) if amount else (),
        shipping=shipping,
    )


def _shipping(refund: Node, currency: str) -> Iterator[OutsideShipping]:
    """What goes back of the order's shipping lines."""
    for item in refund["shipping_lines"]:
        line, tax = _item_id(item), item["total_tax"]
        if line is not None:
            amount = abs(item["total"].amount(currency))
            added = abs(tax.amount(currency)) if tax else 0
            yield OutsideShipping(f"shipping:{line}", amount, added)


def _item_id(item: Node) -> str | None:
    """The order's line that a refund's line is about."""
    for meta in item["meta_data"]:
        if meta["key"].text() == "_refunded_item_id":
            return meta["value"].optional_identifier()
    return None


def _units(item: Node) -> int:
    """Told as a negative number."""
    found = item["quantity"].value
    return Node(-found if isinstance(found, int) and found < 0 else found, item.path).count()


def _time(node: Node) -> datetime:
    return node.gmt() or node.refuse("is missing")
