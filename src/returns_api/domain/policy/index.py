"""Rules compiled for matching: facts in, the set of rules that apply out, as bits of one integer.

For every axis of the fact space a table holds, per atom, the rules that allow it. Matching looks up
one entry per axis and intersects them, so its cost hardly depends on the number of rules. Merchant
rules come first (bit = position in the document), rights of the law after them. Owns compilation
and matching; refuses to own what the rules say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from returns_api.domain.policy.axes import (
    PRODUCT_WORDS,
    Axes,
    Clause,
    World,
    dates_of,
    places_of,
)
from returns_api.domain.policy.columns import (
    Column,
    GoodsColumn,
    TagColumn,
    day_column,
    flag_column,
    flag_mask,
    money_column,
    place_column,
    rollout_column,
    tier_column,
    word_column,
)
from returns_api.domain.policy.conditions import Choice, Range
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.space import NumberAxis, WordAxis


class RuleIndex:
    """Compiled clauses. ``match`` gives the set of clauses that apply to facts."""

    def __init__(self, clauses: Sequence[Clause], world: World) -> None:
        self.clauses = tuple(clauses)
        self.axes = Axes(clauses, world)
        self._all = (1 << len(clauses)) - 1
        self.tables: dict[tuple[str, str | None], list[int]] = {}
        """Per axis (and currency) the clauses that each atom allows, where any clause asks."""
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

    def _one(
        self,
        name: str,
        size: int,
        allow: Callable[[Clause], int | None],
        make: Callable[[list[int]], Column],
    ) -> Iterable[tuple[str, Column]]:
        """The column of an axis, and its table kept; none when no clause asks anything of it."""
        table = self._table(size, allow)
        if table:
            self.tables[name, None] = table
            yield name, make(table)

    def _scalar_columns(self) -> Iterable[tuple[str, Column]]:
        axes = self.axes
        yield from self._one(
            "reason", axes.reason.size, axes.reason_mask,
            lambda table: word_column("reason", axes.reason, table),
        )  # fmt: skip
        yield from self._one(
            "condition", axes.condition.size,
            lambda c: axes.condition_mask(c.when.condition) if c.when.condition else None,
            lambda table: word_column("condition", axes.condition, table),
        )  # fmt: skip
        yield from self._one(
            "tier", axes.tier.size,
            lambda c: axes.tier_mask(c.when.tier) if c.when.tier else None, tier_column,
        )  # fmt: skip
        yield from self._one(
            "channel", axes.channel.size,
            lambda c: axes.channel.mask(c.when.channel) if c.when.channel else None,
            lambda table: word_column("channel", axes.channel, table),
        )  # fmt: skip
        yield from self._one(
            "place", axes.place.size, self._place_mask,
            lambda table: place_column(axes.place, table),
        )  # fmt: skip
        yield from self._one(
            "placed", axes.day.size, self._day_mask, lambda table: day_column(axes.day, table)
        )
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
        yield from self._one(
            "discounted", 2, lambda c: flag_mask(c.when.discounted),
            lambda table: flag_column("discounted", table),
        )  # fmt: skip
        yield from self._one(
            "informed", 2, lambda c: flag_mask(c.informed),
            lambda table: flag_column("informed", table),
        )  # fmt: skip
        axis = self.axes.rollout
        yield from self._one(
            "rollout", axis.size,
            lambda c: axis.mask(0, c.when.rollout - 1) if c.when.rollout is not None else None,
            lambda table: rollout_column(axis, table),
        )  # fmt: skip

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
                    self.tables[name, currency] = table
            if tables:
                asking = sum(
                    1 << n for n, c in enumerate(self.clauses) if getattr(c.when, name) is not None
                )
                known = frozenset(axes)
                yield name, money_column(attribute, tables, self._all, self._all & ~asking, known)

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
            make = partial(word_column, name, axis)
            yield from self._one(name, axis.size, self._word_allow(name, axis), make)
        if self.axes.tags and any(c.when.tags for c in self.clauses):
            yield "tags", TagColumn(self.clauses, self.axes.tags, self._all)
        if any(c.when.goods for c in self.clauses):
            yield "goods", GoodsColumn(self.clauses, self.axes, self._all)

    def _word_allow(self, name: str, axis: WordAxis) -> Callable[[Clause], int | None]:
        def allow(clause: Clause) -> int | None:
            choice: Choice | None = getattr(clause.when, name)
            return axis.mask(choice) if choice else None

        return allow
