"""What a person looks at before it is approved or paid early, beside the policy's rules.

Owns what a quote keeps for its opening, and what the shop's lists and the buyer's other returns
make of it then. Refuses to own signals (``policy.signals``), the review itself (``returns``) and
every refusal: what is here can only let a person say yes, and silence says it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from returns_api.domain.policy import Decision, Policy
from returns_api.domain.policy.signals import BLOCK_LIST, REVIEW_WITHIN
from returns_api.domain.policy.vocabulary import Listed, OnSilence
from returns_api.domain.reasons import Fault
from returns_api.domain.terms import ReturnTerms, ReviewTerms

NOT_COUNTED: Final = ("rejected", "canceled", "expired")
"""States of a return that no limit counts: nothing came of it."""
USED: Final = ("used_like_new", "used_worn")
"""Grades of goods that were used."""
LATE_FROM: Final = (2, 3)
"""The share of its window after which a return is late: the last third."""


def review_terms(policy: Policy, decisions: Sequence[Decision]) -> ReviewTerms:
    """What a quote keeps of the signals; its decisions are about one buyer and one currency."""
    facts = decisions[0].facts
    within = [each.review_within_seconds for each in decisions]
    room = policy.signals.room(facts.buyer, facts.currency)
    return ReviewTerms(
        within_seconds=None if None in within else within[0],
        signals=policy.signals.told(facts.buyer, facts.currency),
        room=None if room is None else room[0],
        then=() if room is None else room[1],
    )


def opened_late(decision: Decision, resolution: str) -> bool:
    """Whether the buyer asks for ``resolution`` in the last third of a window that has an end.

    Only for what is the buyer's own choice: that faulty goods were used says nothing.
    """
    if decision.fault is not Fault.BUYER:
        return False
    facts = decision.facts
    begun = facts.delivered_at or facts.fulfilled_at or facts.placed_at
    until = next((r.until for r in decision.resolutions if r.kind.value == resolution), None)
    if until is None or until <= begun:
        return False
    share, whole = LATE_FROM
    return (facts.asked_at - begun) * whole >= (until - begun) * share


def heed(terms: ReturnTerms, listed: str | None, since: int) -> ReturnTerms:
    """The terms of a return that is being opened, by what holds by now.

    ``listed`` is the list that the buyer is on, ``since`` how many other returns they opened since
    the quote. What an accepted quote promises stays: it never says who approves.
    """
    review = terms.review or ReviewTerms(int(REVIEW_WITHIN.seconds))
    known = {signal["signal"] for signal in review.signals}
    found: list[Mapping[str, Any]] = []
    if listed == Listed.BLOCK and BLOCK_LIST not in known:
        found.append({"signal": BLOCK_LIST, "because": {"listed": Listed.BLOCK.value}})
    if listed != Listed.ALLOW and review.room is not None and since >= review.room:
        because = {"returns_since_quote": since}
        found += ({"signal": name, "because": because} for name in review.then)
    if not found:
        return terms
    return _slowed(terms, replace(review, signals=(*review.signals, *found)))


def _slowed(terms: ReturnTerms, review: ReviewTerms) -> ReturnTerms:
    told = replace(terms, review=review, advance=None)
    if not terms.approval_auto or review.within_seconds is None:
        return told
    return replace(
        told,
        approval_auto=False,
        respond_within_seconds=review.within_seconds,
        on_silence=OnSilence.APPROVE.value,
    )
