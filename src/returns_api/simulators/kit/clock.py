"""The one clock of a simulator: real time, ahead by what its control API was told.

Whatever is written down, told or signed carries its time, so that a service whose time was moved
for a demo hears of the same day. Waiting (webhooks that are due, parcels that move by themselves)
is done in real time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

_ahead_seconds = 0.0


def now() -> float:
    """Seconds since the epoch, as of this program."""
    return time.time() + _ahead_seconds


def today() -> datetime:
    """The same in UTC."""
    return datetime.fromtimestamp(now(), UTC)


def set_ahead(seconds: float) -> None:
    """From now on, be so many seconds ahead of real time."""
    global _ahead_seconds  # noqa: PLW0603 - a program has one time
    _ahead_seconds = seconds
