"""The smallest single change, found with a few set operations.

A change of one fact can only help where it brings in a rule that is good for the target, or takes
away the rule that decides badly. Which rules one fact alone keeps away follows from how many
columns of the index block each of them, counted for all rules at once. Axes that move no such rule
are passed over without a look at their values. Refuses to own several changes (``search``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from returns_api.domain.policy.axes import PRODUCT_WORDS, Clause, dates_of, places_of
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.facts import Facts, time_json
from returns_api.domain.policy.flips.changes import AXES, Option, changed
from returns_api.domain.policy.flips.goals import Goal
from returns_api.domain.policy.flips.needs import Need, Needs
from returns_api.domain.policy.flips.situation import (
    Situation,
    in_time,
    placed_later,
)
from returns_api.domain.policy.flips.values import Values
from returns_api.domain.policy.vocabulary import Grade
from returns_api.domain.policy.weighed import Dates

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "order_paid_minor": ("order_value",),
    "unit_paid_minor": ("unit_price", "order_value"),
    "placed_at": ("placed",),
    "rollout_ppm": ("rollout",),
    "tags": ("tags", "goods"),
    **{name: (name, "goods") for name in PRODUCT_WORDS},
    **{name: (name,) for name in ("reason", "condition", "tier", "discounted", "channel", "place")},
}
"""The columns of the rule index that a change on an axis can move."""

_MANY: Final = frozenset({"order_paid_minor", "unit_paid_minor", *PRODUCT_WORDS, "channel"})
"""Axes that can have very many parts."""

_SEEN: Final = frozenset({"reason", "condition", "placed_at"})
"""Facts that matter for a decision even where the rules that apply are known."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A goal, the rule that has to go, and the rules of which one could come instead (bits)."""

    goal: Goal
    bad: int
    missing: int
    always: bool

    def reachable(self, mask: int) -> bool:
        """Whether the goal can be reached where the rules in ``mask`` apply."""
        return bool(self.always or self.bad & ~mask or self.missing & mask)


class Singles:
    """Single changes of cases of one policy."""

    def __init__(self, policy: Policy, needs: Needs, values: Values) -> None:
        self._policy = policy
        self._needs = needs
        self._values = values
        index = policy.index
        at = {name: position for position, name in enumerate(index.names)}
        self._everything = [index.meet(())] * (len(Grade) + 1)
        self._plan: list[tuple[str, tuple[int, ...], int]] = []
        for axis in AXES:
            columns = tuple(at[name] for name in COLUMNS.get(axis, ()) if name in at)
            if columns or axis == "condition":
                asking = sum(
                    1 << n
                    for n, clause in enumerate(index.clauses)
                    if any(_asks(clause, index.names[column]) for column in columns)
                )
                self._plan.append((axis, columns, asking))

    def find(self, target: str, goal: Goal, now: Situation) -> Option | None:
        """The smallest single change that reaches ``goal``; None where there is none."""
        need = self._needs.of(target, now.weighed, now.mask, now.facts)
        rights = self._needs.cures.rights(target, now.facts.condition)
        if (need is not None and need.late) or (rights and now.lapsed() & rights):
            asked = in_time(self._policy, now.facts, (now.tier, now.mask), goal, now.dates)
            if asked is not None:
                text = time_json(asked)
                return Option(0, ("asked_at",), {"asked_at": asked}, (("change.asked_at", text),))
        return self._by_rules(need, rights, goal, now)

    def _by_rules(
        self, need: Need | None, rights: int, goal: Goal, now: Situation
    ) -> Option | None:
        always = need is None or need.late
        bad, good = (need.bad, need.good | rights) if need is not None else (0, rights)
        graded = need is not None and need.graded
        missing = good & ~now.mask
        once, twice = now.blocked() if missing else (0, 0)
        once, twice = once & missing, twice & missing
        wanted = Wanted(goal, bad, missing, always)
        for axis, columns, asking in self._plan:
            if (
                always
                or bad & asking
                or (graded and axis == "condition")
                or ((once or twice) and _kept_away(once, twice, columns, now.masks))
            ):
                found = self._on(axis, columns, wanted, now)
                if found is not None:
                    return found
        return None

    def _on(
        self, axis: str, columns: tuple[int, ...], wanted: Wanted, now: Situation
    ) -> Option | None:
        """The closest value on one axis that reaches the goal."""
        table = self._table(axis, columns, now.facts.currency)
        rest = now.without(columns) if columns else now.mask
        if table is None:
            return self._among(axis, columns, rest, wanted, now)
        hits = None
        if axis in _MANY and not wanted.always:
            bad, missing = wanted.bad, wanted.missing & rest
            hits = [n for n, allowed in enumerate(table) if bad & ~allowed or missing & allowed]
        met = set()
        for option in self._values.on(axis, now.facts, now.tier, hits):
            mask = rest & table[option.atom]
            if axis != "condition":
                if mask in met or not wanted.reachable(mask):
                    continue
                met.add(mask)
            facts = changed(now.facts, option.data) if axis in _SEEN else now.facts
            tier = option.parts[0][1] if axis == "tier" else now.tier
            reached = self._reached(option, facts, tier, mask, wanted, now)
            if reached is not None:
                return reached
        return None

    def _among(
        self, axis: str, columns: tuple[int, ...], rest: int, wanted: Wanted, now: Situation
    ) -> Option | None:
        """The same where several columns move at once, so that each case has to be built."""
        met = {now.mask}
        for option in self._options(axis, now):
            facts = changed(now.facts, option.data)
            mask = rest & self._allowed(columns, facts, now.tier)
            if mask not in met and wanted.reachable(mask):
                reached = self._reached(option, facts, now.tier, mask, wanted, now)
                if reached is not None:
                    return reached
            met.add(mask)
        return None

    def _reached(
        self, option: Option, facts: Facts, tier: str, mask: int, wanted: Wanted, now: Situation
    ) -> Option | None:
        """The option, or a later day in its part of the axis; None where the goal is missed."""
        dates = Dates() if option.axes == ("placed_at",) else now.dates
        weighed = self._policy.weigh_at(facts, tier, mask, dates)
        if wanted.goal(weighed, facts):
            return option
        if option.until is None:
            return None
        return placed_later(self._policy, now.facts, option, (tier, mask), wanted.goal)

    def _options(self, axis: str, now: Situation) -> Iterator[Option]:
        if axis == "tags":
            yield from (self._values.tag(tag, now.facts) for tag in self._values.tags(now.facts))
        else:
            yield from self._values.on(axis, now.facts, now.tier)

    def _table(self, axis: str, columns: tuple[int, ...], currency: str) -> Sequence[int] | None:
        """Per atom of an axis the rules that it allows; None where several columns move."""
        if axis == "tags" or len(columns) > 1:
            return None
        if not columns:
            return self._everything
        name = self._policy.index.names[columns[0]]
        if name != COLUMNS[axis][0]:
            return None
        tables = self._policy.index.tables
        return tables.get((name, None)) or tables.get((name, currency))

    def _allowed(self, columns: tuple[int, ...], facts: Facts, tier: str) -> int:
        atom = self._policy.tier_atoms[tier]
        return self._policy.index.meet(
            self._policy.index.columns[column](facts, atom) for column in columns
        )


def _asks(clause: Clause, column: str) -> bool:
    """Whether a clause has a condition that a column of the index looks at."""
    if column == "reason":
        return clause.when.reason is not None or clause.when.fault is not None
    if column == "place":
        return bool(places_of(clause))
    if column == "placed":
        return bool(dates_of(clause))
    if column == "informed":
        return clause.informed is not None
    return getattr(clause.when, column) is not None


def _kept_away(once: int, twice: int, columns: tuple[int, ...], masks: Sequence[int]) -> int:
    """Of the rules that one or two columns block those that none but ``columns`` blocks."""
    if not columns:
        return 0
    first = masks[columns[0]]
    if len(columns) == 1:
        return once & ~first
    second = masks[columns[1]]
    return once & ~(first & second) | twice & ~first & ~second
