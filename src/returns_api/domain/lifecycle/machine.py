"""What a transition table is, and the one function that reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """The whole life of one kind of object."""

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

    def step(self, state: str, action: str, actor: Actor, to: str | None = None) -> str:
        """The state that follows; ``to`` picks one where several can.

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
        following = to or rule.to[0]
        if following not in rule.to:
            raise ValueError(f"{self.name}: {state} -{action}-> {following} is not in the table")
        return following


def rule(by: Iterable[Actor], *to: str, meaning: str) -> Rule:
    """Shorthand for the tables."""
    return Rule(frozenset(by), to, meaning)
