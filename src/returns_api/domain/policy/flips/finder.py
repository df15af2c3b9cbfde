"""The way to the smallest change: one fact first, then the whole space.

Owns ``Flips`` and what one search teaches the next about the same policy. Refuses to own sentences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from returns_api.domain.policy.boxes import TooLarge
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.flips.changes import Change, Option, written_one
from returns_api.domain.policy.flips.goals import goal_of
from returns_api.domain.policy.flips.ground import Ground
from returns_api.domain.policy.flips.needs import Needs
from returns_api.domain.policy.flips.search import Search, TooMany
from returns_api.domain.policy.flips.singles import Singles
from returns_api.domain.policy.flips.situation import Situation
from returns_api.domain.policy.flips.values import Values

MAX_STEPS: Final = 20_000
"""Parts of the fact space that one search may look at."""

KNOWN: Final = 4_096
"""What earlier searches taught, before it is emptied."""

_NEVER: Final = 99
_PLAIN: Final = frozenset({"reason", "condition"})
"""Facts with few values, whose changes depend on nothing else."""


@dataclass(frozen=True, slots=True)
class Found:
    """The smallest changes. Without any: ``proven`` says that none can exist."""

    changes: tuple[Change, ...] = ()
    proven: bool = True


class Flips:
    """Smallest changes of the cases of one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._needs = Needs(policy)
        self._values = Values(policy)
        self._singles = Singles(policy, self._needs, self._values)
        self._ground: Ground | None = None
        self._changes: dict[tuple[str, str], tuple[Change, ...]] = {}
        self._known: dict[tuple[object, ...], int] = {}

    def smallest(self, target: str, now: Situation) -> Found:
        """The smallest changes of ``now`` that reach ``target``."""
        key = self._place_of(target, now)
        farther = self._known.get(key, 0)
        if farther == _NEVER:
            return Found()
        if not farther:
            option = self._singles.find(target, goal_of(target), now)
            if option is not None:
                return Found(self._written(option))
        try:
            return self._searched(target, now, key, farther)
        except (TooMany, TooLarge):
            return Found(proven=False)

    def _written(self, option: Option) -> tuple[Change, ...]:
        """A change of one fact; the same for all cases where it is a plain word."""
        if option.axes[0] not in _PLAIN:
            return written_one(option)
        found = self._changes.get(option.parts[0])
        if found is None:
            found = self._changes[option.parts[0]] = written_one(option)
        return found

    def _searched(
        self, target: str, now: Situation, key: tuple[object, ...], farther: int
    ) -> Found:
        if self._ground is None:
            self._ground = Ground(self._policy, self._values)
        search = Search(self._ground, self._needs, target, farther)
        changes = search.run(now.facts, now.tier, MAX_STEPS)
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known[key] = _NEVER if changes is None else search.far
        return Found(changes or ())

    def _place_of(self, target: str, now: Situation) -> tuple[object, ...]:
        """What decides whether any change near the case helps: all else can be changed."""
        facts = now.facts
        place = self._policy.index.axes.place.locate(facts.country, facts.region)
        zone = self._policy.zone_of(facts)
        return target, facts.currency, facts.informed, place, zone
