"""Columns of the rule index: from one fact to the rules that it allows.

Owns the look-ups, with the values that were met before. Refuses to own the tables behind them
(``index``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from returns_api.domain.policy.axes import PRODUCT_WORDS, Axes, Clause
from returns_api.domain.policy.conditions import Choice
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.space import DayAxis, NumberAxis, PlaceAxis, WordAxis
from returns_api.domain.policy.vocabulary import PPM

CACHE: Final = 8_192
"""Entries of a lookup table that grows with use, before it is emptied."""

Column = Callable[[Facts, int], int]
"""Facts and the number of the buyer's tier in; the rules that this axis allows out."""


def flag_mask(flag: bool | None) -> int | None:
    return None if flag is None else 2 if flag else 1


def tier_column(table: list[int]) -> Column:
    return lambda _, tier: table[tier]


def place_column(axis: PlaceAxis, table: list[int]) -> Column:
    return lambda facts, _: table[axis.locate(facts.country, facts.region)]


def day_column(axis: DayAxis, table: list[int]) -> Column:
    return lambda facts, _: table[axis.locate(facts.placed_at)]


def flag_column(name: str, table: list[int]) -> Column:
    return lambda facts, _: table[getattr(facts, name)]


def rollout_column(axis: NumberAxis, table: list[int]) -> Column:
    """A guest has no place in roll-outs: behind the last one."""
    return lambda facts, _: table[
        axis.locate(PPM if facts.rollout_ppm is None else facts.rollout_ppm)
    ]


def word_column(name: str, axis: WordAxis, table: list[int]) -> Column:
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


def money_column(
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


class TagColumn:
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


class GoodsColumn:
    """The rules allowed by the goods groups that a product belongs to."""

    def __init__(self, clauses: Sequence[Clause], axes: Axes, everything: int) -> None:
        self._clauses = [(n, c.when.goods) for n, c in enumerate(clauses) if c.when.goods]
        self._everything = everything
        names = {name for _, choice in self._clauses for name in choice.values}
        self._groups = {name: axes.world.goods[name] for name in names if name in axes.world.goods}
        self._bit = {name: 1 << n for n, name in enumerate(sorted(self._groups))}
        self._words = [
            word_column(name, axes.words[name], members)
            for name in PRODUCT_WORDS
            if any(members := self._members(name, axes))
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
        for column in self._words:
            groups |= column(facts, 0)
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
