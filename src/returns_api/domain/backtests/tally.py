"""Counting over a history: small whatever its length, mergeable, stored and gone on with.

Owns the groupings, the most affected returns and the report. Refuses to own the comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from returns_api.domain.backtests.compare import Compared, Turn, granted
from returns_api.domain.backtests.history import NONE, PastLine
from returns_api.domain.policy import Weighed

SHOWN_MAX: Final = 10
"""Most affected returns that a report names."""
GROUPS_MAX: Final = 20_000
"""Names that one grouping keeps apart; later ones go under ``OTHER``."""
GROUPS_SHOWN: Final = 100
"""Groups of one grouping that a report shows, the most affected first."""
OTHER: Final = "(other)"
DIFFERING_MAX: Final = 10
"""Returns that did not replay which a report names."""
NOT_OFFERED: Final = "resolution_not_offered"
"""Something is granted, but not the resolution that was asked for."""
FORMAT: Final = "returns-backtest/1"
GROUPINGS: Final = ("reason", "tier", "country", "sku")


@dataclass(slots=True)
class Group:
    """Counts of one group: lines by turn, money by currency."""

    lines: int = 0
    turns: dict[str, int] = field(default_factory=dict)
    money: dict[str, int] = field(default_factory=dict)

    def add(self, turn: Turn, delta: int, currency: str) -> None:
        self.lines += 1
        if turn is not Turn.SAME:
            self.turns[turn] = self.turns.get(turn, 0) + 1
        if delta:
            self.money[currency] = self.money.get(currency, 0) + delta

    def merge(self, other: Mapping[str, Any]) -> None:
        self.lines += other["lines"]
        _add(self.turns, other["turns"])
        _add(self.money, other["money"])

    def to_json(self) -> dict[str, Any]:
        turns = {str(turn): number for turn, number in self.turns.items()}
        return {"lines": self.lines, "turns": turns, "money": dict(self.money)}

    @property
    def weight(self) -> int:
        """How much it is affected, for the order of a report."""
        moved = sum(abs(minor) for minor in self.money.values())
        return moved * 1_000 + sum(self.turns.values())


class Tally:
    """What was counted over a history so far."""

    def __init__(self) -> None:
        self.returns = 0
        self.replayed = 0
        self.differing = 0
        self.differing_returns: list[str] = []
        self.changes: dict[str, int] = {}
        self.paid_more: dict[str, int] = {}
        self.paid_less: dict[str, int] = {}
        self.whole = Group()
        self.groups: dict[str, dict[str, Group]] = {name: {} for name in GROUPINGS}
        self.top: list[dict[str, Any]] = []

    def add(self, one: Compared, *, replayed: bool | None = None) -> None:
        """Count one return; ``replayed``: whether the old policy gave the stored decision again."""
        self.returns += 1
        if replayed:
            self.replayed += 1
        elif replayed is not None:
            self.differing += 1
            self._differ([one.past.name])
        turned = False
        for position, line in enumerate(one.past.lines):
            turn, delta = one.turns[position], one.deltas[position]
            currency = line.facts.currency
            self.whole.add(turn, delta, currency)
            for grouping, name in _names(line, one.before[position].tier):
                self._group(grouping, name).add(turn, delta, currency)
            if delta:
                side = self.paid_more if delta > 0 else self.paid_less
                side[currency] = side.get(currency, 0) + abs(delta)
            for name in one.changes[position]:
                self.changes[name] = self.changes.get(name, 0) + 1
            turned = turned or turn is not Turn.SAME
        if turned and self._ranks(one):
            self._keep([_shown(one)])

    def merge(self, stored: Mapping[str, Any]) -> None:
        """Add what another tally counted, in the form of ``to_json``."""
        self.returns += stored["returns"]
        self.replayed += stored["replayed"]
        self.differing += stored["differing"]
        self._differ(stored["differing_returns"])
        _add(self.changes, stored["changes"])
        _add(self.paid_more, stored["paid_more"])
        _add(self.paid_less, stored["paid_less"])
        self.whole.merge(stored["whole"])
        for grouping, groups in stored["groups"].items():
            for name, group in groups.items():
                self._group(grouping, name).merge(group)
        self._keep(stored["top"])

    def to_json(self) -> dict[str, Any]:
        """Everything, so that counting can go on elsewhere."""
        return {
            "returns": self.returns,
            "replayed": self.replayed,
            "differing": self.differing,
            "differing_returns": list(self.differing_returns),
            "changes": dict(self.changes),
            "paid_more": dict(self.paid_more),
            "paid_less": dict(self.paid_less),
            "whole": self.whole.to_json(),
            "groups": {
                grouping: {name: group.to_json() for name, group in groups.items()}
                for grouping, groups in self.groups.items()
            },
            "top": list(self.top),
        }

    def report(self) -> dict[str, Any]:
        """What somebody wants to know, the most affected first."""
        turns = self.whole.turns
        return {
            "format": FORMAT,
            "returns": self.returns,
            "lines": self.whole.lines,
            "replayed": self.replayed,
            "differing": self.differing,
            "differing_returns": list(self.differing_returns),
            "flipped": turns.get("opened", 0) + turns.get("closed", 0),
            "turns": {
                turn.value: turns.get(turn.value, 0) for turn in Turn if turn is not Turn.SAME
            },
            "changes": dict(sorted(self.changes.items())),
            "money": {
                currency: {
                    "more_minor": self.paid_more.get(currency, 0),
                    "less_minor": self.paid_less.get(currency, 0),
                    "net_minor": self.whole.money.get(currency, 0),
                }
                for currency in sorted({*self.paid_more, *self.paid_less})
            },
            "by": {name: _shown_groups(groups) for name, groups in self.groups.items()},
            "most_affected": list(self.top),
        }

    def _group(self, grouping: str, name: str) -> Group:
        groups = self.groups[grouping]
        found = groups.get(name)
        if found is None:
            if len(groups) >= GROUPS_MAX:
                name = OTHER
            found = groups.setdefault(name, Group())
        return found

    def _differ(self, names: Iterable[str]) -> None:
        self.differing_returns = sorted([*self.differing_returns, *names])[:DIFFERING_MAX]

    def _ranks(self, one: Compared) -> bool:
        """Whether it would be among the most affected."""
        if len(self.top) < SHOWN_MAX:
            return True
        flips = sum(turn is Turn.OPENED or turn is Turn.CLOSED for turn in one.turns)
        return (-abs(one.delta_minor), -flips, one.past.name) < _rank(self.top[-1])

    def _keep(self, found: Iterable[dict[str, Any]]) -> None:
        """The most affected, in an order that does not depend on how the history was cut."""
        self.top = sorted([*self.top, *found], key=_rank)[:SHOWN_MAX]


def _add(mine: dict[str, int], theirs: Mapping[str, int]) -> None:
    for name, number in theirs.items():
        mine[name] = mine.get(name, 0) + number


def _names(line: PastLine, tier: str) -> tuple[tuple[str, str], ...]:
    facts = line.facts
    return (
        ("reason", facts.reason),
        ("tier", tier),
        ("country", facts.country or NONE),
        ("sku", facts.sku or NONE),
    )


def _rank(shown: Mapping[str, Any]) -> tuple[int, int, str]:
    flips = sum(line["turn"] in {Turn.OPENED, Turn.CLOSED} for line in shown["lines"])
    return (-abs(shown["delta_minor"]), -flips, str(shown["return"]))


def _shown(one: Compared) -> dict[str, Any]:
    return {
        "return": one.past.name,
        "currency": one.past.lines[0].facts.currency,
        "delta_minor": one.delta_minor,
        "lines": [
            {
                "sku": line.facts.sku,
                "reason": line.facts.reason,
                "turn": turn.value,
                "delta_minor": delta,
                "before": _outcome(one, old),
                "after": _outcome(one, new),
            }
            for line, turn, delta, old, new in zip(
                one.past.lines, one.turns, one.deltas, one.before, one.after, strict=True
            )
        ][:SHOWN_MAX],
    }


def _outcome(one: Compared, judged: Weighed) -> dict[str, Any]:
    """Whether what was asked for is granted; if not, who says so."""
    if granted(one.past, judged):
        return {"granted": True, "because": []}
    because = [{"code": b.code, "rule": b.rule} for b in judged.because]
    return {"granted": False, "because": because or [{"code": NOT_OFFERED, "rule": None}]}


def _shown_groups(groups: Mapping[str, Group]) -> list[dict[str, Any]]:
    ranked = sorted(groups.items(), key=lambda item: (-item[1].weight, item[0]))
    return [{"name": name, **group.to_json()} for name, group in ranked[:GROUPS_SHOWN]]
