"""What a transition table is, and the functions that read it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from returns_api.domain.errors import ActionNotAllowed


class Actor(StrEnum):
    """Who acts. ``system`` acts for deadlines and for facts that arrive from outside."""

    BUYER = "buyer"
    AGENT = "agent"
    WAREHOUSE = "warehouse"
    FINANCE = "finance"
    ADMIN = "admin"
    PLATFORM = "platform"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Rule:
    """One allowed transition. ``to`` names every state that can follow, the usual one first."""

    by: frozenset[Actor]
    to: tuple[str, ...]
    meaning: str
    when: str | None = None
    """The condition, of those that the machine names, that has to hold besides."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A deadline that stands while an object is in one of ``states``.

    ``owner`` has to act and keeps it by one of ``keeps``; on silence the system takes the action
    of ``default`` that was fixed when the deadline began, the usual one first. Its clock stands
    still in ``paused_in``; any other state ends it.
    """

    kind: str
    states: tuple[str, ...]
    owner: Actor
    keeps: tuple[str, ...]
    default: tuple[str, ...]
    within: str
    paused_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """The whole life of one kind of object.

    ``terminal`` states are never left; in those that ``rest`` nobody has to act. In every other
    one ``awaits`` says who has to do what. ``conditions`` says in words what each name stands for.
    """

    name: str
    initial: tuple[str, ...]
    terminal: frozenset[str]
    rules: Mapping[tuple[str, str], Rule]
    rest: frozenset[str] = frozenset()
    awaits: Mapping[str, tuple[Actor, str]] = field(default_factory=dict)
    timers: tuple[Timer, ...] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)

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

    def timer(self, kind: str) -> Timer:
        """The deadline of this kind. Raises ``KeyError`` for an unknown one."""
        return {timer.kind: timer for timer in self.timers}[kind]

    def allowed(
        self, state: str, actor: Actor, holds: Collection[str] | None = None
    ) -> tuple[str, ...]:
        """The actions that ``actor`` may take in ``state``; with ``holds``, only those whose
        condition is among them."""
        return tuple(
            action
            for (at, action), rule in self.rules.items()
            if at == state and actor in rule.by and _met(rule, holds)
        )

    def require(
        self, state: str, action: str, actor: Actor, holds: Collection[str] | None = None
    ) -> Rule:
        """The rule for ``action``. ``holds`` names the conditions that are met; None where the
        caller checks them itself.

        Raises:
            ActionNotAllowed: the pair is not in the table, not for this actor, or not now.
        """
        rule = self.rules.get((state, action))
        if rule is None or actor not in rule.by or not _met(rule, holds):
            unmet = rule is not None and actor in rule.by
            why = f" unless {self.conditions[str(rule.when)]}" if rule and unmet else ""
            raise ActionNotAllowed(
                f"'{action}' is not possible for {actor} while the {self.name} is '{state}'{why}.",
                object=self.name,
                state=state,
                action=action,
                allowed=list(self.allowed(state, actor, holds)),
            )
        return rule

    def step(
        self,
        state: str,
        action: str,
        actor: Actor,
        to: str | None = None,
        holds: Collection[str] | None = None,
    ) -> str:
        """The state that follows; ``to`` picks one where several can.

        Raises:
            ActionNotAllowed: as ``require``.
        """
        rule = self.require(state, action, actor, holds)
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
        for unknown in sorted((self.terminal | self.rest) - set(self.states)):
            yield f"{self.name}: there is no state '{unknown}'"
        for (state, action), rule in self.rules.items():
            if not rule.by or not rule.to:
                yield f"{self.name}: '{action}' in '{state}' is for nobody or leads nowhere"
            if rule.when is not None and rule.when not in self.conditions:
                yield f"{self.name}: '{action}' in '{state}' needs the unknown '{rule.when}'"
        yield from self._faults_of_waiting()
        yield from self._faults_of_timers()

    def _faults_of_waiting(self) -> Iterator[str]:
        """Somebody has to act in every state that is neither terminal nor at rest."""
        for state in self.states:
            if (state in self.awaits) == (state in self.terminal | self.rest):
                yield f"{self.name}: in '{state}' it is not said who has to act, or said in vain"
        for state, (actor, action) in self.awaits.items():
            if action not in self.allowed(state, actor):
                yield f"{self.name}: '{state}' waits for {actor} to '{action}', who may not"

    def _faults_of_timers(self) -> Iterator[str]:
        """Whoever owns a deadline can keep it, and what follows on silence is in the table."""
        for timer in self.timers:
            for state in (*timer.states, *timer.paused_in):
                if state not in self.states or state in self.terminal:
                    yield f"{self.name}: the deadline '{timer.kind}' stands in '{state}'"
            for state in timer.states:
                if not set(timer.keeps) & set(self.allowed(state, timer.owner)):
                    yield f"{self.name}: {timer.owner} cannot keep '{timer.kind}' in '{state}'"
                for action in timer.default:
                    if action not in self.allowed(state, Actor.SYSTEM):
                        yield f"{self.name}: '{timer.kind}' ends in '{action}', not in the table"


def _met(rule: Rule, holds: Collection[str] | None) -> bool:
    return rule.when is None or holds is None or rule.when in holds


def rule(by: Iterable[Actor], *to: str, meaning: str, when: str | None = None) -> Rule:
    """Shorthand for the tables."""
    return Rule(frozenset(by), to, meaning, when)
