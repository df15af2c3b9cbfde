"""The tables as a page for people, and as counts for a check. Reads them, decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from returns_api.domain.errors import ActionNotAllowed
from returns_api.domain.lifecycle.machine import Actor, Machine, Rule, Timer

DERIVED: Final = "follow"
"""The action of a state that follows from other objects: told in words, drawn nowhere."""

_HEAD: Final = """\
# The life of every object

Generated from `src/returns_api/domain/lifecycle/` by `returns-api lifecycle docs`; a test fails
when this page and the tables differ. Nothing moves a state outside these tables: the API refuses
everything else with `409 action_not_allowed`, naming the actions that are allowed.

`system` acts for deadlines and for facts that arrive from outside. Where an action can lead to
several states, the usual one comes first. A deadline stands while its object is in one of its
states; whoever owns it keeps it by one of the actions named, and on silence the system takes the
default. A clock that pauses gets its time back.
"""


@dataclass(frozen=True, slots=True)
class Census:
    """What a walk over every (state, action, actor) of a table found."""

    allowed: int
    refused: int
    faults: tuple[str, ...]
    conditions: int = 0
    """Rules that were tried both ways: with their condition met and unmet."""

    @property
    def pairs(self) -> int:
        return self.allowed + self.refused


def census(machine: Machine) -> Census:
    """Try every action of every actor in every state, and look for what is wrong with the table."""
    faults, allowed, refused = list(machine.faults()), 0, 0
    for state, action, actor in product(machine.states, machine.actions, Actor):
        fault = _try(machine, state, action, actor)
        if fault is not None:
            faults.append(fault)
        if action in machine.allowed(state, actor):
            allowed += 1
        else:
            refused += 1
    conditional = [rule for rule in machine.rules.values() if rule.when is not None]
    return Census(allowed, refused, tuple(faults), len(conditional))


def _try(machine: Machine, state: str, action: str, actor: Actor) -> str | None:
    """What is wrong with the answer to one action, its condition met and unmet."""
    rule = machine.rules.get((state, action))
    conditions = machine.conditions.keys()
    for holds in (conditions, conditions - {rule.when if rule else None}):
        wanted = machine.allowed(state, actor, holds)
        try:
            if machine.step(state, action, actor, holds=holds) not in machine.states:
                return f"{machine.name}: '{action}' leaves the table in '{state}'"
            if action not in wanted:
                return f"{machine.name}: '{action}' in '{state}' passes and is not allowed"
        except ActionNotAllowed as refusal:
            if refusal.context["allowed"] != list(wanted) or action in wanted:
                return f"{machine.name}: '{action}' in '{state}' names other actions"
    return None


def page(machines: Iterable[Machine]) -> str:
    """The whole page, ending in one newline."""
    return "\n".join([_HEAD, *(_chapter(machine) for machine in machines)])


def in_words(machine: Machine, action: str) -> str:
    """Where an action stands in its table: in which states, by whom, what follows."""
    said = [
        f"in `{state}` by {_who(rule)}, then {' or '.join(f'`{to}`' for to in rule.to)}"
        + ("" if rule.when is None else f" (only if {machine.conditions[rule.when]})")
        for (state, known), rule in machine.rules.items()
        if known == action
    ]
    return f"Life of a {machine.name}: {'; '.join(said)}."


def _chapter(machine: Machine) -> str:
    return "\n".join(
        [
            f"## {machine.name.capitalize()}",
            "",
            "```mermaid",
            *_diagram(machine),
            "```",
            "",
            f"States: {_listed(machine.states)}. {_ends(machine)}",
            "",
            "| in | action | by | then | meaning |",
            "|---|---|---|---|---|",
            *(
                _row(machine, *key, rule)
                for key, rule in machine.rules.items()
                if key[1] != DERIVED
            ),
            "",
            *_waiting(machine),
            *_timers(machine),
            *_derived(machine),
        ]
    )


def _diagram(machine: Machine) -> Iterator[str]:
    yield "stateDiagram-v2"
    for state in machine.initial:
        yield f"    [*] --> {state}"
    for (state, action), rule in machine.rules.items():
        if action != DERIVED:
            for to in rule.to:
                yield f"    {state} --> {to}: {action}"
    for state in machine.states:
        if state in machine.terminal:
            yield f"    {state} --> [*]"


def _row(machine: Machine, state: str, action: str, rule: Rule) -> str:
    only = "" if rule.when is None else f" Only if {machine.conditions[rule.when]}."
    return f"| `{state}` | `{action}` | {_who(rule)} | {_listed(rule.to)} | {rule.meaning}{only} |"


def _who(rule: Rule) -> str:
    return ", ".join(actor for actor in Actor if actor in rule.by)


def _waiting(machine: Machine) -> list[str]:
    waits = [
        f"`{state}` for {machine.awaits[state][0]} to `{machine.awaits[state][1]}`"
        for state in machine.states
        if state in machine.awaits
    ]
    return [f"Waits: {', '.join(waits)}.", ""] if waits else []


def _timers(machine: Machine) -> list[str]:
    if not machine.timers:
        return []
    return [
        "| deadline | in | who | keeps it by | within | on silence |",
        "|---|---|---|---|---|---|",
        *(_timer(timer) for timer in machine.timers),
        "",
    ]


def _timer(timer: Timer) -> str:
    at = _listed(timer.states)
    at += f" (pauses in {_listed(timer.paused_in)})" if timer.paused_in else ""
    return (
        f"| `{timer.kind}` | {at} | {timer.owner} | {_listed(timer.keeps)} | {timer.within} |"
        f" {_listed(timer.default)} |"
    )


def _ends(machine: Machine) -> str:
    ends = [state for state in machine.states if state in machine.terminal]
    return f"Never left: {_listed(ends)}." if ends else "None of them is final."


def _derived(machine: Machine) -> list[str]:
    if not any(action == DERIVED for _, action in machine.rules):
        return []
    return [
        f"What the actions above do not show: the state of a {machine.name} follows from its",
        "transfers. The least settled one decides while one is open; then it counts whether all,",
        "some or nothing of the amount arrived.",
        "",
    ]


def _listed(states: Iterable[str]) -> str:
    return ", ".join(f"`{state}`" for state in states)
