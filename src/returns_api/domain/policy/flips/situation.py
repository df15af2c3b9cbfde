"""A case with what each of its facts allows, so that changing one fact costs one look-up.

Owns the rules that every column of the index allows for one case. Refuses to own which facts to
change (``singles``, ``search``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.facts import Facts, time_json
from returns_api.domain.policy.flips.changes import Option, changed, placed_on
from returns_api.domain.policy.flips.goals import Goal
from returns_api.domain.policy.flips.values import SECOND
from returns_api.domain.policy.weighed import Dates, Weighed


class Situation:
    """A case of one policy, weighed."""

    __slots__ = ("_blocked", "dates", "facts", "mask", "masks", "policy", "tier", "weighed")

    def __init__(self, policy: Policy, facts: Facts) -> None:
        self.policy = policy
        self.facts = facts
        self.tier = policy.tiers.of(facts.buyer)
        atom = policy.tier_atoms[self.tier]
        self.masks = [column(facts, atom) for column in policy.index.columns]
        self.mask = policy.index.meet(self.masks)
        self._blocked: tuple[int, int] | None = None
        self.dates = Dates()
        self.weighed: Weighed = policy.weigh_at(facts, self.tier, self.mask, self.dates)

    def weigh(self, facts: Facts, tier: str, mask: int) -> Weighed:
        """A case with the same times, whose rules and tier are known."""
        return self.policy.weigh_at(facts, tier, mask, self.dates)

    def lapsed(self) -> int:
        """Rights that apply and are over, as bits of the index."""
        rights = self.mask >> self.policy.rule_count
        known = self.dates.grants.get(rights)
        return (rights & ~known[1]) << self.policy.rule_count if known else 0

    def blocked(self) -> tuple[int, int]:
        """The rules that exactly one column does not allow, and those that two do not."""
        if self._blocked is None:
            everything = self.policy.index.meet(())
            one = two = more = 0
            for mask in self.masks:
                if mask != everything:
                    blocked = everything ^ mask
                    more |= two & blocked
                    two |= one & blocked
                    one |= blocked
            self._blocked = one & ~two, two & ~more
        return self._blocked

    def without(self, columns: Collection[int]) -> int:
        """The rules that all other columns allow."""
        if len(columns) == 1:
            (column,) = columns
            return self.mask | self.blocked()[0] & ~self.masks[column]
        others = (mask for n, mask in enumerate(self.masks) if n not in columns)
        return self.policy.index.meet(others)


def in_time(
    policy: Policy, facts: Facts, rules: tuple[str, int], goal: Goal, dates: Dates
) -> datetime | None:
    """The latest earlier moment at which asking reaches ``goal``; None where there is none.

    ``rules`` are the tier and the rules that apply.
    """
    tier, mask = rules
    earliest = earliest_asking(facts)
    for over in policy.ends(facts, tier, mask, dates):
        asked = over - SECOND
        if over > facts.asked_at or asked < earliest:
            continue
        after = changed(facts, {"asked_at": asked})
        if goal(policy.weigh_at(after, tier, mask, dates.asked_otherwise()), after):
            return asked
    return None


def earliest_asking(facts: Facts) -> datetime:
    """Nobody asks before the order is placed (or, in odd cases, before any of its events)."""
    known = (facts.placed_at, facts.fulfilled_at, facts.delivered_at)
    return min(instant for instant in known if instant is not None)


def placed_later(
    policy: Policy, facts: Facts, option: Option, rules: tuple[str, int], goal: Goal
) -> Option | None:
    """The first day in a later part of the year that reaches ``goal``; None where there is none.

    ``rules`` are the tier and the rules that apply in that part. The later an order is placed, the
    longer its windows are open, so the first day is found by halving.
    """
    assert option.until is not None
    tier, mask = rules
    first: datetime = option.data["placed_at"]
    last = min(option.until - SECOND, max(facts.asked_at, first))

    def reached(days: int) -> dict[str, Any] | None:
        data = placed_on(facts, min(first + timedelta(days=days), last))
        after = changed(facts, data)
        return data if goal(policy.weigh_at(after, tier, mask, Dates()), after) else None

    low, high = 0, (last - first).days + 1
    best = reached(high)
    if best is None:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        found = reached(middle)
        low, high, best = (middle, high, best) if found is None else (low, middle, found)
    shown = time_json(best["placed_at"])
    return replace(option, data=best, parts=((option.parts[0][0], shown),), until=None)
