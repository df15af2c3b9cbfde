"""The space of buyer histories, cut by the tiers of a document.

Owns which tiers a buyer can reach at all and the history that is closest to another one in a tier.
Refuses to own which tier a buyer has (``index.Tiers``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returns_api.domain.policy.boxes import Box, Budget, find
from returns_api.domain.policy.document import TierRule
from returns_api.domain.policy.facts import BuyerHistory
from returns_api.domain.policy.space import NumberAxis, bits, limits
from returns_api.domain.policy.tiers import HISTORY
from returns_api.domain.policy.vocabulary import DEFAULT_TIER, PPM


class Histories:
    """The space of buyer histories, cut by the tiers: which tiers can be reached, and how."""

    def __init__(self, tiers: Sequence[TierRule]) -> None:
        self._tiers = tuple(tiers)
        edges = {name: self._edges(name) for name in HISTORY}
        self.axes = {
            name: NumberAxis(cut for low, high in found for cut in (low, high + 1))
            for name, found in edges.items()
        }
        self._full = tuple(self._domain(name) for name in HISTORY)
        self.boxes = tuple(self._box(tier) for tier in self._tiers)

    def _edges(self, name: str) -> list[tuple[int, int]]:
        found = [limits(asked, "", "") for t in self._tiers if (asked := getattr(t, name))]
        domain = [(0, PPM)] if name == "return_rate" else []
        return [*domain, *(edge for edge in found if edge)]

    def _domain(self, name: str) -> int:
        axis = self.axes[name]
        return axis.mask(0, PPM) if name == "return_rate" else axis.full

    def _box(self, tier: TierRule) -> Box:
        found = []
        for name, full in zip(HISTORY, self._full, strict=True):
            asked = getattr(tier, name)
            edges = limits(asked, "", "") if asked else None
            found.append(self.axes[name].mask(*edges) & full if edges else full)
        return tuple(found)

    def part(self, number: int, budget: Budget) -> Box | None:
        """Histories for which the tier at ``number`` is the first that takes them."""
        return find(self.boxes[number], self.boxes[:number], budget)

    def default_part(self, budget: Budget) -> Box | None:
        """Histories that no tier takes."""
        return find(self._full, self.boxes, budget)

    def history(self, part: Box, near: BuyerHistory) -> BuyerHistory:
        """The history in ``part`` that is closest to ``near`` on every number."""
        values: dict[str, Any] = {}
        for name, mask in zip(HISTORY, part, strict=True):
            attribute = "return_rate_ppm" if name == "return_rate" else name
            values[attribute] = _closest(self.axes[name], mask, getattr(near, attribute))
        return BuyerHistory(**values)

    def reachable(self) -> list[str]:
        """The tiers that some history has, in their order, the default last."""
        budget = Budget()
        found = [
            tier.tier
            for number, tier in enumerate(self._tiers)
            if self.part(number, budget) is not None
        ]
        if self.default_part(budget) is not None:
            found.append(DEFAULT_TIER)
        return list(dict.fromkeys(found))

    def of_tier(self, tier: str, near: BuyerHistory) -> BuyerHistory:
        """The history closest to ``near`` that has ``tier``. The tier must be reachable."""
        budget = Budget()
        names = [found.tier for found in self._tiers]
        part = None
        if tier in names:
            part = self.part(names.index(tier), budget)
        if part is None:
            part = self.default_part(budget)
        assert part is not None
        return self.history(part, near)


def _closest(axis: NumberAxis, mask: int, near: int) -> int:
    """The number in the atoms of ``mask`` that is closest to ``near``."""
    choices = []
    for atom in bits(mask):
        low, high = axis.bounds(atom)
        choices.append(min(max(near, low), high))
    return min(choices, key=lambda value: (abs(value - near), value))
