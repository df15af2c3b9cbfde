"""A shop's price list of repairs, and what a workshop's quote comes to by it; pure.

Owns what a position costs and who pays it. Refuses to own whether a repair is covered as a whole
(the policy and the law, see ``policy``) and what becomes of a quote (``repair_plans``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from returns_api.domain.errors import unfit

BY_REPAIR: Final = "repair"
"""The resolution."""
INSPECTION: Final = "inspection"
FREIGHT: Final = "freight"
KINDS: Final = ("part", "labour", INSPECTION, FREIGHT)
"""``freight`` is the way back to the buyer."""
OWED_ANYWAY: Final = frozenset({INSPECTION, FREIGHT})
"""What is done for a buyer who declines, too."""
PRICES_MAX: Final = 500
POSITIONS_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """A position as the workshop names it. ``covered``: by the maker's warranty or as goodwill."""

    code: str
    quantity: int
    covered: bool


@dataclass(frozen=True, slots=True)
class Position:
    """A position with the price of the list, in minor units; a covered one is not charged."""

    code: str
    kind: str
    title: str
    quantity: int
    unit_price: int
    covered: bool

    @property
    def charged_minor(self) -> int:
        return 0 if self.covered else self.quantity * self.unit_price


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a repair takes. ``total_minor`` is what it costs the buyer, ``decline_minor`` what
    declining does; both with the way to the repair point."""

    positions: tuple[Position, ...]
    total_minor: int
    decline_minor: int

    def as_json(self) -> list[dict[str, Any]]:
        """The positions, JSON-ready."""
        return [asdict(each) for each in self.positions]


@dataclass(frozen=True, slots=True)
class PriceList:
    """``prices`` by code, in minor units of ``currency``, as the shop's settings have them."""

    currency: str
    prices: Mapping[str, Mapping[str, Any]]

    @staticmethod
    def of(shop: Mapping[str, Any]) -> PriceList:
        """From a shop's row."""
        return PriceList(shop["currency"], shop["repairs"].get("prices", {}))

    def decline_most(self, currency: str) -> int:
        """The most that an inspection and the way back can cost an order in ``currency``: the
        dearest of each, nothing where there is no price in its money."""
        if currency != self.currency:
            return 0
        priced = self.prices.values()
        return sum(
            max((each["price"] for each in priced if each["kind"] == kind), default=0)
            for kind in OWED_ANYWAY
        )

    def positions(
        self, asked: Sequence[Asked], currency: str, *, free: bool
    ) -> tuple[Position, ...]:
        """The named positions with their prices; ``free`` covers all of them.

        Raises:
            DoesNotFit: a code that is not in the list or is named twice, or one that has to be
                paid in another money than the order's.
        """
        known = dict(self.prices)
        found = []
        for number, each in enumerate(asked):
            listed, field = known.pop(each.code, None), f"positions.{number}"
            if listed is None:
                raise unfit(field, "Name codes of the shop's price list, each once.")
            covered = free or each.covered
            if not covered and currency != self.currency:
                raise unfit(field, f"The list has no prices in {currency}.")
            found.append(
                Position(
                    each.code,
                    listed["kind"],
                    listed["title"],
                    each.quantity,
                    listed["price"] if currency == self.currency else 0,
                    covered,
                )
            )
        return tuple(found)


def estimate(positions: Sequence[Position], freight_minor: int, most_minor: int) -> Estimate:
    """What positions come to, with ``freight_minor`` for the way to the repair point.

    Declining costs no more than ``most_minor``, which the accepted quote of the return named.
    """
    anyway = sum(each.charged_minor for each in positions if each.kind in OWED_ANYWAY)
    total = freight_minor + sum(each.charged_minor for each in positions)
    return Estimate(tuple(positions), total, min(freight_minor + anyway, most_minor))
