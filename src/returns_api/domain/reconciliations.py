"""Two books side by side: what a provider says of a movement, what we say, and what differs.

Owns the comparison and the action that each difference asks for. Refuses to own where the other
book comes from (a provider's list, a settlement file) and what is done about a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from returns_api.domain.lifecycle.refunds import TRANSFER

FRESH: Final = timedelta(minutes=15)
"""So long one book may be ahead of the other: a webhook is on its way, a sweep comes by (S16)."""
SETTLES_WITHIN: Final = timedelta(days=7)
"""So long a refund that we know of may be missing in a settlement file before it counts."""


class Difference(StrEnum):
    """How two books can disagree about one movement."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT = "amount"
    CURRENCY = "currency"
    STATE = "state"
    TIMING = "timing"


class Proposal(StrEnum):
    """What is to be done about it."""

    RECORD_FACT = "record_fact"
    """Record the refund or chargeback that somebody made elsewhere."""
    TAKE_PROVIDER_STATE = "take_provider_state"
    """Move our own to what the provider says."""
    WAIT = "wait"
    """One book is only ahead of the other; the next reconciliation will agree."""
    ASK_PROVIDER = "ask_provider"
    """Ours has no counterpart: have the provider look for it by our reference."""
    REVIEW = "review"
    """A person has to look: the books contradict each other."""


APPLIED: Final = frozenset({Proposal.RECORD_FACT, Proposal.TAKE_PROVIDER_STATE})
"""Done at once, by the same steps as the provider's own webhook."""

_OPEN: Final = "open"
_PAID: Final = "paid"
_DEAD: Final = "dead"
_SIDE: Final = {
    **dict.fromkeys(TRANSFER.terminal, _DEAD),
    **{state: _OPEN for state in TRANSFER.states if state not in TRANSFER.terminal},
    "succeeded": _PAID,
}


@dataclass(frozen=True, slots=True)
class Theirs:
    """One movement in the other book. ``status`` is a refund's in our words; for a dispute
    ``succeeded`` while the money is gone and ``canceled`` once it was given back."""

    kind: str
    external_id: str
    amount_minor: int
    currency: str
    status: str
    at: datetime | None
    paid_in: str | None = None
    """The currency of our payment that it is about, where there is one."""


@dataclass(frozen=True, slots=True)
class Ours:
    """The same movement in our book: a transfer (with its id) or an outside fact."""

    transfer_id: UUID | None
    amount_minor: int
    currency: str
    state: str
    at: datetime
    """When it last moved."""


@dataclass(frozen=True, slots=True)
class Found:
    """One difference and what is to be done about it."""

    kind: Difference
    proposal: Proposal


def fact_state(*, active: bool) -> str:
    """The state of an outside fact in a transfer's words."""
    return "succeeded" if active else "canceled"


def compare(theirs: Theirs, ours: Ours | None, now: datetime) -> tuple[Found, ...]:
    """How the two differ; empty when they agree. A movement that died there and that nobody told
    us of is no difference: no money is gone."""
    if ours is None:
        if _SIDE[theirs.status] == _DEAD:
            return ()
        missing = Found(Difference.MISSING_HERE, Proposal.RECORD_FACT)
        if theirs.paid_in in {None, theirs.currency}:
            return (missing,)
        # It is recorded and counts for nothing: only a person can say what it was worth.
        return (missing, Found(Difference.CURRENCY, Proposal.REVIEW))
    if theirs.currency != ours.currency:
        return (Found(Difference.CURRENCY, Proposal.REVIEW),)
    if theirs.amount_minor != ours.amount_minor:
        # A chargeback can change its amount; a movement that we asked for may not.
        known = ours.transfer_id is None
        return (Found(Difference.AMOUNT, Proposal.RECORD_FACT if known else Proposal.REVIEW),)
    return _states(theirs, ours, now)


def _states(theirs: Theirs, ours: Ours, now: datetime) -> tuple[Found, ...]:
    there, here = _SIDE[theirs.status], _SIDE[ours.state]
    if there == here:
        return ()
    if ours.state in TRANSFER.terminal:
        # What ended stays ended here; that the provider sees it otherwise is for a person.
        return (Found(Difference.STATE, Proposal.REVIEW),)
    if there == _OPEN:
        # Ours is settled already: theirs follows, or it never does and stops being fresh.
        fresh = now - ours.at <= SETTLES_WITHIN
        kind = Difference.TIMING if fresh else Difference.STATE
        return (Found(kind, Proposal.WAIT if fresh else Proposal.REVIEW),)
    fresh = here == _OPEN and now - ours.at <= FRESH
    kind = Difference.TIMING if fresh else Difference.STATE
    return (Found(kind, Proposal.TAKE_PROVIDER_STATE),)


def missing_there(ours: Ours, until: datetime, grace: timedelta) -> Found:
    """What is said of ours when the other book, which ends at ``until``, does not have it."""
    if ours.at > until - grace:
        return Found(Difference.TIMING, Proposal.WAIT)
    if ours.transfer_id is None:
        return Found(Difference.MISSING_THERE, Proposal.REVIEW)
    return Found(Difference.MISSING_THERE, Proposal.ASK_PROVIDER)


def shown_theirs(theirs: Theirs) -> dict[str, Any]:
    """Their side of a difference, for storing: ids, states and amounts only."""
    return {
        "amount": theirs.amount_minor,
        "currency": theirs.currency,
        "state": theirs.status,
        "at": None if theirs.at is None else theirs.at.isoformat(),
    }


def shown_ours(ours: Ours) -> dict[str, Any]:
    """Our side of a difference, in the same members."""
    return {
        "amount": ours.amount_minor,
        "currency": ours.currency,
        "state": ours.state,
        "at": ours.at.isoformat(),
    }
