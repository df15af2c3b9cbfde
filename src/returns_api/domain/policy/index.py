"""Rules compiled for matching: facts in, the set of rules that apply out, as bits of one integer.

For every axis of the fact space a table holds, per atom, the rules that allow it. Matching looks up
one entry per axis and intersects them, so its cost hardly depends on the number of rules. Merchant
rules come first (bit = position in the document), rights of the law after them. Owns compilation
and matching; refuses to own what the rules say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from returns_api.domain.policy.conditions import Choice, DateRange, Range
from returns_api.domain.policy.document import GoodsGroup, TierRule, When
from returns_api.domain.policy.facts import BuyerHistory, Facts
from returns_api.domain.policy.space import (
    DayAxis,
    NumberAxis,
    PlaceAxis,
    WordAxis,
    limits,
)
from returns_api.domain.policy.vocabulary import DEFAULT_TIER, PPM, UNKNOWN_CONDITION, Grade
from returns_api.domain.reasons import Reason

CACHE: Final = 8_192
"""Entries of a lookup table that grows with use, before it is emptied."""

HISTORY: Final = (
    "orders_kept", "returns", "return_rate", "clawbacks", "chargebacks", "account_days",
)  # fmt: skip
"""What a tier can ask of a buyer; ``return_rate`` is ``BuyerHistory.return_rate_ppm``."""

PRODUCT_WORDS: Final = ("sku", "category", "vendor")
Column = Callable[[Facts, int], int]
"""Facts and the number of the buyer's tier in; the rules that this axis allows out."""


@dataclass(frozen=True, slots=True)
class Clause:
    """The conditions of one rule or right. ``dates`` and ``places`` must all hold."""

    when: When
    dates: tuple[DateRange, ...] = ()
    places: tuple[Choice, ...] = ()
    informed: bool | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What conditions refer to by name."""

    currencies: tuple[str, ...]
    zone: ZoneInfo
    groups: Mapping[str, Sequence[str]]
    goods: Mapping[str, GoodsGroup]
    reasons: Mapping[str, Reason]
    tiers: tuple[str, ...]
    markets: tuple[str, ...] = ()

    @property
    def home(self) -> str:
        """The currency of amounts that name none."""
        return self.currencies[0]


class Axes:
    """All axes of a set of clauses."""

    def __init__(self, clauses: Sequence[Clause], world: World) -> None:
        self.world = world
        whens = [clause.when for clause in clauses]
        self.reason = WordAxis(world.reasons)
        self.condition = WordAxis([grade.value for grade in Grade])
        self.tier = WordAxis(world.tiers)
        self.channel = WordAxis.of(w.channel for w in whens if w.channel)
        self.words = {name: self._words(name, whens) for name in PRODUCT_WORDS}
        named = (n for c in clauses for choice in places_of(c) for n in choice.values)
        self.place = PlaceAxis([*named, *world.markets], world.groups)
        self.day = DayAxis((d for c in clauses for d in dates_of(c)), world.zone)
        self.rollout = NumberAxis(w.rollout for w in whens if w.rollout is not None)
        self.unit = {c: self._money("unit_price", c, whens) for c in world.currencies}
        self.order = {c: self._money("order_value", c, whens) for c in world.currencies}
        self.tags = tuple(sorted({tag for w in whens for tag in _tags_of(w, world.goods)}))

    def _words(self, name: str, whens: Sequence[When]) -> WordAxis:
        used = {goods for w in whens if w.goods for goods in w.goods.values}
        groups = [g for key, g in self.world.goods.items() if key in used]
        mentioned = [v for g in groups for v in getattr(g, name)]
        choices: Iterable[Choice] = (c for w in whens if (c := getattr(w, name)))
        return WordAxis([*mentioned, *(v for c in choices for v in c.values)])

    def _money(self, name: str, currency: str, whens: Sequence[When]) -> NumberAxis:
        cuts: list[int] = []
        for when in whens:
            found: Range | None = getattr(when, name)
            edges = limits(found, currency, self.world.home) if found else None
            if edges:
                cuts += [edges[0], edges[1] + 1]
        return NumberAxis(cuts)

    def reason_mask(self, clause: Clause) -> int:
        """Atoms of the reason axis that a clause takes, by reason and by fault."""
        mask = self.reason.full
        when = clause.when
        if when.reason:
            known = tuple(v for v in when.reason.values if v in self.world.reasons)
            taken = self.reason.mask(Choice(known))
            mask &= self.reason.full & ~taken if when.reason.negated else taken
        if when.fault:
            faults = set(when.fault.values)
            codes = tuple(
                code
                for code, reason in self.world.reasons.items()
                if (reason.fault.value in faults) != when.fault.negated
            )
            mask &= self.reason.mask(Choice(codes))
        return mask

    def condition_mask(self, choice: Choice) -> int:
        """Atoms of the condition axis; ``unknown`` is atom 0, the missing value."""
        named = tuple(value for value in choice.values if value != UNKNOWN_CONDITION)
        mask = self.condition.mask(Choice(named)) | (UNKNOWN_CONDITION in choice.values)
        return self.condition.full & ~mask if choice.negated else mask

    def tier_mask(self, choice: Choice) -> int:
        """Atoms of the tier axis; names of tiers that do not exist take nothing."""
        known = tuple(value for value in choice.values if value in self.world.tiers)
        mask = self.tier.mask(Choice(known))
        return self.tier.full & ~mask if choice.negated else mask

    def money_mask(self, axis: NumberAxis, found: Range, currency: str) -> int:
        """Atoms of a money axis; nothing where the range names no amount in the currency."""
        edges = limits(found, currency, self.world.home)
        return axis.mask(*edges) if edges else 0


def places_of(clause: Clause) -> tuple[Choice, ...]:
    """All conditions on the place."""
    return (*clause.places, clause.when.place) if clause.when.place else clause.places


def dates_of(clause: Clause) -> tuple[DateRange, ...]:
    """All conditions on the day of the order."""
    return (*clause.dates, clause.when.placed) if clause.when.placed else clause.dates


def _tags_of(when: When, goods: Mapping[str, GoodsGroup]) -> list[str]:
    found = list(when.tags.values) if when.tags else []
    for name in when.goods.values if when.goods else ():
        found += goods[name].tags if name in goods else ()
    return found


class RuleIndex:
    """Compiled clauses. ``match`` gives the set of clauses that apply to facts."""

    def __init__(self, clauses: Sequence[Clause], world: World) -> None:
        self.clauses = tuple(clauses)
        self.axes = Axes(clauses, world)
        self._all = (1 << len(clauses)) - 1
        named = tuple(self._build())
        self.names = tuple(name for name, _ in named)
        """The axes that some clause asks about, one for each column."""
        self.columns = tuple(column for _, column in named)

    def match(self, facts: Facts, tier: int) -> int:
        """Bits of the clauses whose conditions all hold; ``tier`` is an atom of the tier axis."""
        mask = self._all
        for column in self.columns:
            mask &= column(facts, tier)
        return mask

    def meet(self, masks: Iterable[int]) -> int:
        """The clauses that all of ``masks`` allow."""
        found = self._all
        for mask in masks:
            found &= mask
        return found

    def _table(self, size: int, allow: Callable[[Clause], int | None]) -> list[int] | None:
        """Per atom the clauses that allow it; None when no clause asks anything of the axis."""
        table, asked = [self._all] * size, False
        for position, clause in enumerate(self.clauses):
            mask = allow(clause)
            if mask is None or mask == (1 << size) - 1:
                continue
            asked = True
            for atom in range(size):
                if not mask >> atom & 1:
                    table[atom] &= ~(1 << position)
        return table if asked else None

    def _build(self) -> Iterable[tuple[str, Column]]:
        yield from self._scalar_columns()
        yield from self._money_columns()
        yield from self._product_columns()

    def _scalar_columns(self) -> Iterable[tuple[str, Column]]:
        axes = self.axes
        reason = self._table(axes.reason.size, axes.reason_mask)
        if reason:
            yield "reason", _word_column("reason", axes.reason, reason)
        condition = self._table(
            axes.condition.size,
            lambda c: axes.condition_mask(c.when.condition) if c.when.condition else None,
        )
        if condition:
            yield "condition", _word_column("condition", axes.condition, condition)
        tier = self._table(
            axes.tier.size, lambda c: axes.tier_mask(c.when.tier) if c.when.tier else None
        )
        if tier:
            yield "tier", _tier_column(tier)
        channel = self._table(
            axes.channel.size,
            lambda c: axes.channel.mask(c.when.channel) if c.when.channel else None,
        )
        if channel:
            yield "channel", _word_column("channel", axes.channel, channel)
        place = self._table(axes.place.size, self._place_mask)
        if place:
            yield "place", _place_column(axes.place, place)
        day = self._table(axes.day.size, self._day_mask)
        if day:
            yield "placed", _day_column(axes.day, day)
        yield from self._flag_columns()

    def _place_mask(self, clause: Clause) -> int:
        mask = self.axes.place.full
        for choice in places_of(clause):
            mask &= self.axes.place.mask(choice)
        return mask

    def _day_mask(self, clause: Clause) -> int:
        mask = self.axes.day.full
        for found in dates_of(clause):
            mask &= self.axes.day.mask(found)
        return mask

    def _flag_columns(self) -> Iterable[tuple[str, Column]]:
        discounted = self._table(2, lambda c: _flag_mask(c.when.discounted))
        if discounted:
            yield "discounted", _flag_column("discounted", discounted)
        informed = self._table(2, lambda c: _flag_mask(c.informed))
        if informed:
            yield "informed", _flag_column("informed", informed)
        axis = self.axes.rollout
        rollout = self._table(
            axis.size,
            lambda c: axis.mask(0, c.when.rollout - 1) if c.when.rollout is not None else None,
        )
        if rollout:
            yield "rollout", _rollout_column(axis, rollout)

    def _money_columns(self) -> Iterable[tuple[str, Column]]:
        for name, attribute, axes in (
            ("unit_price", "unit_paid_minor", self.axes.unit),
            ("order_value", "order_paid_minor", self.axes.order),
        ):
            tables: dict[str, tuple[NumberAxis, list[int]]] = {}
            for currency, axis in axes.items():
                table = self._table(axis.size, self._money_allow(name, axis, currency))
                if table:
                    tables[currency] = (axis, table)
            if tables:
                asking = sum(
                    1 << n for n, c in enumerate(self.clauses) if getattr(c.when, name) is not None
                )
                known = frozenset(axes)
                yield name, _money_column(attribute, tables, self._all, self._all & ~asking, known)

    def _money_allow(
        self, name: str, axis: NumberAxis, currency: str
    ) -> Callable[[Clause], int | None]:
        def allow(clause: Clause) -> int | None:
            found: Range | None = getattr(clause.when, name)
            return self.axes.money_mask(axis, found, currency) if found else None

        return allow

    def _product_columns(self) -> Iterable[tuple[str, Column]]:
        for name in PRODUCT_WORDS:
            axis = self.axes.words[name]
            table = self._table(axis.size, self._word_allow(name, axis))
            if table:
                yield name, _word_column(name, axis, table)
        if self.axes.tags and any(c.when.tags for c in self.clauses):
            yield "tags", _TagColumn(self.clauses, self.axes.tags, self._all)
        if any(c.when.goods for c in self.clauses):
            yield "goods", _GoodsColumn(self.clauses, self.axes, self._all)

    def _word_allow(self, name: str, axis: WordAxis) -> Callable[[Clause], int | None]:
        def allow(clause: Clause) -> int | None:
            choice: Choice | None = getattr(clause.when, name)
            return axis.mask(choice) if choice else None

        return allow


def _flag_mask(flag: bool | None) -> int | None:
    return None if flag is None else 2 if flag else 1


def _tier_column(table: list[int]) -> Column:
    return lambda _, tier: table[tier]


def _place_column(axis: PlaceAxis, table: list[int]) -> Column:
    return lambda facts, _: table[axis.locate(facts.country, facts.region)]


def _day_column(axis: DayAxis, table: list[int]) -> Column:
    return lambda facts, _: table[axis.locate(facts.placed_at)]


def _flag_column(name: str, table: list[int]) -> Column:
    return lambda facts, _: table[getattr(facts, name)]


def _rollout_column(axis: NumberAxis, table: list[int]) -> Column:
    """A guest has no place in roll-outs: behind the last one."""
    return lambda facts, _: table[
        axis.locate(PPM if facts.rollout_ppm is None else facts.rollout_ppm)
    ]


def _word_column(name: str, axis: WordAxis, table: list[int]) -> Column:
    """A column over a text fact, with the tables of values that were met before."""
    met: dict[str | None, int] = {}

    def column(facts: Facts, _: int) -> int:
        value: str | None = getattr(facts, name)
        mask = met.get(value)
        if mask is None:
            if len(met) >= CACHE:
                met.clear()
            mask = met[value] = table[axis.locate(value)]
        return mask

    return column


def _money_column(
    attribute: str,
    tables: Mapping[str, tuple[NumberAxis, list[int]]],
    everything: int,
    without: int,
    known: frozenset[str],
) -> Column:
    """A column over an amount; in a currency the policy does not know, no range holds."""

    def column(facts: Facts, _: int) -> int:
        found = tables.get(facts.currency)
        if found is None:
            return everything if facts.currency in known else without
        axis, table = found
        return table[axis.locate(getattr(facts, attribute))]

    return column


class _TagColumn:
    """The rules allowed by the tags of a product."""

    def __init__(self, clauses: Sequence[Clause], tags: tuple[str, ...], everything: int) -> None:
        self._clauses = [(n, c.when.tags) for n, c in enumerate(clauses) if c.when.tags]
        self._known = frozenset(tags)
        self._everything = everything
        self._met: dict[frozenset[str], int] = {}

    def __call__(self, facts: Facts, _: int) -> int:
        present = facts.tags & self._known
        mask = self._met.get(present)
        if mask is None:
            if len(self._met) >= CACHE:
                self._met.clear()
            mask = self._met[present] = self._compute(present)
        return mask

    def _compute(self, present: frozenset[str]) -> int:
        mask = self._everything
        for position, choice in self._clauses:
            if not choice.holds(present):
                mask &= ~(1 << position)
        return mask


class _GoodsColumn:
    """The rules allowed by the goods groups that a product belongs to."""

    def __init__(self, clauses: Sequence[Clause], axes: Axes, everything: int) -> None:
        self._clauses = [(n, c.when.goods) for n, c in enumerate(clauses) if c.when.goods]
        self._everything = everything
        names = {name for _, choice in self._clauses for name in choice.values}
        self._groups = {name: axes.world.goods[name] for name in names if name in axes.world.goods}
        self._bit = {name: 1 << n for n, name in enumerate(sorted(self._groups))}
        self._tables = [
            (name, axes.words[name], self._members(name, axes)) for name in PRODUCT_WORDS
        ]
        self._tags: dict[str, int] = {}
        for name, group in self._groups.items():
            for tag in group.tags:
                self._tags[tag] = self._tags.get(tag, 0) | self._bit[name]
        self._met: dict[int, int] = {}

    def _members(self, name: str, axes: Axes) -> list[int]:
        axis = axes.words[name]
        table = [0] * axis.size
        for group, parts in self._groups.items():
            mask = axis.mask(Choice(getattr(parts, name)))
            for atom in range(axis.size):
                if mask >> atom & 1:
                    table[atom] |= self._bit[group]
        return table

    def __call__(self, facts: Facts, _: int) -> int:
        groups = 0
        for name, axis, table in self._tables:
            if axis.size > 1:
                groups |= table[axis.locate(getattr(facts, name))]
        for tag in facts.tags:
            groups |= self._tags.get(tag, 0)
        mask = self._met.get(groups)
        if mask is None:
            if len(self._met) >= CACHE:
                self._met.clear()
            mask = self._met[groups] = self._compute(groups)
        return mask

    def _compute(self, groups: int) -> int:
        present = frozenset(name for name, bit in self._bit.items() if bit & groups)
        mask = self._everything
        for position, choice in self._clauses:
            if not choice.holds(present):
                mask &= ~(1 << position)
        return mask


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
        """The tier of a buyer with this history."""
        for parts, name in self._tiers:
            for attribute, low, high in parts:
                if not low <= getattr(buyer, attribute) <= high:
                    break
            else:
                return name
        return DEFAULT_TIER
