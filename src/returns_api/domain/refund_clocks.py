"""When the law wants a refund paid: its clocks, and the day that they come to as a return goes on.

Owns the step from "14 days after the request, but not before the goods were sent" to an instant.
A clock is known once its events have happened; until then it binds nothing. What is known is kept,
and the first to end holds, so a date only ever moves forward in time to an earlier one. Refuses to
own the merchant's own promise (``receiving``) and which laws bind (``policy``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from returns_api.domain.policy import Decision
from returns_api.domain.policy.values import read_elapsed

STAGES: Final = ("request", "first_scan", "receipt", "inspection")
"""The events of a return that clocks count from, in their order."""


@dataclass(frozen=True, slots=True)
class LawClock:
    """The refund is due ``within_seconds`` after a stage, but not before another one came."""

    law: str
    after: str
    within_seconds: int
    not_before: str | None = None

    @property
    def known_at(self) -> int:
        """The stage (its number) from which on the day is known.

        A return remembers when it was asked for, but not when each later stage was reached. So a
        clock that begins later does not wait for another stage: its day may be earlier than the
        law's, never later.
        """
        waits = self.not_before if self.after == STAGES[0] else None
        return STAGES.index(waits or self.after)


def law_clocks(decisions: Iterable[Decision]) -> tuple[LawClock, ...]:
    """The clocks of all laws that bind any of these decisions, each once."""
    found: dict[LawClock, None] = {}
    for decision in decisions:
        for term in decision.terms:
            if term.term == "refund_due" and term.set_by.law is not None:
                due = term.value
                seconds = read_elapsed(due["within"]).seconds
                clock = LawClock(term.set_by.law, due["after"], seconds, due.get("not_before"))
                found[clock] = None
    return tuple(found)


def shortest(clocks: Iterable[LawClock], stage: str) -> int | None:
    """Seconds from ``stage`` after which a refund surely is later than a law allows, if any."""
    bound = STAGES.index(stage)
    return min((c.within_seconds for c in clocks if c.known_at <= bound), default=None)


def due_by_law(
    clocks: Sequence[LawClock], stage: str, opened_at: datetime, now: datetime
) -> tuple[datetime, str] | None:
    """The earliest instant that is known when ``stage`` is reached now, and the law that names it.

    A stage before this one that was never seen came now at the latest.
    """
    bound = STAGES.index(stage)
    ends = [(_end(one, opened_at, now), one.law) for one in clocks if one.known_at <= bound]
    return min(ends, default=None)


def _end(clock: LawClock, opened_at: datetime, now: datetime) -> datetime:
    if clock.after != STAGES[0]:
        return now + timedelta(seconds=clock.within_seconds)
    end = opened_at + timedelta(seconds=clock.within_seconds)
    return max(end, now) if clock.known_at else end
