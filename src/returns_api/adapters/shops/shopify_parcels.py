"""Shopify's fulfillments and their scans, as outbound parcels.

A parcel has left when its fulfillment succeeded; ``pending`` and ``open`` ones wait at a warehouse,
``error`` and ``failure`` ones never left and count as cancelled. A fulfillment tells that it was
delivered, never when: its ``updated_at`` is an upper bound, the exact time comes with the delivery
scan (``fulfillment_events``), so the earliest known time is the right one.
"""

from __future__ import annotations

from typing import Final

from returns_api.adapters.shops.reading import MAX_TEXT, Node
from returns_api.adapters.shops.shopify_money import exact_id
from returns_api.domain.orders import ParcelDelivered, ParcelLine, ParcelSeen

_LEFT: Final = "success"
_NEVER_LEFT: Final = frozenset({"cancelled", "error", "failure"})
_DELIVERED: Final = frozenset({"delivered", "picked_up"})


def parse_fulfillment(fulfillment: Node) -> tuple[ParcelSeen, ...]:
    """Raises ``Unreadable`` naming the JSON path."""
    return (read_parcel(fulfillment, fulfillment["order_id"].identifier()),)


def read_parcel(fulfillment: Node, order_id: str) -> ParcelSeen:
    """One fulfillment as a snapshot. Raises ``Unreadable`` naming the JSON path."""
    status = fulfillment["status"].text()
    created, updated = fulfillment["created_at"].time(), fulfillment["updated_at"].optional_time()
    seen_at = updated or created
    delivered = fulfillment["shipment_status"].text() in _DELIVERED
    lines = [
        ParcelLine(exact_id(item), item["quantity"].count()) for item in fulfillment["line_items"]
    ]
    return ParcelSeen(
        order_external_id=order_id,
        external_id=exact_id(fulfillment),
        lines=tuple(lines),
        shipped_at=created if status == _LEFT else None,
        updated_at=seen_at,
        delivered_at=seen_at if delivered else None,
        cancelled=status in _NEVER_LEFT,
        carrier=fulfillment["tracking_company"].text(),
        tracking_codes=_tracking(fulfillment),
    )


def parse_fulfillment_event(event: Node) -> tuple[ParcelDelivered, ...]:
    """A delivery scan; other scans of an outbound parcel decide nothing here.

    Raises ``Unreadable`` naming the JSON path.
    """
    order_id, parcel_id = event["order_id"].identifier(), event["fulfillment_id"].identifier()
    at = event["happened_at"] if event["happened_at"] else event["created_at"]
    scan = ParcelDelivered(order_id, parcel_id, at.time())
    return (scan,) if event["status"].text() in _DELIVERED else ()


def _tracking(fulfillment: Node) -> tuple[str, ...]:
    codes = [code.text() for code in fulfillment["tracking_numbers"]]
    codes.append(fulfillment["tracking_number"].text())
    return tuple(dict.fromkeys(code[:MAX_TEXT] for code in codes if code))
