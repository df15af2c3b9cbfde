"""What the rights of a law grant, begun on the days of a case.

Owns the plans of rights, their beginnings on the days that were met, and which of them are still
open at a moment. Refuses to own what follows from that (``evaluate``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from returns_api.domain.calendars import local_date
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.offers import Dated, Grants, Plan
from returns_api.domain.policy.space import bits

CACHE: Final = 16_384
"""Entries of each table of remembered results, before it is emptied."""

Begin = Callable[[Plan, Facts, ZoneInfo, dict[str, date]], Dated]


@dataclass(slots=True, eq=False)
class Begun:
    """Rights begun on one day, by number. Between two ends of windows nothing changes, so what is
    open is made out once for each such time."""

    rights: tuple[tuple[int, Dated], ...]
    edges: list[datetime] = field(init=False)
    _known: dict[int, tuple[Grants, int]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        overs = {over for _, dated in self.rights for over in dated.overs}
        self.edges = sorted(over for over in overs if over is not None)

    def at(self, now: datetime) -> tuple[Grants, int]:
        """What is granted at ``now``, and the rights that are over (bits)."""
        span = bisect_right(self.edges, now)
        known = self._known.get(span)
        if known is None:
            found = [(n, dated, dated.open_at(now)) for n, dated in self.rights]
            known = self._known[span] = (
                tuple((dated, is_open) for _, dated, is_open in found if is_open),
                sum(1 << n for n, _, is_open in found if not is_open),
            )
        return known


@dataclass(frozen=True, slots=True)
class _Granting:
    """The rights of one set that grant something, and the one fact that all count from."""

    plans: tuple[tuple[int, Plan], ...]
    common: str | None


class Granting:
    """The plans of all rights of a policy, by number."""

    def __init__(self, plans: Sequence[Plan], begin: Begin) -> None:
        self.plans = tuple(plans)
        self._begin = begin
        self._sets: dict[int, _Granting] = {}
        self._met: dict[tuple[int, date, ZoneInfo], Begun] = {}

    def begun(self, rights: int, facts: Facts, zone: ZoneInfo, days: dict[str, date]) -> Begun:
        """The rights in ``rights`` that grant something, begun on the days of a case.

        ``days`` are local days of the case's events; those that are needed are added.
        """
        granting = self._sets.get(rights) or self._set(rights)
        name = granting.common
        instant: datetime | None = getattr(facts, name) if name is not None else None
        if name is None or instant is None:
            return self._all(granting, facts, zone, days)
        day = days.get(name)
        if day is None:
            day = days[name] = local_date(instant, zone)
        key = (rights, day, zone)
        found = self._met.get(key)
        if found is None:
            if len(self._met) >= CACHE:
                self._met.clear()
            found = self._met[key] = self._all(granting, facts, zone, days)
        return found

    def forget(self) -> None:
        """Empty every table that grows with the days that were met."""
        self._met.clear()
        for plan in self.plans:
            plan.dated.clear()

    def _all(
        self, granting: _Granting, facts: Facts, zone: ZoneInfo, days: dict[str, date]
    ) -> Begun:
        return Begun(
            tuple([(n, self._begin(plan, facts, zone, days)) for n, plan in granting.plans])
        )

    def _set(self, rights: int) -> _Granting:
        if len(self._sets) >= CACHE:
            self._sets.clear()
        plans = tuple((n, self.plans[n]) for n in bits(rights) if self.plans[n].windows)
        names = {plan.first for _, plan in plans}
        common = names.pop() if len(names) == 1 else None
        found = self._sets[rights] = _Granting(plans, common)
        return found
