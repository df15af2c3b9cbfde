"""What a carrier owes for a lost parcel, or an insurer for return freight, as pure plans.

Owns the amounts and the deadlines. Refuses to own the books (``ledger``) and the money that a buyer
gets back (``refunds``). States move only through ``lifecycle.transport_claims``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain.errors import DoesNotFit
from returns_api.domain.lifecycle.deadlines import Deadline, begin, follow, next_due, passed
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.transport_claims import TRANSPORT_CLAIM
from returns_api.domain.terms import InsuranceTerms

CARRIER: Final = "carrier"
INSURER: Final = "insurer"
AGAINST: Final = (CARRIER, INSURER)
CAUSES: Final = ("lost", "stalled", "damaged", "freight_insured")
SUBMIT_WITHIN: Final = timedelta(days=14)
ANSWER_WITHIN: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """A transport claim as the database has it; amounts in minor units.

    ``refund_id`` is what the buyer got of an insured freight.
    """

    id: UUID
    return_id: UUID
    order_id: UUID
    against: str
    cause: str
    state: str
    claimed_minor: int
    accepted_minor: int | None
    currency: str
    reference: str | None
    """Its number with them."""
    payment_reference: str | None
    note: str | None
    refund_id: UUID | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    deadlines: tuple[Deadline, ...]


@dataclass(frozen=True, slots=True)
class ClaimChange:
    """One transition, saved where the claim still has ``before``'s sequence."""

    before: ClaimRecord
    state: str
    event: str
    deadlines: tuple[Deadline, ...]
    values: Mapping[str, Any] = field(default_factory=dict)


def insured_freight(terms: InsuranceTerms | None, freight_minor: int) -> int:
    """What the insurer owes of freight that the buyer paid: up to the cover, less the excess."""
    if terms is None:
        return 0
    return max(min(freight_minor, terms.cover_minor) - terms.excess_minor, 0)


def opened(now: datetime) -> tuple[Deadline, ...]:
    """The first deadline of a new claim."""
    return (begin(TRANSPORT_CLAIM, "claim_submit", now + SUBMIT_WITHIN),)


def plan_claim(
    before: ClaimRecord, action: str, actor: Actor, now: datetime, **values: Any
) -> ClaimChange:
    """A step of a claim; ``values`` are further columns.

    Raises:
        ActionNotAllowed: not in this state, or not for this actor.
    """
    state = TRANSPORT_CLAIM.step(before.state, action, actor)
    begun = {
        "submit": [begin(TRANSPORT_CLAIM, "claim_answer", now + ANSWER_WITHIN)],
        "reopen": list(opened(now)),
    }.get(action, [])
    deadlines = follow(TRANSPORT_CLAIM, before.deadlines, action, state, *begun, now=now)
    event = "overdue" if action == "overdue" else state
    return ClaimChange(before, state, f"transport_claim.{event}", deadlines, values)


def plan_claim_silence(before: ClaimRecord, now: datetime) -> ClaimChange | None:
    """What a passed deadline does by itself; None when none has passed."""
    late = next_due(before.deadlines, now)
    if late is None:
        return None
    change = plan_claim(before, late.on_silence, Actor.SYSTEM, now)
    return ClaimChange(before, change.state, change.event, passed(late, change.deadlines))


def accepted_amount(claim: ClaimRecord, amount_minor: int | None) -> int:
    """What they accept: all of it when no amount is named.

    Raises:
        DoesNotFit: nothing, or more than was claimed.
    """
    amount = claim.claimed_minor if amount_minor is None else amount_minor
    if not 0 < amount <= claim.claimed_minor:
        problem = f"{claim.claimed_minor} was claimed (minor units), not {amount}."
        raise DoesNotFit(problem, errors=[{"field": "amount", "problem": problem}])
    return amount
