"""From records to shapes what every noun has: actions, deadlines, and on whom it waits.

Refuses to own the noun's own shape, which is in ``<noun>_views``, and which actions there are
(``actions``).
"""

from __future__ import annotations

from collections.abc import Iterable

from returns_api.api.actions import Action, becomes, waiting_for
from returns_api.api.schemas.actions import ActionOut, DeadlineOut, WaitingOut
from returns_api.domain.access import Principal, Scope
from returns_api.domain.lifecycle.deadlines import Deadline
from returns_api.domain.lifecycle.machine import Machine


def sees_money(principal: Principal) -> bool:
    return Scope.REFUNDS_READ in principal.scopes


def action_out(action: Action) -> ActionOut:
    return ActionOut(
        action=action.action,
        method="POST",
        href=action.href,
        until=action.until,
        on_silence=action.on_silence,
    )


def deadlines_out(
    machine: Machine, state: str | None, deadlines: Iterable[Deadline], href: str
) -> list[DeadlineOut]:
    """All deadlines of the object at ``href``, which is in ``state``."""
    return [deadline_out(machine, state, each, href) for each in deadlines]


def deadline_out(machine: Machine, state: str | None, deadline: Deadline, href: str) -> DeadlineOut:
    """A deadline of the object at ``href``; ``state`` is its own, where that is known."""
    return DeadlineOut(
        of=machine.name,
        href=href,
        kind=deadline.kind,
        who=deadline.owner,
        due_at=deadline.due_at,
        state=deadline.state,
        on_silence=becomes(machine, state, deadline),
    )


def waiting_out(machine: Machine, state: str) -> WaitingOut | None:
    """Who has to act in ``state`` and to do what; None when it is over or at rest."""
    waits = waiting_for(machine, state)
    return None if waits is None else WaitingOut(who=waits[0], to=waits[1])
