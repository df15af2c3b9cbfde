"""The fact space in which changes are searched: every rule as boxes, every case as a point.

Owns the whole space of one policy (also the parts that the document does not speak of), where a
case lies in it and which other parts it could move to. Refuses to own the order in which moves are
tried (``search``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from returns_api.domain.policy.axes import PRODUCT_WORDS
from returns_api.domain.policy.boxes import Box
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.flips.changes import Option
from returns_api.domain.policy.flips.values import Values
from returns_api.domain.policy.geometry import SCALARS, Geometry
from returns_api.domain.policy.space import bits
from returns_api.domain.policy.vocabulary import PPM

_SINGLE: Final = {
    "reason": "reason", "condition": "condition", "tier": "tier", "channel": "channel",
    "day": "placed_at", "discounted": "discounted", "rollout": "rollout_ppm",
    **{name: name for name in PRODUCT_WORDS},
}  # fmt: skip
"""The axes of the space that are one axis of changes, too."""


@dataclass(slots=True)
class Start:
    """A case as a point: its atom on every axis, the moves on each, and all it could become."""

    facts: Facts
    tier: str
    own: Box
    root: Box
    options: dict[int, dict[int, Option]] = field(default_factory=dict)


class Ground:
    """The whole space of one policy. Raises ``TooLarge`` when a rule needs too many boxes."""

    def __init__(self, policy: Policy, values: Values) -> None:
        self.policy = policy
        self._values = values
        self._geometry = Geometry(policy, everything=True)
        self._axes = self._geometry.axes
        self.boxes = self._geometry.rules
        self.names = (*SCALARS, *(f"tags.{tag}" for tag in self._geometry.tags))
        money, orders = self._geometry.money, self._axes.order
        self._money_at = {atom: position for position, atom in enumerate(money.atoms)}
        fitting = (
            1 << position
            for position, (currency, u, o) in enumerate(money.atoms)
            if orders[currency].bounds(o)[1] >= self._axes.unit[currency].bounds(u)[0]
        )
        reachable = self._geometry.reachable_tiers()
        markets = self._geometry.markets()
        for atom in values.named:
            markets |= 1 << atom
        limits = {"reason": ~1, "tier": reachable, "place": markets, "money": sum(fitting)}
        self._allowed = tuple(
            mask & limits.get(name, -1)
            for name, mask in zip(self.names, self._geometry.universe, strict=True)
        )

    def start(self, facts: Facts, tier: str) -> Start:
        """Where a case lies. A reason that nobody knows cannot stay."""
        own = tuple(1 << atom for atom in self._atoms(facts, tier))
        root = tuple(
            allowed if name == "reason" else allowed | here
            for name, allowed, here in zip(self.names, self._allowed, own, strict=True)
        )
        return Start(facts, tier, own, root)

    def _atoms(self, facts: Facts, tier: str) -> Iterator[int]:
        axes, currency = self._axes, facts.currency
        known = self.policy.world.reasons
        yield axes.reason.locate(facts.reason) if facts.reason in known else 0
        yield axes.condition.locate(facts.condition)
        yield self.policy.tier_atoms[tier]
        yield axes.place.locate(facts.country, facts.region)
        yield axes.channel.locate(facts.channel)
        yield axes.day.locate(facts.placed_at)
        yield int(facts.discounted)
        yield axes.rollout.locate(_rollout(facts))
        yield int(facts.informed)
        yield self._money(currency, facts.unit_paid_minor, facts.order_paid_minor)
        for name in PRODUCT_WORDS:
            yield axes.words[name].locate(getattr(facts, name))
        yield from (int(tag in facts.tags) for tag in self._geometry.tags)

    def paid_in(self, currency: str) -> int:
        """Atoms of all prices in a currency; any that the document does not know is one atom."""
        found = [n for (code, _, _), n in self._money_at.items() if code == currency]
        return sum(1 << n for n in found) or 1 << len(self._money_at)

    def _money(self, currency: str, unit: int, order: int) -> int:
        if currency not in self._axes.unit:
            return len(self._money_at)
        u, o = self._axes.unit[currency].locate(unit), self._axes.order[currency].locate(order)
        return self._money_at[currency, u, o]

    def options(self, start: Start, axis: int) -> dict[int, Option]:
        """The other parts of one axis of the space by atom, the smallest change first."""
        found = start.options.get(axis)
        if found is None:
            listed = self._listed(start, self.names[axis])
            found = {}
            for option in sorted(listed, key=lambda option: option.size):
                found.setdefault(option.atom, option)
            start.options[axis] = found
        return found

    def _listed(self, start: Start, name: str) -> list[Option]:
        facts = start.facts
        if name in _SINGLE:
            return list(self._values.on(_SINGLE[name], facts, start.tier))
        if name == "place":
            named = self._values.named
            others = [n for n in bits(self._allowed[SCALARS.index("place")]) if n not in named]
            near = self._values.places(facts, sorted(named))
            return near + self._values.places(facts, others, far=1)
        if name == "informed":
            informed = not facts.informed
            key = f"change.informed.{str(informed).lower()}"
            return [Option(int(informed), (name,), {name: informed}, ((key, ""),), 1)]
        if name == "money":
            return [found for n in range(len(self._money_at)) if (found := self._paid(facts, n))]
        return [self._values.tag(name.partition(".")[2], facts)]

    def _paid(self, facts: Facts, number: int) -> Option | None:
        """Another currency, price or value of the order; None for the part the case lies in."""
        currency, u, o = self._geometry.money.atoms[number]
        units, orders = self._axes.unit[currency], self._axes.order[currency]
        low, high = orders.bounds(o)
        least, most = units.bounds(u)
        # A cheaper order has room for a cheaper item only.
        unit = _within((least, max(least, min(most, high))), facts.unit_paid_minor)
        kept = max(facts.order_paid_minor, unit) if unit != facts.unit_paid_minor else None
        order = _within((max(low, unit), high), facts.order_paid_minor if kept is None else kept)
        if order < unit or order > high:
            return None
        data: dict[str, Any] = {}
        parts: dict[str, tuple[str, str]] = {}
        if currency != facts.currency:
            data["currency"] = currency
            parts["currency"] = ("change.currency", currency)
        if unit != facts.unit_paid_minor:
            data["unit_paid_minor"] = unit
            parts["unit_paid_minor"] = ("change.unit_paid_minor", str(unit))
        if order != facts.order_paid_minor:
            data["order_paid_minor"] = order
            if order != kept:
                parts["order_paid_minor"] = ("change.order_paid_minor", str(order))
        if not data:
            return None
        far = int("currency" in data)
        return Option(number, tuple(parts), data, tuple(parts.values()), far)


def _within(bounds: tuple[int, int], number: int) -> int:
    low, high = bounds
    return min(max(number, low), high)


def _rollout(facts: Facts) -> int:
    return PPM if facts.rollout_ppm is None else facts.rollout_ppm
