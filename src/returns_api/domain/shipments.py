"""Return parcels as pure plans: when to ask the carrier again, what scans mean in whatever order
they come, what becomes of a label that nobody needs.

A scan is a fact about one moment. The state is a function of the set of all scans known, so a late,
repeated or out-of-order one harms nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from returns_api.domain.lifecycle.deadlines import Deadline, begin
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.shipments import SHIPMENT

ASK_AGAIN: Final = tuple(timedelta(seconds=s) for s in (2, 10, 60, 300, 900, 3600))
"""Waits between tries to buy or to void a label; the last one repeats."""
MAX_TRIES: Final = 60
"""Tries before a person must look: about two days."""

ASK_FOR_SCANS: Final = timedelta(hours=4)
"""How often a parcel is asked for where its carrier tells nothing by itself."""
STALLED_AFTER: Final = timedelta(days=7)
"""A parcel on its way that nobody scanned for so long has stalled."""
TRACKED: Final = ("label_ready", "in_transit", "lost")
"""States in which a further scan can change something."""

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
    qr_url: str | None
    """Where the code for the counter is shown."""
    label_forms: Sequence[str]
    """Which documents of the label are kept here."""
    cost_minor: int | None
    cost_currency: str | None
    attempt: int
    """Counts every try; a later one fences off an earlier one."""
    tries: int
    """Tries since the label was wanted, or since a person started it anew."""
    due_at: datetime | None
    last_error: str | None
    last_scan_at: datetime | None
    sequence: int


def plan_scan(shipment: ShipmentRecord, scans: Iterable[tuple[str, datetime]]) -> str | None:
    """The state that all ``scans`` (status, time) together say, or None when nothing changes."""
    state, rule = parcel_state(scans), SHIPMENT.rules.get((shipment.state, "scan"))
    if state is None or state == shipment.state or rule is None or state not in rule.to:
        return None
    return SHIPMENT.step(shipment.state, "scan", Actor.SYSTEM, to=state)


def parcel_state(scans: Iterable[tuple[str, datetime]]) -> str | None:
    """Where a parcel is, from the set of its scans; None before it moved.

    Sent back to the buyer is final: whatever was delivered after that was delivered to the buyer.
    Delivered comes next. Of moving and lost, the newest says which; at the same second, lost.
    """
    known = [(state, at) for status, at in scans if (state := _state(status)) is not None]
    states = {state for state, _ in known}
    for final in ("returned_to_sender", "delivered"):
        if final in states:
            return final
    return max(known, key=lambda scan: (scan[1], scan[0] == "lost"))[0] if known else None


def _state(status: str) -> str | None:
    if status in _MOVING:
        return "in_transit"
    return {
        "delivered": "delivered",
        "failure": "lost",
        "return_to_sender": "returned_to_sender",
    }.get(status)


def plan_void(shipment: ShipmentRecord) -> str | None:
    """What becomes of a label that nobody needs; None when it was used or is being voided already.

    A label is paid for only after the carrier's id of it is stored, so without an id there is
    nothing to give back.
    """
    if shipment.state not in {"label_due", "label_failed", "label_ready"}:
        return None
    bought = shipment.carrier_shipment_id is not None or shipment.state == "label_ready"
    return SHIPMENT.step(
        shipment.state, "void", Actor.SYSTEM, to="void_due" if bought else "voided"
    )


def after_purchase(shipment: ShipmentRecord) -> str | None:
    """Where a shipment goes once its label is known to be paid for; None where it was known."""
    if (shipment.state, "buy") not in SHIPMENT.rules:
        return None
    return SHIPMENT.step(shipment.state, "buy", Actor.SYSTEM)


def scan_due(newest: datetime) -> Deadline:
    """By when a parcel on its way has to be scanned again."""
    return begin(SHIPMENT, "parcel_scan", newest + STALLED_AFTER)


def why_stalled(scans: Iterable[tuple[str, datetime]]) -> str:
    """The cause of a silence, as one word: where the parcel was seen last."""
    known = [(at, status) for status, at in scans if status in _MOVING]
    return _STALLED_AT.get(max(known)[1] if known else "", "no_scan_on_the_way")


_STALLED_AT: Final = {
    "out_for_delivery": "delivery_attempt_without_result",
    "available_for_pickup": "waits_at_a_counter",
}


def next_try(tries: int, now: datetime, retry_after: float | None = None) -> datetime | None:
    """When to ask the carrier again, or None when a person must look."""
    if tries >= MAX_TRIES:
        return None
    wait = ASK_AGAIN[min(max(tries, 1), len(ASK_AGAIN)) - 1]
    if retry_after is not None:
        wait = max(wait, timedelta(seconds=min(retry_after, 86_400)))
    return now + wait


def why_not_here(shipment: ShipmentRecord | None) -> str:
    """The cause of a parcel that did not come in time, as one word."""
    if shipment is None:
        return "no_label_of_ours"
    if shipment.state in {"lost", "returned_to_sender"}:
        return shipment.state
    return {"delivered": "delivered_not_received", "in_transit": "stalled"}.get(
        shipment.state, "never_scanned"
    )
