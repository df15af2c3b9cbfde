"""Other values of each fact: one for every part of its axis that rules can tell apart.

Owns the order *closest first* on each axis and the words for a value. Refuses to own which of them
help (``singles``, ``search``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any, Final

from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.facts import Facts, time_json
from returns_api.domain.policy.flips.changes import Option, placed_on
from returns_api.domain.policy.histories import Histories
from returns_api.domain.policy.space import NumberAxis, WordAxis
from returns_api.domain.policy.vocabulary import PPM, Grade

SECOND: Final = timedelta(seconds=1)
_GRADES: Final = [grade.value for grade in Grade]


class Values:
    """The other values of facts under one policy."""

    def __init__(self, policy: Policy) -> None:
        self._axes = policy.index.axes
        self.histories = Histories(policy.document.tiers)
        tiers = set(self.histories.reachable())
        self._tiers = [name for name in policy.tiers.names if name in tiers]
        self.reachable = frozenset(self._tiers)
        self._tier_atoms = policy.tier_atoms
        self._better: dict[str | None, list[Option]] = {}
        self._reasons = self._distinct_reasons(policy)
        self.named = self._named_places(policy)
        """Atoms of the places that the document's rules tell apart."""

    def on(
        self, axis: str, facts: Facts, tier: str, among: Collection[int] | None = None
    ) -> Iterator[Option]:
        """The other parts of one axis, the closest first. Money: that amount alone.

        ``among`` leaves out all other parts, where they are many.
        """
        if axis == "reason":
            yield from self._other_reasons(facts)
        elif axis == "condition":
            yield from self._conditions(facts.condition)
        elif axis == "tier":
            yield from self._other_tiers(facts, tier)
        elif axis == "discounted":
            other = not facts.discounted
            yield _one(int(other), axis, {axis: other}, "", f".{str(other).lower()}")
        elif axis == "placed_at":
            yield from self._days(facts)
        elif axis == "rollout_ppm":
            yield from self._rollouts(facts)
        elif axis == "place":
            yield from self.places(facts, sorted(self.named))
        elif axis in {"unit_paid_minor", "order_paid_minor"}:
            yield from self._amounts(axis, facts, among)
        else:
            yield from self._words(axis, facts, among)

    def tag(self, tag: str, facts: Facts) -> Option:
        """A tag put on, or taken off."""
        present = tag in facts.tags
        tags = facts.tags - {tag} if present else facts.tags | {tag}
        ending = ".removed" if present else ".added"
        return _one(int(not present), "tags", {"tags": tags}, tag, ending)

    def tags(self, facts: Facts) -> list[str]:
        """All tags that rules ask about, those that the product has first."""
        return sorted(self._axes.tags, key=lambda tag: tag not in facts.tags)

    def places(self, facts: Facts, atoms: list[int], *, far: int = 0) -> list[Option]:
        """Other places: of the same country first, then others."""
        axis = self._axes.place
        here = axis.locate(facts.country, facts.region)
        places = [(atom, *axis.sample(atom)) for atom in atoms if atom != here]
        places.sort(key=lambda place: (place[1] != facts.country, place[1] is None))
        return [
            _one(
                atom, "place", {"country": country, "region": region},
                "-".join(part for part in (country, region) if part),
                "" if country else ".none", far,
            )
            for atom, country, region in places
        ]  # fmt: skip

    def _other_reasons(self, facts: Facts) -> Iterator[Option]:
        for option in self._reasons:
            if option.parts[0][1] != facts.reason:
                yield option

    def _other_tiers(self, facts: Facts, tier: str) -> Iterator[Option]:
        for name in self._tiers:
            if name != tier:
                buyer = self.histories.of_tier(name, facts.buyer)
                yield _one(self._tier_atoms[name], "tier", {"buyer": buyer}, name)

    def _conditions(self, now: str | None) -> list[Option]:
        """Better conditions, the next better first; then saying nothing; then the others."""
        found = self._better.get(now)
        if found is None:
            here = _GRADES.index(now) if now in _GRADES else 0
            names: list[str | None] = [*reversed(_GRADES[:here]), None, *_GRADES[here:]]
            locate = self._axes.condition.locate
            found = [
                _one(locate(name), "condition", {"condition": name}, name or "unknown")
                for name in names
                if name != now
            ]
            if now is None or now in _GRADES:
                self._better[now] = found
        return found

    def _amounts(self, axis: str, facts: Facts, among: Collection[int] | None) -> Iterator[Option]:
        axes = self._axes.unit if axis == "unit_paid_minor" else self._axes.order
        least = facts.unit_paid_minor if axis == "order_paid_minor" else 0
        found = nearest(axes.get(facts.currency), getattr(facts, axis), among)
        if axis == "unit_paid_minor" and found:
            found = self._lifting(found, facts)
        for atom, number in found:
            if number < least:
                continue
            data = {axis: number}
            if axis == "unit_paid_minor":  # an order is worth at least what is in it
                data["order_paid_minor"] = max(facts.order_paid_minor, number)
            yield _one(atom, axis, data, str(number))

    def _lifting(self, found: list[tuple[int, int]], facts: Facts) -> list[tuple[int, int]]:
        """Also the dearer prices that lift the order, which is worth no less, into another part."""
        units, orders = self._axes.unit[facts.currency], self._axes.order.get(facts.currency)
        starts = [orders.bounds(n)[0] for n in range(orders.size)] if orders else []
        more = [
            (atom, start)
            for atom, number in found
            for start in starts
            if start > max(number, facts.order_paid_minor) and units.locate(start) == atom
        ]
        if not more:
            return found
        now = facts.unit_paid_minor
        return sorted([*found, *more], key=lambda pair: (abs(pair[1] - now), pair[1]))

    def _rollouts(self, facts: Facts) -> Iterator[Option]:
        now = PPM if facts.rollout_ppm is None else facts.rollout_ppm
        for atom, number in nearest(self._axes.rollout, now):
            value = number if number < PPM else None
            ending = "" if value is not None else ".none"
            yield _one(atom, "rollout_ppm", {"rollout_ppm": value}, "", ending)

    def _days(self, facts: Facts) -> list[Option]:
        """Other days of the order that rules can tell apart."""
        axis, now = self._axes.day, facts.placed_at
        here = axis.locate(now)
        found = []
        for atom in range(axis.size):
            low, high = axis.bounds(atom)
            placed = low if atom > here else high - SECOND if high else None
            if atom != here and placed is not None:
                data = placed_on(facts, placed)
                until = high or max(facts.asked_at, placed) + SECOND if atom > here else None
                shown = time_json(placed)
                found.append(Option(atom, ("placed_at",), data, (("change.placed_at", shown),), 0,
                                    until))  # fmt: skip
        return sorted(found, key=lambda option: abs(option.data["placed_at"] - now))

    def _words(self, axis: str, facts: Facts, among: Collection[int] | None) -> Iterator[Option]:
        words = self.words_of(axis)
        here = words.locate(getattr(facts, axis))
        for atom in range(words.size) if among is None else among:
            if atom != here:
                value = words.sample(atom)
                yield _one(atom, axis, {axis: value}, value or "", "" if value else ".none")

    def words_of(self, axis: str) -> WordAxis:
        """The axis of a fact that is a word."""
        return self._axes.channel if axis == "channel" else self._axes.words[axis]

    def _distinct_reasons(self, policy: Policy) -> list[Option]:
        """One reason for each set of rules, in the order of the catalogue."""
        axis = self._axes.reason
        masks = [self._axes.reason_mask(clause) for clause in policy.index.clauses]
        found: dict[object, Option] = {}
        for code in policy.world.reasons:
            atom = axis.locate(code)
            option = _one(atom, "reason", {"reason": code}, code)
            found.setdefault(tuple(mask >> atom & 1 for mask in masks), option)
        return list(found.values())

    def _named_places(self, policy: Policy) -> frozenset[int]:
        """Atoms of the places that the document names, and of one that it does not name."""
        document, world, axis = policy.document, policy.world, self._axes.place
        whens = [rule.when.place for rule in document.rules if rule.when.place]
        named = [name for place in whens for name in place.values]
        if not named:
            return frozenset()
        names = (*named, *document.markets)
        tokens = {token for name in names for token in world.groups.get(name, (name,))}
        parts = [token.partition("-") for token in tokens]
        atoms = {axis.locate(country, region or None) for country, _, region in parts}
        atoms |= {axis.locate(country, None) for country, _, _ in parts}
        return frozenset({0, *atoms})


def _one(
    atom: int, axis: str, data: dict[str, Any], shown: str, ending: str = "", far: int = 0
) -> Option:
    return Option(atom, (axis,), data, ((f"change.{axis}{ending}", shown),), far)


def nearest(
    axis: NumberAxis | None, now: int, among: Collection[int] | None = None
) -> list[tuple[int, int]]:
    """For every other atom the number that is closest to ``now``, the closest first."""
    if axis is None:
        return []
    here = axis.locate(now)
    found = [
        (atom, axis.bounds(atom)[0] if atom > here else axis.bounds(atom)[1])
        for atom in (range(axis.size) if among is None else among)
        if atom != here
    ]
    return sorted(found, key=lambda pair: (abs(pair[1] - now), pair[1]))
