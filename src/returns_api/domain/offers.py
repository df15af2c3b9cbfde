"""Partial refund and keep the goods, as pure plans: offer, counter-offer, and how they end.

Owns which offers may be made and what follows from each answer. Refuses to own what one person may
promise alone (``approvals``), the money (``refunds``) and the rows. States move only through
``lifecycle.offers``; the return moves by ``agree``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain.lifecycle.deadlines import Deadline, begin, follow, next_due, passed
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.offers import OFFER, TIMER_OF
from returns_api.domain.lifecycle.returns import LINE, RETURN
from returns_api.domain.refunds import DUE_WITHIN
from returns_api.domain.returns import Change, LineChange, ReturnRecord

VALID_SECONDS: Final = 7 * 86_400
"""How long an offer stands unless it says."""
BUYER: Final = "buyer"
MERCHANT: Final = "merchant"


@dataclass(frozen=True, slots=True)
class OfferRecord:
    """An offer as the database has it. ``party`` made it; ``drawn_minor`` of the return's
    negotiation is already counted against somebody's allowance, or approved."""

    id: UUID
    return_id: UUID
    order_id: UUID
    party: str
    state: str
    amount_minor: int
    currency: str
    note: str | None
    answers: UUID | None
    made_by: UUID | None
    drawn_minor: int
    valid_seconds: int
    shown_at: datetime | None
    refund_id: UUID | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    deadlines: tuple[Deadline, ...]

    def holds(self, person: UUID | None) -> frozenset[str]:
        """The conditions of ``lifecycle.offers`` that are met for ``person``."""
        return frozenset({"made_by_another"} if person != self.made_by else ())


@dataclass(frozen=True, slots=True)
class OfferChange:
    """One transition of an offer, saved where it still has ``before``'s sequence."""

    before: OfferRecord
    state: str
    event: str
    deadlines: tuple[Deadline, ...]
    values: Mapping[str, Any] = field(default_factory=dict)


def party_of(actor: Actor) -> str:
    return BUYER if actor is Actor.BUYER else MERCHANT


def opening(
    party: str, now: datetime, valid_seconds: int, *, held: bool
) -> tuple[str, tuple[Deadline, ...], datetime | None]:
    """State, first deadline and moment of being shown to the buyer of a new offer."""
    state = "awaiting_merchant" if party == BUYER else "awaiting_buyer"
    state = "awaiting_approval" if held else state
    until = begin(OFFER, TIMER_OF[state], now + timedelta(seconds=valid_seconds))
    return state, (until,), None if held else now


def plan_answer(before: OfferRecord, action: str, actor: Actor, person: UUID | None) -> OfferChange:
    """Accept, counter, decline or withdraw.

    Raises:
        ActionNotAllowed: not in this state, or not for this actor.
    """
    state = OFFER.step(before.state, action, actor, holds=before.holds(person))
    return OfferChange(
        before, state, f"offer.{state}", follow(OFFER, before.deadlines, action, state)
    )


def plan_offer_approve(
    before: OfferRecord, actor: Actor, person: UUID | None, now: datetime
) -> OfferChange:
    """A second person lets the offer reach the buyer; its time begins with that.

    Raises:
        ActionNotAllowed: it does not wait for an approval, or the caller made it.
    """
    state = OFFER.step(before.state, "approve", actor, holds=before.holds(person))
    until = begin(OFFER, TIMER_OF[state], now + timedelta(seconds=before.valid_seconds))
    return OfferChange(
        before,
        state,
        "offer.made",
        follow(OFFER, before.deadlines, "approve", state, until),
        {"shown_at": now, "drawn_minor": max(before.drawn_minor, before.amount_minor)},
    )


def plan_offer_silence(before: OfferRecord, now: datetime) -> OfferChange | None:
    """What a passed deadline does by itself; None when none has passed."""
    late = next_due(before.deadlines, now)
    if late is None:
        return None
    state = OFFER.step(before.state, late.on_silence, Actor.SYSTEM)
    changed = follow(OFFER, before.deadlines, late.on_silence, state)
    return OfferChange(before, state, f"offer.{state}", passed(late, changed))


def plan_lapse(before: OfferRecord) -> OfferChange:
    """The return left the states in which an offer makes sense."""
    state = OFFER.step(before.state, "lapse", Actor.SYSTEM)
    return OfferChange(
        before, state, "offer.lapsed", follow(OFFER, before.deadlines, "lapse", state)
    )


def plan_agree(
    before: ReturnRecord, actor: Actor, now: datetime, amount_minor: int, rest_minor: int
) -> Change:
    """The goods stay with the buyer and the money goes out; their units stay used up. All is over
    where ``rest_minor``, what of the amount the buyer does not have yet, is nothing.

    Raises:
        ActionNotAllowed: the goods are on their way already, or all is over.
    """
    state = before.step("agree", actor, to="refunding" if rest_minor else "completed")
    changes = tuple(
        LineChange(line, LINE.step(line.state, "keep", actor))
        for line in before.lines
        if line.state in {"requested", "approved"}
    )
    begun = [begin(RETURN, "refund", now + DUE_WITHIN)] if rest_minor else []
    return Change(
        before,
        state,
        "return.agreed",
        changes,
        {
            "settled_at": now,
            "closed_at": None if rest_minor else now,
            "decided_by": before.decided_by or actor.value,
        },
        data={"refund": amount_minor},
        deadlines=follow(RETURN, before.deadlines, "agree", state, *begun, now=now),
    )
