"""Single changes of a case: the moves that an explanation is made of.

Owns ``Situation`` (a case with what each axis makes of it, so that changing one fact costs one
look-up) and, for every axis, the values worth trying: one for each part of the axis that rules can
tell apart, the closest first. A change carries the new facts as data, so that anybody can apply it.
Refuses to own which changes help (``explain``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from returns_api.domain.policy.evaluate import Dates, Policy, Weighed
from returns_api.domain.policy.facts import Facts, fact_json, time_json
from returns_api.domain.policy.geometry import Geometry
from returns_api.domain.policy.index import PRODUCT_WORDS
from returns_api.domain.policy.space import NumberAxis, WordAxis
from returns_api.domain.policy.vocabulary import PPM, Grade, StartEvent

AXES: Final = (
    "asked_at", "reason", "condition", "tier", "order_paid_minor", "unit_paid_minor", "discounted",
    "tags", *PRODUCT_WORDS, "channel", "placed_at", "rollout_ppm", "place",
)  # fmt: skip
"""The order in which changes count as small: the buyer's doing, then the goods, then the place."""

BUYERS: Final = frozenset({"asked_at", "reason", "condition", "tier"})
GOODS: Final = frozenset({"tags", *PRODUCT_WORDS})

WITHOUT_RULES: Final = frozenset({"asked_at", "condition", "placed_at"})
"""Axes that change an outcome even where the same rules apply."""

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "asked_at": (),
    "order_paid_minor": ("order_value",),
    "unit_paid_minor": ("unit_price", "order_value"),
    "placed_at": ("placed",),
    "rollout_ppm": ("rollout",),
    "tags": ("tags", "goods"),
    **{name: (name, "goods") for name in PRODUCT_WORDS},
    **{name: (name,) for name in ("reason", "condition", "tier", "discounted", "channel", "place")},
}
"""The columns of the rule index that a change on an axis can move."""

_SECOND: Final = timedelta(seconds=1)
_BLANK: Final = datetime(2026, 1, 1, tzinfo=UTC)
_NAMES: Final = tuple(field.name for field in fields(Facts))
_ALL: Final = attrgetter(*_NAMES)
_INDEX: Final = {name: position for position, name in enumerate(_NAMES)}


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
        return "buyer" if self.axis in BUYERS else "item" if self.axis in GOODS else "order"


class TooMany(Exception):
    """The search looked at as many changes as it may."""


class Search:
    """What one search has tried, and how much it may still look at.

    ``grades``: the condition matters for itself, and not only where it is refused.
    """

    __slots__ = ("_dates", "_left", "_met", "_touchy", "grades")

    def __init__(self, moves: Moves, now: Situation, steps: int, *, grades: bool) -> None:
        self._dates = moves.dates_matter
        self._touchy = moves.touchy
        self._left = steps
        self.grades = grades
        self._met: set[object] = set()
        self.is_new(now.mask, now.facts, now.facts.condition)

    def spend(self) -> None:
        """Count one change looked at. Raises ``TooMany``."""
        self._left -= 1
        if self._left < 0:
            raise TooMany

    def is_new(self, mask: int, facts: Facts, condition: str | None) -> bool:
        """Whether no case with the same rules, condition and dates was tried before."""
        known = condition if self.grades or condition in self._touchy else None
        key = (mask, known, facts.placed_at if self._dates else None)
        if key in self._met:
            return False
        self._met.add(key)
        return True


class Situation:
    """A case and the rules that each of its facts allows."""

    __slots__ = ("_dates", "_mask", "_masks", "_policy", "facts", "tier")

    def __init__(
        self,
        policy: Policy,
        facts: Facts,
        tier: str,
        masks: tuple[int, ...],
        dates: Dates | None = None,
    ) -> None:
        self._policy = policy
        self.facts = facts
        self.tier = tier
        self._masks = masks
        self._mask: int | None = None
        self._dates = Dates() if dates is None else dates

    @staticmethod
    def of(policy: Policy, facts: Facts) -> Situation:
        """The situation of ``facts``."""
        tier = policy.tiers.of(facts.buyer)
        atom = policy.tier_atoms[tier]
        return Situation(policy, facts, tier, tuple(c(facts, atom) for c in policy.index.columns))

    @property
    def mask(self) -> int:
        """The rules and rights that apply."""
        if self._mask is None:
            self._mask = self._policy.index.meet(self._masks)
        return self._mask

    def weigh(self) -> Weighed:
        """What the policy makes of it."""
        return self._policy.weigh_at(self.facts, self.tier, self.mask, self._dates)

    def ends(self) -> list[datetime]:
        """When what is offered or granted closes, latest first."""
        return self._policy.ends(self.facts, self.tier, self.mask)

    def after(self, moved: tuple[int, ...], facts: Facts, tier: str | None = None) -> Situation:
        """The situation of ``facts``, which differ only in what the columns ``moved`` look at."""
        now = tier or self.tier
        old = self.facts
        same = facts.placed_at is old.placed_at and facts.asked_at is old.asked_at
        dates = self._dates if same else None
        if not moved:
            return Situation(self._policy, facts, now, self._masks, dates)
        atom = self._policy.tier_atoms[now]
        masks = list(self._masks)
        for position in moved:
            masks[position] = self._policy.index.columns[position](facts, atom)
        return Situation(self._policy, facts, now, tuple(masks), dates)

    def without(self, position: int) -> int:
        """The rules that all columns but one allow."""
        masks = self._masks
        return self._policy.index.meet(masks[:position] + masks[position + 1 :])

    def seen(self, moved: tuple[int, ...]) -> tuple[int, ...]:
        """What the columns ``moved`` allow: all that rules can tell of a change."""
        return tuple(self._masks[position] for position in moved)


def changed(facts: Facts, **values: Any) -> Facts:
    """A copy with other values; quicker than ``dataclasses.replace``."""
    found = list(_ALL(facts))
    for name, value in values.items():
        found[_INDEX[name]] = value
    return Facts(*found)


class Moves:
    """All single changes of cases of one policy.

    Most axes have one column of the rule index each. For those, ``_tables`` holds the rules that
    each value allows, so that a value which changes nothing is passed over without building a case.
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._policy = geometry.policy
        self._axes = geometry.axes
        index = self._policy.index
        self._at = {name: position for position, name in enumerate(index.names)}
        self.columns: dict[str, tuple[int, ...]] = {
            axis: tuple(self._at[name] for name in moved if name in self._at)
            for axis, moved in _COLUMNS.items()
        }
        self.useful = tuple(a for a in AXES if self.columns[a] or a in WITHOUT_RULES)
        """The axes on which a change can matter at all."""
        self.touchy = frozenset(
            grade.value
            for rule in self._policy.document.rules
            for grade, share in (rule.grades.items if rule.grades else ())
            if share is None
        )
        self.dates_matter = any(
            item.event is StartEvent.PLACED
            for starts in (
                *(rule.starts for rule in self._policy.document.rules),
                *(right.starts for right in self._policy.rights),
            )
            for item in (starts.items if starts else ())
        )
        self._reasons = self._distinct_reasons()
        self._places = self._named_places()
        self._grouped = self._grouped_tags()
        self._tables = {axis: self._table(axis) for axis in self.useful}
        reachable = geometry.mask(geometry.universe, "tier")
        atoms = self._policy.tier_atoms
        self._tiers = [name for name in self._policy.tiers.names if reachable >> atoms[name] & 1]

    def on(
        self, axis: str, now: Situation, search: Search, *, last: bool
    ) -> Iterator[tuple[Change, Situation]]:
        """Changes on one axis, the closest first.

        The ``last`` change of a case is left out where it leads to the same rules and dates as one
        tried before; earlier ones are told apart by what their own columns make of them. Raises
        ``TooMany``.
        """
        if axis == "asked_at":
            yield from self._asked(now)
        elif last:
            yield from self._last(axis, now, search)
        else:
            yield from self._first(axis, now, search)

    def _first(
        self, axis: str, now: Situation, search: Search
    ) -> Iterator[tuple[Change, Situation]]:
        moved = self.columns[axis]
        met = {now.seen(moved)}
        for value in self._values(axis, now):
            search.spend()
            change, after = self._apply(axis, value, now)
            seen = after.seen(moved)
            if axis in WITHOUT_RULES or seen not in met:
                met.add(seen)
                yield change, after

    def _last(
        self, axis: str, now: Situation, search: Search
    ) -> Iterator[tuple[Change, Situation]]:
        table, moved = self._tables[axis], self.columns[axis]
        if table is None or (axis == "placed_at" and self.dates_matter):
            yield from self._last_built(axis, now, search)
            return
        facts, total = now.facts, now.mask
        rest = now.without(moved[0]) if moved else total
        for value in self._values(axis, now):
            search.spend()
            if moved:
                total = rest & table[self._atom(axis, value)]
            if search.is_new(total, facts, value if axis == "condition" else facts.condition):
                yield self._apply(axis, value, now)

    def _last_built(
        self, axis: str, now: Situation, search: Search
    ) -> Iterator[tuple[Change, Situation]]:
        """Where several columns move at once, the case has to be built to see what it meets."""
        for value in self._values(axis, now):
            search.spend()
            change, after = self._apply(axis, value, now)
            if search.is_new(after.mask, after.facts, after.facts.condition):
                yield change, after

    def _table(self, axis: str) -> Mapping[Any, int] | None:
        """Per value (or atom) of an axis the rules it allows; None where columns interact."""
        moved = self.columns[axis]
        if axis in {"asked_at", "tags"} or len(moved) > 1:
            return None
        if not moved:
            return {}
        column = self._policy.index.columns[moved[0]]
        blank = Facts("", self._policy.world.home, _BLANK, _BLANK)
        found: dict[Any, int] = {}
        for key, facts, tier in self._samples(axis, blank):
            found[key] = column(facts, tier)
        return found

    def _samples(self, axis: str, blank: Facts) -> Iterator[tuple[Any, Facts, int]]:
        """For every key of a table a case that shows it."""
        if axis == "tier":
            for name, atom in self._policy.tier_atoms.items():
                yield name, blank, atom
        elif axis in {"unit_paid_minor", "order_paid_minor"}:
            for currency, numbers in self._numbers(axis).items():
                for atom in range(numbers.size):
                    values = {axis: numbers.bounds(atom)[0], "currency": currency}
                    yield (currency, atom), changed(blank, **values), 0
        elif axis == "rollout_ppm":
            for atom in range(self._axes.rollout.size):
                low = self._axes.rollout.bounds(atom)[0]
                place = low if low < PPM else None
                yield atom, changed(blank, rollout_ppm=place), 0
        elif axis == "placed_at":
            for atom in range(self._axes.day.size):
                first, after = self._axes.day.bounds(atom)
                at = first or (after - _SECOND if after else _BLANK)
                yield atom, changed(blank, placed_at=at), 0
        else:
            yield from self._word_samples(axis, blank)

    def _word_samples(self, axis: str, blank: Facts) -> Iterator[tuple[Any, Facts, int]]:
        if axis == "reason":
            for code in self._policy.world.reasons:
                yield code, changed(blank, reason=code), 0
        elif axis == "condition":
            for name in (None, *(grade.value for grade in Grade)):
                yield name, changed(blank, condition=name), 0
        elif axis == "discounted":
            for value in (False, True):
                yield value, changed(blank, discounted=value), 0
        elif axis == "place":
            for atom in range(self._axes.place.size):
                country, region = self._axes.place.sample(atom)
                yield atom, changed(blank, country=country, region=region), 0
        else:
            words = self._words(axis)
            for atom in range(words.size):
                yield atom, changed(blank, **{axis: words.sample(atom)}), 0

    def _words(self, axis: str) -> WordAxis:
        return self._axes.channel if axis == "channel" else self._axes.words[axis]

    def _numbers(self, axis: str) -> Mapping[str, NumberAxis]:
        return self._axes.unit if axis == "unit_paid_minor" else self._axes.order

    def _atom(self, axis: str, value: Any) -> Any:
        """The key of a value in its table."""
        if axis == "place":
            return self._axes.place.locate(*value)
        if axis == "placed_at":
            return self._axes.day.locate(value)
        return value[0] if isinstance(value, tuple) else value

    def _values(self, axis: str, now: Situation) -> Iterator[Any]:
        """The values worth trying on an axis, the closest first, without the present one."""
        facts = now.facts
        if axis == "reason":
            yield from (code for code in self._reasons if code != facts.reason)
        elif axis == "condition":
            yield from _conditions(facts.condition)
        elif axis == "tier":
            yield from (name for name in self._tiers if name != now.tier)
        elif axis in {"unit_paid_minor", "order_paid_minor"}:
            numbers = self._numbers(axis).get(facts.currency)
            least = facts.unit_paid_minor if axis == "order_paid_minor" else 0
            for atom, number in _nearest(numbers, getattr(facts, axis)):
                if number >= least:
                    yield (facts.currency, atom), number
        elif axis == "rollout_ppm":
            place = PPM if facts.rollout_ppm is None else facts.rollout_ppm
            yield from _nearest(self._axes.rollout, place)
        elif axis == "discounted":
            yield not facts.discounted
        elif axis == "placed_at":
            yield from self._days(facts)
        elif axis == "place":
            yield from self._countries(facts)
        elif axis == "tags":
            yield from sorted(self._axes.tags, key=lambda tag: tag not in facts.tags)
        else:
            words = self._words(axis)
            here = words.locate(getattr(facts, axis))
            yield from ((atom, words.sample(atom)) for atom in range(words.size) if atom != here)

    def _apply(self, axis: str, value: Any, now: Situation) -> tuple[Change, Situation]:
        """The change of one axis to a value, and the situation after it."""
        facts, moved = now.facts, self.columns[axis]
        if axis == "tier":
            buyer = self._geometry.buyer_of(value, facts.buyer)
            change = Change("tier", {"buyer": fact_json(buyer)}, "change.tier", value)
            return change, now.after(moved, changed(facts, buyer=buyer), value)
        if axis == "tags":
            present = value in facts.tags
            tags = facts.tags - {value} if present else facts.tags | {value}
            key = "change.tags.removed" if present else "change.tags.added"
            change = Change("tags", {"tags": sorted(tags)}, key, value)
            columns = moved if value in self._grouped else moved[:1]
            return change, now.after(columns, changed(facts, tags=tags))
        data, key, shown = self._setting(axis, value, facts)
        plain = {name: fact_json(found) for name, found in data.items()}
        return Change(axis, plain, key, shown), now.after(moved, changed(facts, **data))

    def _setting(self, axis: str, value: Any, facts: Facts) -> tuple[dict[str, Any], str, str]:
        """The facts that a change sets, the phrase for it and what the phrase shows."""
        key = f"change.{axis}"
        if axis in {"unit_paid_minor", "order_paid_minor"}:
            data: dict[str, Any] = {axis: value[1]}
            if axis == "unit_paid_minor":  # an order is worth at least what is in it
                data["order_paid_minor"] = max(facts.order_paid_minor, value[1])
            return data, key, str(value[1])
        if axis == "place":
            shown = "-".join(part for part in value if part)
            data = {"country": value[0], "region": value[1]}
            return data, key if value[0] else f"{key}.none", shown
        if axis == "discounted":
            return {axis: value}, f"{key}.{'true' if value else 'false'}", ""
        if axis in {"reason", "condition", "placed_at"}:
            shown = time_json(value) if axis == "placed_at" else value or "unknown"
            return {axis: value}, key, shown
        found = value[1]
        if axis == "rollout_ppm":
            found = found if found < PPM else None
        shown = found if isinstance(found, str) else ""
        return {axis: found}, key if found is not None else f"{key}.none", shown

    def _asked(self, now: Situation) -> Iterator[tuple[Change, Situation]]:
        """Just in time for each window that is over: the last one first."""
        for over in now.ends():
            if over <= now.facts.asked_at:
                asked = over - _SECOND
                text = time_json(asked)
                change = Change("asked_at", {"asked_at": text}, "change.asked_at", text)
                yield change, now.after((), changed(now.facts, asked_at=asked))

    def _days(self, facts: Facts) -> list[datetime]:
        """Other days of the order that rules can tell apart, not after what came later."""
        known = (facts.fulfilled_at, facts.delivered_at, facts.asked_at)
        bound = min(instant for instant in known if instant is not None)
        now, cuts = facts.placed_at, self._axes.day.cuts
        times = {cut - _SECOND for cut in cuts if cut <= now} | {c for c in cuts if now < c}
        found = sorted(times, key=lambda time: abs(time - now))
        return [placed for placed in found if placed <= bound]

    def _countries(self, facts: Facts) -> list[tuple[str | None, str | None]]:
        """Places that the document itself speaks of: of the same country first, then others."""
        axis = self._axes.place
        here = axis.locate(facts.country, facts.region)
        places = [axis.sample(atom) for atom in self._places if atom != here]
        return sorted(places, key=lambda p: (p[0] != facts.country, p[0] is None))

    def _distinct_reasons(self) -> list[str]:
        """One reason for each set of rules, in the order of the catalogue."""
        axis = self._axes.reason
        masks = [self._axes.reason_mask(clause) for clause in self._policy.index.clauses]
        found: dict[object, str] = {}
        for code in self._policy.world.reasons:
            atom = axis.locate(code)
            found.setdefault(tuple(mask >> atom & 1 for mask in masks), code)
        return list(found.values())

    def _named_places(self) -> list[int]:
        """Atoms of the places that the document names, and of one that it does not name."""
        document, world = self._policy.document, self._policy.world
        whens = [rule.when.place for rule in document.rules if rule.when.place]
        named = [name for place in whens for name in place.values]
        if not named:
            return []
        names = (*named, *document.markets)
        tokens = {token for name in names for token in world.groups.get(name, (name,))}
        parts = [token.partition("-") for token in tokens]
        atoms = {self._axes.place.locate(country, region or None) for country, _, region in parts}
        atoms |= {self._axes.place.locate(country, None) for country, _, _ in parts}
        return sorted({0, *atoms})

    def _grouped_tags(self) -> frozenset[str]:
        """Tags that put a product into a goods group."""
        groups = self._policy.document.goods.values()
        return frozenset(tag for group in groups for tag in group.tags)


def _conditions(now: str | None) -> list[str | None]:
    """Better conditions, the next better first; then saying nothing; then the others."""
    order = [grade.value for grade in Grade]
    here = order.index(now) if now in order else 0
    names: list[str | None] = [*reversed(order[:here]), None, *order[here:]]
    return [name for name in names if name != now]


def _nearest(axis: NumberAxis | None, now: int) -> list[tuple[int, int]]:
    """For every other atom the number that is closest to ``now``, the closest first."""
    if axis is None:
        return []
    here = axis.locate(now)
    found = [
        (atom, axis.bounds(atom)[0] if atom > here else axis.bounds(atom)[1])
        for atom in range(axis.size)
        if atom != here
    ]
    return sorted(found, key=lambda pair: (abs(pair[1] - now), pair[1]))


def moment(text: str) -> datetime:
    """An instant from the data of a change."""
    return datetime.fromisoformat(text)
