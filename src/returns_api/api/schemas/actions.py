"""Shapes of what somebody may do next, by when, and on whom a thing waits; of every noun.

Refuses to own which actions there are (``api.actions``, ``domain.lifecycle``).
"""

from __future__ import annotations

from pydantic import Field

from returns_api.api.schemas.base import Moment, Out


class ActionOut(Out):
    action: str
    method: str
    href: str
    until: Moment | None = Field(description="The deadline, where there is one.")
    on_silence: str | None = Field(description="What it becomes when nobody acts.")


class DeadlineOut(Out):
    """By when somebody has to act, and what happens when nobody does."""

    of: str = Field(description="What it is a deadline of: `return`, or what hangs on it.")
    href: str = Field(description="Where that is read, with what its reader may do about it.")
    kind: str
    who: str = Field(description="Who has to act.")
    due_at: Moment
    state: str = Field(description="`open`, `paused`, `kept`, `passed` or `dropped`.")
    on_silence: str = Field(
        description="What it becomes by itself; `overdue` is told once and moves nothing."
    )


class WaitingOut(Out):
    who: str
    to: str
