"""Single changes of a case: the moves that an explanation is made of.

Owns, for every axis, the values worth trying: one for each part of the axis that rules can tell
apart, the closest first. A change carries the new facts as data, so that anybody can apply it.
Refuses to own which changes help (``explain``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from returns_api.domain.policy.facts import Facts, fact_json, time_json
from returns_api.domain.policy.geometry import Geometry
from returns_api.domain.policy.index import PRODUCT_WORDS
from returns_api.domain.policy.space import NumberAxis
from returns_api.domain.policy.vocabulary import PPM, Grade

AXES: Final = (
    "asked_at", "reason", "condition", "tier", "order_paid_minor", "unit_paid_minor", "discounted",
    "tags", *PRODUCT_WORDS, "channel", "placed_at", "rollout_ppm", "place",
)  # fmt: skip
"""The order in which changes count as small: the buyer's doing, then the goods, then the place."""

BUYERS: Final = frozenset({"asked_at", "reason", "condition", "tier"})
ORDERS: Final = frozenset(
    {"order_paid_minor", "unit_paid_minor", "discounted", "placed_at", "rollout_ppm", "channel",
     "place"}
)  # fmt: skip

_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Change:
    """One change: ``facts`` are the facts it sets, as plain data.

    ``key`` names the phrase for it and ``shown`` is the value in that phrase, before translation.
    """

    axis: str
    facts: Mapping[str, Any]
    key: str
    shown: str

    @property
    def kind(self) -> str:
        """Whose doing it is: ``buyer``, ``order`` or ``item``."""
        return "buyer" if self.axis in BUYERS else "order" if self.axis in ORDERS else "item"


Move = tuple[Change, Facts]
"""A change and the case after it."""


class Moves:
    """All single changes of cases of one policy."""

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._policy = geometry.policy
        self._axes = geometry.axes
        self._makers: dict[str, Callable[[Facts], Iterator[Move]]] = {
            "asked_at": self._asked,
            "reason": self._reason,
            "condition": self._condition,
            "tier": self._tier,
            "order_paid_minor": self._order,
            "unit_paid_minor": self._unit,
            "discounted": self._discounted,
            "placed_at": self._placed,
            "rollout_ppm": self._rollout,
            "channel": self._channel,
            "place": self._place,
            "tags": self._tags,
            **{name: self._word_maker(name) for name in PRODUCT_WORDS},
        }
        self._reasons = self._distinct_reasons()
        self._places = self._named_places()

    def on(self, axis: str, facts: Facts) -> Iterator[Move]:
        """Changes of ``facts`` on one axis, the closest first."""
        return self._makers[axis](facts)

    def _named_places(self) -> list[int]:
        """Atoms of the places that the document names, and of one that it does not name."""
        document, world = self._policy.document, self._policy.world
        named = [
            name for rule in document.rules if rule.when.place for name in rule.when.place.values
        ]
        if not named:
            return []
        tokens = {
            token
            for name in (*named, *document.markets)
            for token in world.groups.get(name, (name,))
        }
        parts = (token.partition("-") for token in tokens)
        atoms = {self._axes.place.locate(country, region or None) for country, _, region in parts}
        countries = {token.partition("-")[0] for token in tokens}
        return sorted({0, *atoms, *(self._axes.place.locate(name, None) for name in countries)})

    def _distinct_reasons(self) -> list[tuple[str, object]]:
        """One reason for each set of rules, in the order of the catalogue, with that set."""
        axis = self._axes.reason
        masks = [self._axes.reason_mask(clause) for clause in self._policy.index.clauses]
        found: dict[object, str] = {}
        for code in self._policy.world.reasons:
            atom = axis.locate(code)
            found.setdefault(tuple(mask >> atom & 1 for mask in masks), code)
        return [(code, signature) for signature, code in found.items()]

    def _asked(self, facts: Facts) -> Iterator[Move]:
        """Just in time for each window that is over: the last one first."""
        for over in self._policy.ends(facts):
            if over <= facts.asked_at:
                asked = over - _SECOND
                change = {"asked_at": time_json(asked)}
                yield (
                    Change("asked_at", change, "change.asked_at", time_json(asked)),
                    replace(facts, asked_at=asked),
                )

    def _reason(self, facts: Facts) -> Iterator[Move]:
        for code, _ in self._reasons:
            if code != facts.reason:
                yield (
                    Change("reason", {"reason": code}, "change.reason", code),
                    replace(facts, reason=code),
                )

    def _condition(self, facts: Facts) -> Iterator[Move]:
        """Better conditions, the next better first; then saying nothing; then the others."""
        order = list(Grade)
        now = order.index(Grade(facts.condition)) if facts.condition in set(order) else 0
        names: list[str | None] = [grade.value for grade in reversed(order[:now])]
        names += [None, *(grade.value for grade in order[now:])]
        for name in names:
            if name != facts.condition:
                yield (
                    Change("condition", {"condition": name}, "change.condition", name or "unknown"),
                    replace(facts, condition=name),
                )

    def _tier(self, facts: Facts) -> Iterator[Move]:
        now = self._policy.tiers.of(facts.buyer)
        reachable = self._geometry.mask(self._geometry.universe, "tier")
        for name in self._policy.tiers.names:
            if name != now and reachable >> self._axes.tier.locate(name) & 1:
                buyer = self._geometry.buyer_of(name, facts.buyer)
                yield (
                    Change("tier", {"buyer": fact_json(buyer)}, "change.tier", name),
                    replace(facts, buyer=buyer),
                )

    def _order(self, facts: Facts) -> Iterator[Move]:
        axis = self._axes.order.get(facts.currency)
        for value in _nearest(axis, facts.order_paid_minor):
            if value >= facts.unit_paid_minor:
                yield (
                    Change("order_paid_minor", {"order_paid_minor": value},
                           "change.order_paid_minor", str(value)),
                    replace(facts, order_paid_minor=value),
                )  # fmt: skip

    def _unit(self, facts: Facts) -> Iterator[Move]:
        """Another price; the order is worth at least as much."""
        axis = self._axes.unit.get(facts.currency)
        for value in _nearest(axis, facts.unit_paid_minor):
            order = max(facts.order_paid_minor, value)
            change = {"unit_paid_minor": value, "order_paid_minor": order}
            yield (
                Change("unit_paid_minor", change, "change.unit_paid_minor", str(value)),
                replace(facts, unit_paid_minor=value, order_paid_minor=order),
            )

    def _discounted(self, facts: Facts) -> Iterator[Move]:
        value = not facts.discounted
        key = "change.discounted.true" if value else "change.discounted.false"
        yield (
            Change("discounted", {"discounted": value}, key, ""),
            replace(facts, discounted=value),
        )

    def _placed(self, facts: Facts) -> Iterator[Move]:
        """Other days of the order that rules can tell apart, not after what came later."""
        known = (facts.fulfilled_at, facts.delivered_at, facts.asked_at)
        bound = min(instant for instant in known if instant is not None)
        now = facts.placed_at
        cuts = self._axes.day.cuts
        times = {cut - _SECOND for cut in cuts if cut <= now} | {c for c in cuts if now < c}
        for placed in sorted(times, key=lambda time: abs(time - now)):
            if placed <= bound:
                change = {"placed_at": time_json(placed)}
                yield (
                    Change("placed_at", change, "change.placed_at", time_json(placed)),
                    replace(facts, placed_at=placed.astimezone(UTC)),
                )

    def _rollout(self, facts: Facts) -> Iterator[Move]:
        axis = self._axes.rollout
        now = PPM if facts.rollout_ppm is None else facts.rollout_ppm
        for value in _nearest(axis, now):
            place = value if value < PPM else None
            key = "change.rollout_ppm" if place is not None else "change.rollout_ppm.none"
            yield (
                Change("rollout_ppm", {"rollout_ppm": place}, key, ""),
                replace(facts, rollout_ppm=place),
            )

    def _channel(self, facts: Facts) -> Iterator[Move]:
        axis = self._axes.channel
        yield from self._words("channel", axis.size, axis.locate(facts.channel), axis.sample, facts)

    def _word_maker(self, name: str) -> Callable[[Facts], Iterator[Move]]:
        axis = self._axes.words[name]

        def maker(facts: Facts) -> Iterator[Move]:
            now = axis.locate(getattr(facts, name))
            yield from self._words(name, axis.size, now, axis.sample, facts)

        return maker

    def _words(
        self, name: str, size: int, now: int, sample: Callable[[int], str | None], facts: Facts
    ) -> Iterator[Move]:
        for atom in range(size):
            if atom != now:
                value = sample(atom)
                key = f"change.{name}" if value is not None else f"change.{name}.none"
                change = {name: value}
                yield Change(name, change, key, value or ""), replace(facts, **change)  # type: ignore[arg-type]

    def _place(self, facts: Facts) -> Iterator[Move]:
        """Places that the document itself speaks of: of the same country first, then others."""
        axis = self._axes.place
        now = axis.locate(facts.country, facts.region)
        places = [axis.sample(atom) for atom in self._places if atom != now]
        for country, region in sorted(places, key=lambda p: (p[0] != facts.country, p[0] is None)):
            shown = "-".join(part for part in (country, region) if part)
            key = "change.place" if country else "change.place.none"
            yield (
                Change("place", {"country": country, "region": region}, key, shown),
                replace(facts, country=country, region=region),
            )

    def _tags(self, facts: Facts) -> Iterator[Move]:
        for tag in self._axes.tags:
            present = tag in facts.tags
            tags = facts.tags - {tag} if present else facts.tags | {tag}
            key = "change.tags.removed" if present else "change.tags.added"
            yield (
                Change("tags", {"tags": sorted(tags)}, key, tag),
                replace(facts, tags=frozenset(tags)),
            )


def _nearest(axis: NumberAxis | None, now: int) -> list[int]:
    """For every other atom the number that is closest to ``now``, the closest first."""
    if axis is None:
        return []
    here = axis.locate(now)
    found = [
        axis.bounds(atom)[0] if atom > here else axis.bounds(atom)[1]
        for atom in range(axis.size)
        if atom != here
    ]
    return sorted(found, key=lambda value: (abs(value - now), value))


def moment(text: str) -> datetime:
    """An instant from the data of a change."""
    return datetime.fromisoformat(text)
