"""The tables as a page for people, and as counts for a check. Reads them, decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from returns_api.domain.errors import ActionNotAllowed
from returns_api.domain.lifecycle.machine import Actor, Machine, Rule

DERIVED: Final = "follow"
"""The action of a state that follows from other objects: told in words, drawn nowhere."""

_HEAD: Final = """\
# The life of every object

Generated from `src/returns_api/domain/lifecycle/` by `returns-api lifecycle docs`; a test fails
when this page and the tables differ. Nothing moves a state outside these tables: the API refuses
everything else with `409 action_not_allowed`, naming the actions that are allowed.

`system` acts for deadlines and for facts that arrive from outside. Where an action can lead to
several states, the usual one comes first.
"""


@dataclass(frozen=True, slots=True)
class Census:
    """What a walk over every (state, action, actor) of a table found."""

    allowed: int
    refused: int
    faults: tuple[str, ...]

    @property
    def pairs(self) -> int:
        return self.allowed + self.refused


def census(machine: Machine) -> Census:
    """Try every action of every actor in every state, and look for what is wrong with the table."""
    faults, allowed, refused = list(machine.faults()), 0, 0
    for state, action, actor in product(machine.states, machine.actions, Actor):
        try:
            if machine.step(state, action, actor) not in machine.states:
                faults.append(f"{machine.name}: '{action}' leaves the table in '{state}'")
            allowed += 1
        except ActionNotAllowed as refusal:
            refused += 1
            if refusal.context["allowed"] != list(machine.allowed(state, actor)):
                faults.append(f"{machine.name}: '{action}' in '{state}' names other actions")
    return Census(allowed, refused, tuple(faults))


def page(machines: Iterable[Machine]) -> str:
    """The whole page, ending in one newline."""
    return "\n".join([_HEAD, *(_chapter(machine) for machine in machines)])


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
            *(_row(*key, rule) for key, rule in machine.rules.items() if key[1] != DERIVED),
            "",
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


def _row(state: str, action: str, rule: Rule) -> str:
    who = ", ".join(actor for actor in Actor if actor in rule.by)
    return f"| `{state}` | `{action}` | {who} | {_listed(rule.to)} | {rule.meaning} |"


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
