"""Price and order value as one axis of the fact space.

Owns the pairs of price and order value that can occur together, in every currency of a document.
Refuses to own the thresholds themselves (``space.NumberAxis``, ``index.Axes``).
"""

from __future__ import annotations

from returns_api.domain.policy.axes import Axes, Clause


class Money:
    """One axis of price and order value in all currencies: an order is worth what is in it.

    An atom is a currency with one atom of the unit price and one of the order value, where some
    price fits into some order. With ``everything`` there are also the pairs that do not fit and,
    behind all others (``foreign``), the currencies that the document does not know.
    """

    def __init__(self, axes: Axes, *, everything: bool = False) -> None:
        self.atoms = [
            (currency, u, o)
            for currency in axes.world.currencies
            for u in range(axes.unit[currency].size)
            for o in range(axes.order[currency].size)
            if everything or axes.order[currency].bounds(o)[1] >= axes.unit[currency].bounds(u)[0]
        ]
        self.foreign = len(self.atoms) if everything else None
        self.size = len(self.atoms) + everything
        self._axes = axes

    def mask(self, clause: Clause) -> int:
        """The atoms that a clause takes."""
        allowed = {}
        for currency in self._axes.world.currencies:
            allowed[currency] = tuple(
                self._axes.money_mask(axis, found, currency) if found else axis.full
                for axis, found in (
                    (self._axes.unit[currency], clause.when.unit_price),
                    (self._axes.order[currency], clause.when.order_value),
                )
            )
        mask = 0
        for position, (currency, u, o) in enumerate(self.atoms):
            units, orders = allowed[currency]
            if units >> u & 1 and orders >> o & 1:
                mask |= 1 << position
        if self.foreign is not None and not (clause.when.unit_price or clause.when.order_value):
            mask |= 1 << self.foreign
        return mask

    def lowest(self, atom: int) -> tuple[str, int, int]:
        """The currency, lowest price and a fitting order value of ``atom``."""
        currency, u, o = self.atoms[atom]
        unit = self._axes.unit[currency].bounds(u)[0]
        return currency, unit, max(unit, self._axes.order[currency].bounds(o)[0])

    def bounds(self, atom: int) -> tuple[str, int, int]:
        """The currency and the lowest and highest price of ``atom``."""
        currency, u, o = self.atoms[atom]
        low, high = self._axes.unit[currency].bounds(u)
        return currency, low, min(high, self._axes.order[currency].bounds(o)[1])

    def sample(self, atom: int) -> tuple[str, int, int]:
        """The currency, a price that looks real and a fitting order value of ``atom``."""
        currency, low, high = self.bounds(atom)
        unit = min(max(low, 5_000), high) if low < 5_000 else low
        o_low, o_high = self._axes.order[currency].bounds(self.atoms[atom][2])
        return currency, unit, min(max(unit, o_low), o_high)
