"""The axes of the fact space that a set of conditions draws.

Owns ``Clause`` (the conditions of one rule or right), ``World`` (what conditions refer to by name)
and ``Axes``: every axis cut by all clauses, and the atoms that a clause takes. Refuses to own
matching (``index``) and single axes (``space``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from returns_api.domain.policy.conditions import Choice, DateRange, Range
from returns_api.domain.policy.document import GoodsGroup, When
from returns_api.domain.policy.space import (
    DayAxis,
    NumberAxis,
    PlaceAxis,
    WordAxis,
    limits,
)
from returns_api.domain.policy.vocabulary import UNKNOWN_CONDITION, Grade
from returns_api.domain.reasons import Reason

PRODUCT_WORDS: Final = ("sku", "category", "vendor")


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
