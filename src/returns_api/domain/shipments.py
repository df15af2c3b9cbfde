"""Return parcels as pure plans: when to buy a label, what a scan means in whatever order it comes.

A scan is a fact about one moment. The state follows from the furthest fact known, so a late,
repeated or out-of-order scan changes nothing that a newer one decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.shipments import SHIPMENT

BUY_AGAIN: Final = tuple(timedelta(seconds=s) for s in (2, 10, 60, 300, 900, 3600))
"""Waits between tries to buy a label; the last one repeats."""
MAX_BUYS: Final = 60
"""Tries before a person must look: about two days."""

_MOVING: Final = frozenset({"in_transit", "out_for_delivery", "available_for_pickup"})


@dataclass(frozen=True, slots=True)
class ShipmentRecord:
    """A return parcel as the database has it; ``cost_minor`` is in ``cost_currency``."""

    id: UUID
    return_id: UUID
    state: str
    source: str
    carrier_shipment_id: str | None
    tracking_code: str | None
    carrier: str | None
    service: str | None
    label_url: str | None
    cost_minor: int | None
    cost_currency: str | None
    attempt: int
    due_at: datetime | None
    last_error: str | None
    last_scan_at: datetime | None
    sequence: int


@dataclass(frozen=True, slots=True)
class ShipmentChange:
    """The state and the time of the newest scan behind it."""

    state: str
    last_scan_at: datetime


def plan_scan(shipment: ShipmentRecord, status: str, at: datetime) -> ShipmentChange | None:
    """What a scan changes, or None when it is old, repeated or tells nothing."""
    state = _state(status)
    if state is None or (shipment.state, "scan") not in SHIPMENT.rules:
        return None
    newer = shipment.last_scan_at is None or at >= shipment.last_scan_at
    if not newer or state == shipment.state:
        return None
    return ShipmentChange(SHIPMENT.step(shipment.state, "scan", Actor.SYSTEM, to=state), at)


def _state(status: str) -> str | None:
    if status in _MOVING:
        return "in_transit"
    return {
        "delivered": "delivered",
        "failure": "lost",
        "return_to_sender": "returned_to_sender",
    }.get(status)


def next_buy(attempt: int, now: datetime, retry_after: float | None = None) -> datetime | None:
    """When to try the carrier again, or None when a person must look."""
    if attempt >= MAX_BUYS:
        return None
    wait = BUY_AGAIN[min(max(attempt, 1), len(BUY_AGAIN)) - 1]
    if retry_after is not None:
        wait = max(wait, timedelta(seconds=min(retry_after, 86_400)))
    return now + wait
