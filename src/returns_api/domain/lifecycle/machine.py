"""What a transition table is, and the one function that reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from returns_api.domain.errors import ActionNotAllowed


class Actor(StrEnum):
    """Who acts. ``system`` acts for deadlines and for facts that arrive from outside."""

    BUYER = "buyer"
    AGENT = "agent"
    WAREHOUSE = "warehouse"
    FINANCE = "finance"
    ADMIN = "admin"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Rule:
    """One allowed transition. ``to`` names every state that can follow, the usual one first."""

    by: frozenset[Actor]
    to: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True)
class Machine:
    """The whole life of one kind of object. ``terminal`` states are never left."""

    name: str
    initial: tuple[str, ...]
    terminal: frozenset[str]
    rules: Mapping[tuple[str, str], Rule]

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, in the order in which the table first names it."""
        seen = dict.fromkeys(self.initial)
        for (state, _), rule in self.rules.items():
            seen.setdefault(state)
            seen.update(dict.fromkeys(rule.to))
        return tuple(seen)

    @property
    def actions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(action for _, action in self.rules))

    def allowed(self, state: str, actor: Actor) -> tuple[str, ...]:
        """The actions that ``actor`` may take in ``state``."""
        return tuple(a for (s, a), rule in self.rules.items() if s == state and actor in rule.by)

    def require(self, state: str, action: str, actor: Actor) -> Rule:
        """The rule for ``action``.

        Raises:
            ActionNotAllowed: the pair is not in the table, or not for this actor.
        """
        rule = self.rules.get((state, action))
        if rule is None or actor not in rule.by:
            raise ActionNotAllowed(
                f"'{action}' is not possible for {actor} while the {self.name} is '{state}'.",
                object=self.name,
                state=state,
                action=action,
                allowed=list(self.allowed(state, actor)),
            )
        return rule

    def step(self, state: str, action: str, actor: Actor, to: str | None = None) -> str:
        """The state that follows; ``to`` picks one where several can.

        Raises:
            ActionNotAllowed: the pair is not in the table, or not for this actor.
        """
        rule = self.require(state, action, actor)
        following = to or rule.to[0]
        if following not in rule.to:
            raise ValueError(f"{self.name}: {state} -{action}-> {following} is not in the table")
        return following

    def faults(self) -> Iterator[str]:
        """What is wrong with the table itself; nothing for a sound one."""
        reached, new = set[str](), set(self.initial)
        while new:
            reached |= new
            new = {to for (s, _), r in self.rules.items() if s in reached for to in r.to} - reached
        for state in self.states:
            if state not in reached:
                yield f"{self.name}: '{state}' cannot be reached"
            left = any(s == state for s, _ in self.rules)
            if left and state in self.terminal:
                yield f"{self.name}: '{state}' is terminal and has a way out"
            if not left and state not in self.terminal:
                yield f"{self.name}: '{state}' has no way out and is not terminal"
        for unknown in sorted(self.terminal - set(self.states)):
            yield f"{self.name}: there is no state '{unknown}'"
        for (state, action), rule in self.rules.items():
            if not rule.by or not rule.to:
                yield f"{self.name}: '{action}' in '{state}' is for nobody or leads nowhere"


def rule(by: Iterable[Actor], *to: str, meaning: str) -> Rule:
    """Shorthand for the tables."""
    return Rule(frozenset(by), to, meaning)
