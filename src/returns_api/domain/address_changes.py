"""Another address for goods that were not sent yet, as pure plans.

The shop's platform owns the address of an order: here stand the wish and the shop's answer, and the
platform's next word on the order brings what it became. Refuses to own that word (``orders``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain.cancelled_units import unsent_units
from returns_api.domain.errors import Conflict, DoesNotFit
from returns_api.domain.lifecycle.address_changes import ADDRESS_CHANGE
from returns_api.domain.lifecycle.deadlines import Deadline, begin, follow, next_due, passed
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.order_record import OrderRecord

ANSWER_WITHIN: Final = timedelta(days=1)
REASONS: Final = ("dispatched", "not_possible", "no_answer")
"""Why it is declined; ``no_answer`` is the system's."""


@dataclass(frozen=True, slots=True)
class AddressChangeRecord:
    """An address change as the database has it; ``address`` is None once its person was erased."""

    id: UUID
    order_id: UUID
    order_external_id: str
    state: str
    asked_by: str
    reason: str | None
    address: Mapping[str, Any] | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    deadlines: tuple[Deadline, ...]


@dataclass(frozen=True, slots=True)
class AddressChange:
    """One transition, saved where the row still has ``before``'s sequence."""

    before: AddressChangeRecord
    state: str
    event: str
    deadlines: tuple[Deadline, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


def opening(now: datetime) -> tuple[str, tuple[Deadline, ...]]:
    """State of a new one, and its deadline."""
    return "requested", (begin(ADDRESS_CHANGE, "address_answer", now + ANSWER_WITHIN),)


def require_changeable(order: OrderRecord, country: str) -> None:
    """That something is left to be sent, to the same country: taxes, duties and the price of the
    way hang on it.

    Raises:
        Conflict: everything was sent.
        DoesNotFit: another country.
    """
    if not any(unsent_units(line) for line in order.lines):
        raise Conflict("Everything of this order was sent.")
    if order.country is not None and order.country != country:
        problem = f"This order goes to {order.country}; cancel it and order anew."
        raise DoesNotFit(problem, errors=[{"field": "address.country", "problem": problem}])


def plan_answer(
    before: AddressChangeRecord,
    action: str,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
) -> AddressChange:
    """``apply``, ``decline`` for a reason, or ``withdraw``.

    Raises:
        ActionNotAllowed: not in this state, or not for this actor.
    """
    state = ADDRESS_CHANGE.step(before.state, action, actor)
    deadlines = follow(ADDRESS_CHANGE, before.deadlines, action, state, now=now)
    values = {"reason": reason} if state == "declined" else {}
    return AddressChange(before, state, f"address_change.{state}", deadlines, values)


def plan_address_silence(before: AddressChangeRecord, now: datetime) -> AddressChange | None:
    """What a passed deadline does by itself; None when none has passed."""
    late = next_due(before.deadlines, now)
    if late is None:
        return None
    change = plan_answer(before, late.on_silence, Actor.SYSTEM, now, "no_answer")
    deadlines = passed(late, change.deadlines)
    return AddressChange(before, change.state, change.event, deadlines, change.values)
