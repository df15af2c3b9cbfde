"""A courier's visit as pure plans: which times to ask for, what each step does, what silence does.

Owns the times and the deadlines. Refuses to own the price for the buyer, which the accepted quote
fixed: what the carrier takes for coming is the shop's. States move only through
``lifecycle.pickups``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.domain.lifecycle.deadlines import Deadline, begin, follow, next_due, passed
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.pickups import PICKUP

DAYS: Final = 2
"""Working days that are asked for."""
PARTS: Final = ((time(9), time(13)), (time(13), time(17)))
"""Parts of a day that somebody can promise to be at home for."""
SLOT_LASTS: Final = timedelta(hours=1)
"""How long an offered time may be chosen."""
SCANNED_WITHIN: Final = timedelta(hours=24)
"""How long after the chosen time the parcel may be scanned before nobody came."""
REBOOK_WITHIN: Final = timedelta(days=7)
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class PickupRecord:
    """A courier's visit as the database has it; the cost is the shop's, in minor units."""

    id: UUID
    return_id: UUID
    order_id: UUID
    shipment_id: UUID
    source: str
    state: str
    carrier_pickup_id: str
    carrier: str
    service: str
    starts_at: datetime
    ends_at: datetime
    cost_minor: int
    currency: str
    confirmation: str | None
    attempt: int
    tries: int
    due_at: datetime | None
    last_error: str | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    deadlines: tuple[Deadline, ...]


@dataclass(frozen=True, slots=True)
class PickupChange:
    """One transition of a pickup, saved where it still has ``before``'s sequence."""

    before: PickupRecord
    state: str
    deadlines: tuple[Deadline, ...]
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def event(self) -> str:
        return f"pickup.{self.state}"


def windows(now: datetime, zone: ZoneInfo) -> tuple[tuple[datetime, datetime], ...]:
    """The times to ask for: both parts of the next working days after today in ``zone``, in UTC."""
    day, found = now.astimezone(zone).date(), list[tuple[datetime, datetime]]()
    while len(found) < DAYS * len(PARTS):
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            found += [
                (
                    datetime.combine(day, begins, zone).astimezone(UTC),
                    datetime.combine(day, ends, zone).astimezone(UTC),
                )
                for begins, ends in PARTS
            ]
    return tuple(found)


def plan_booked(before: PickupRecord, confirmation: str) -> PickupChange:
    """The carrier confirmed it; from now on a scan is waited for."""
    state = PICKUP.step(before.state, "book", Actor.SYSTEM, to="booked")
    scan = begin(PICKUP, "pickup_scan", before.ends_at + SCANNED_WITHIN)
    values = {"confirmation": confirmation, "last_error": None, **_AT_REST}
    return PickupChange(before, state, (scan,), values)


def plan_refused(before: PickupRecord, now: datetime, error: str) -> PickupChange:
    """The carrier will not come; another time can be chosen."""
    state = PICKUP.step(before.state, "book", Actor.SYSTEM, to="failed")
    rebook = begin(PICKUP, "pickup_rebook", now + REBOOK_WITHIN)
    return PickupChange(before, state, (rebook,), {"last_error": error, **_AT_REST})


def plan_pickup(
    before: PickupRecord, action: str, actor: Actor, now: datetime, to: str | None = None
) -> PickupChange:
    """Any other step.

    Raises:
        ActionNotAllowed: not in this state, or not for this actor.
    """
    state = PICKUP.step(before.state, action, actor, to=to)
    begun = [begin(PICKUP, "pickup_rebook", now + REBOOK_WITHIN)] if state == "missed" else []
    if state == "booked":  # too late to call it off: it is waited for again
        begun = [begin(PICKUP, "pickup_scan", max(before.ends_at, now) + SCANNED_WITHIN)]
    values = {"due_at": now, "tries": 0} if state == "canceling" else dict(_AT_REST)
    deadlines = follow(PICKUP, before.deadlines, action, state, *begun, now=now)
    return PickupChange(before, state, deadlines, values)


def plan_pickup_silence(before: PickupRecord, now: datetime) -> PickupChange | None:
    """What a passed deadline does by itself; None when none has passed."""
    late = next_due(before.deadlines, now)
    if late is None:
        return None
    change = plan_pickup(before, late.on_silence, Actor.SYSTEM, now)
    return PickupChange(before, change.state, passed(late, change.deadlines), change.values)


_AT_REST: Final[Mapping[str, Any]] = {"due_at": None, "leased_until": None}
"""Nothing is to be asked of the carrier."""
