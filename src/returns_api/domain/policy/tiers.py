"""Trust tiers: from a buyer's history to the tier that it earns.

Owns the choice of the first tier that takes a history. Refuses to own what a tier is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from returns_api.domain.policy.conditions import Range
from returns_api.domain.policy.document import TierRule
from returns_api.domain.policy.facts import BuyerHistory
from returns_api.domain.policy.space import limits
from returns_api.domain.policy.vocabulary import DEFAULT_TIER, Listed

HISTORY: Final = (
    "orders_kept", "returns", "return_rate", "clawbacks", "chargebacks", "account_days",
)  # fmt: skip
"""What a tier can ask of a buyer; ``return_rate`` is ``BuyerHistory.return_rate_ppm``."""


class Tiers:
    """The tiers of a document, compiled: the first whose history conditions all hold."""

    def __init__(self, tiers: Sequence[TierRule]) -> None:
        names = [tier.tier for tier in tiers]
        self.names = tuple(dict.fromkeys([*names, DEFAULT_TIER]))
        self._tiers = [(self._parts(tier), tier.tier) for tier in tiers]

    @staticmethod
    def _parts(tier: TierRule) -> list[tuple[str, int, int]]:
        found = []
        for name in HISTORY:
            asked: Range | None = getattr(tier, name)
            edges = limits(asked, "", "") if asked else None
            if edges:
                found.append(("return_rate_ppm" if name == "return_rate" else name, *edges))
        return found

    def of(self, buyer: BuyerHistory) -> str:
        """The tier of a buyer with this history; nothing speaks against one on the allow list."""
        if buyer.listed is Listed.ALLOW:
            buyer = buyer.unburdened()
        for parts, name in self._tiers:
            for attribute, low, high in parts:
                if not low <= getattr(buyer, attribute) <= high:
                    break
            else:
                return name
        return DEFAULT_TIER
