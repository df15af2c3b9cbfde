"""When an account at a provider is left alone for a while, and how often one may try again.

Owns the circuit breaker and the budget of repeats, both of one account, as plans over what stands
in its row. Refuses to own what a failed try means for its transfer (``refunds``): a paused account
only makes transfers wait, and costs them no try.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

FAILURES_TO_PAUSE: Final = 5
"""Failures in a row, of whichever transfers, after which an account is paused."""
PAUSES: Final = tuple(timedelta(seconds=s) for s in (2, 4, 8, 15, 30))
"""How long: longer with each probe that fails; the last one repeats."""
PROBE_TIME: Final = timedelta(seconds=15)
"""After so long a probe counts as lost with its worker; above the deadline of a call."""
SPREAD: Final = (timedelta(seconds=1), timedelta(seconds=90))
"""Those who wait come back one after the other, over as long as the pause has lasted already."""

RETRY_EVERY: Final = timedelta(milliseconds=50)
"""On average one repeat in this time; the first tries of refunds are never counted."""
RETRY_BURST: Final = timedelta(seconds=10)
"""So much of it can be used at once: 200 repeats."""

SLOW: Final = timedelta(seconds=1)
"""A call that takes longer is slow. Slow calls of one account may hold half of a process's hands;
then it begins no other there, so that a provider that swallows calls leaves the rest to all others,
before the first call has timed out."""
SLOW_WAIT: Final = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class Health:
    """What stands in an account's row. ``paused_until`` in the past means: one may probe."""

    failures: int = 0
    paused_since: datetime | None = None
    paused_until: datetime | None = None

    def paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until

    def half_open(self, now: datetime) -> bool:
        return self.paused_until is not None and now >= self.paused_until


def after_failure(health: Health, now: datetime, *, probe: bool) -> Health:
    """One more failure in a row. What was begun before the pause does not make it longer."""
    failed = replace(health, failures=health.failures + 1)
    if failed.failures < FAILURES_TO_PAUSE or (health.paused(now) and not probe):
        return failed
    if health.paused_since is None:
        return replace(failed, paused_since=now, paused_until=now + PAUSES[0])
    if not probe:
        return failed
    lasted = now - health.paused_since
    pause = next((each for each in PAUSES if each > lasted / 2), PAUSES[-1])
    return replace(failed, paused_until=now + pause)


def come_back(health: Health, now: datetime, share: float) -> datetime:
    """When a transfer that finds the account paused looks again.

    ``share`` from 0 to 1 is its own, so that they do not all come at once.
    """
    assert health.paused_until is not None
    lasted = now - (health.paused_since or now)
    spread = min(max(lasted, SPREAD[0]), SPREAD[1])
    return max(health.paused_until, now) + spread * share


def slow_wait(now: datetime, share: float) -> datetime:
    """When a transfer looks again that found too many calls without an answer."""
    return now + SLOW_WAIT * (1 + share)


def retry_wait(now: datetime, share: float) -> datetime:
    """When a transfer looks again for which the budget of repeats had nothing left."""
    return now + RETRY_BURST * (0.5 + share)
