"""Deadlines of one object: what its transitions do to them, read from the machine's timers.

A deadline begins when a plan fixes its moment, stands while the object is in a state of its timer,
pauses where the timer says so, and ends kept, passed or dropped. Refuses to own what silence does
(each object's plans) and the rows (``db.deadlines``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from returns_api.domain.lifecycle.machine import Actor, Machine

OPEN: Final = "open"
PAUSED: Final = "paused"
KEPT: Final = "kept"
PASSED: Final = "passed"
DROPPED: Final = "dropped"
STATES: Final = (OPEN, PAUSED, KEPT, PASSED, DROPPED)
"""Dropped: what it was for is over, and nobody was late."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """One moment (UTC) by which ``owner`` has to act, and the system's action on silence.

    There is at most one of a kind for each object; a new beginning takes the place of the old one.
    """

    kind: str
    owner: str
    due_at: datetime
    on_silence: str
    state: str = OPEN
    paused_at: datetime | None = None

    @property
    def stands(self) -> bool:
        return self.state in {OPEN, PAUSED}

    def to_json(self) -> dict[str, Any]:
        """JSON-ready column values."""
        return {
            "kind": self.kind,
            "owner": self.owner,
            "due_at": self.due_at.isoformat(),
            "on_silence": self.on_silence,
            "state": self.state,
            "paused_at": None if self.paused_at is None else self.paused_at.isoformat(),
        }

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> Deadline:
        paused = stored["paused_at"]
        return Deadline(
            stored["kind"],
            stored["owner"],
            datetime.fromisoformat(stored["due_at"]),
            stored["on_silence"],
            stored["state"],
            None if paused is None else datetime.fromisoformat(paused),
        )


def begin(machine: Machine, kind: str, due_at: datetime, on_silence: str | None = None) -> Deadline:
    """A new deadline; ``on_silence`` picks one of the timer's defaults.

    Raises:
        ValueError: the timer does not have this default.
    """
    timer = machine.timer(kind)
    default = on_silence or timer.default[0]
    if default not in timer.default:
        raise ValueError(f"{machine.name}: '{kind}' never ends in '{default}'")
    return Deadline(kind, timer.owner.value, due_at, default)


def follow(
    machine: Machine,
    deadlines: Iterable[Deadline],
    action: str,
    state: str,
    *begun: Deadline,
    now: datetime | None = None,
) -> tuple[Deadline, ...]:
    """The deadlines that change when ``action`` leads to ``state``, as they are afterwards.

    ``begun`` are new ones. ``now`` is needed where a clock stops or runs on.
    """
    fresh = {deadline.kind for deadline in begun}
    changed = list(begun)
    for deadline in deadlines:
        if deadline.stands and deadline.kind not in fresh:
            after = _after(machine, deadline, action, state, now)
            if after != deadline:
                changed.append(after)
    return tuple(changed)


@dataclass(frozen=True, slots=True)
class Clockwork:
    """The deadlines of a machine whose states begin them: each state has at most one, and nothing
    but its kind says how long it is.

    ``runs_on`` are actions that leave the object where it is, and its deadline, too.
    """

    machine: Machine
    within: Mapping[str, timedelta]
    runs_on: frozenset[str] = frozenset()

    def begun(self, state: str, now: datetime) -> tuple[Deadline, ...]:
        """The deadline that an object begins which comes to ``state`` now."""
        return tuple(
            begin(self.machine, timer.kind, now + self.within[timer.kind])
            for timer in self.machine.timers
            if state in timer.states
        )

    def step(
        self,
        state: str,
        deadlines: Iterable[Deadline],
        action: str,
        actor: Actor,
        now: datetime,
        to: str | None = None,
    ) -> tuple[str, tuple[Deadline, ...]]:
        """The state that follows and the deadlines that change. Raises ``ActionNotAllowed``."""
        after = self.machine.step(state, action, actor, to)
        begun = () if action in self.runs_on else self.begun(after, now)
        return after, follow(self.machine, deadlines, action, after, *begun)


def _after(
    machine: Machine, deadline: Deadline, action: str, state: str, now: datetime | None
) -> Deadline:
    timer = machine.timer(deadline.kind)
    if state in timer.states:
        return resumed(deadline, now) if deadline.state == PAUSED else deadline
    if state in timer.paused_in:
        return deadline if deadline.state == PAUSED else paused(deadline, now)
    ended = KEPT if action in timer.keeps else DROPPED
    return replace(deadline, state=ended, paused_at=None)


def paused(deadline: Deadline, now: datetime | None) -> Deadline:
    assert now is not None
    return replace(deadline, state=PAUSED, paused_at=now)


def resumed(deadline: Deadline, now: datetime | None) -> Deadline:
    """The clock gets back the time that it stood still."""
    assert now is not None
    assert deadline.paused_at is not None
    stood = max(now - deadline.paused_at, timedelta(0))
    return replace(deadline, state=OPEN, due_at=deadline.due_at + stood, paused_at=None)


def passed(deadline: Deadline, changed: Iterable[Deadline]) -> tuple[Deadline, ...]:
    """The same changes, with ``deadline`` ended by silence."""
    others = [other for other in changed if other.kind != deadline.kind]
    return (*others, replace(deadline, state=PASSED, paused_at=None))


def next_due(deadlines: Iterable[Deadline], now: datetime | None = None) -> Deadline | None:
    """The nearest open deadline; with ``now``, only when its moment has come."""
    open_ones = [d for d in deadlines if d.state == OPEN and (now is None or d.due_at <= now)]
    return min(open_ones, key=lambda d: (d.due_at, d.kind), default=None)


def applied(deadlines: Iterable[Deadline], changes: Iterable[Deadline]) -> tuple[Deadline, ...]:
    """All deadlines after ``changes``, as the database has them then."""
    merged = {deadline.kind: deadline for deadline in (*deadlines, *changes)}
    return tuple(sorted(merged.values(), key=lambda d: (d.due_at, d.kind)))
