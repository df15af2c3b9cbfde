"""How often something may be tried: a sliding minute, counted in two fixed ones.

Owns the arithmetic and who counts as one caller. Refuses to own the counters (``db.rate_limits``).
The count of the minute before weighs as much as of it lies within the last sixty seconds, so that
nobody gets twice the limit around the full minute.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(minutes=1)
_WINDOW_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Count:
    """Tries counted in the full minute before and in this one, ``elapsed_ms`` into it."""

    before: int
    now: int
    elapsed_ms: int

    def room(self, limit: int) -> int:
        """How many tries this minute may hold in all; it grows as the minute before fades."""
        return limit - -(-self.before * (_WINDOW_MS - self.elapsed_ms) // _WINDOW_MS)

    def retry_after(self, limit: int) -> int:
        """Whole seconds, at least 1, until one more try fits."""
        faded = _faded_at(self.before, limit - self.now)
        if faded >= _WINDOW_MS:
            faded = _WINDOW_MS + _faded_at(self.now, limit)
        return max(1, -(-(faded - self.elapsed_ms) // 1000))


def _faded_at(before: int, free: int) -> int:
    """Milliseconds into a minute at which one try fits into ``free`` beside what ``before`` left.

    A whole minute when it does not fit before its end.
    """
    if free <= 0:
        return _WINDOW_MS
    return max(0, _WINDOW_MS - (free - 1) * _WINDOW_MS // before) if before else 0


def window_of(now: datetime) -> datetime:
    """The full minute that ``now`` lies in."""
    return now.replace(second=0, microsecond=0)


def elapsed_ms(now: datetime) -> int:
    """Milliseconds since the full minute."""
    return now.second * 1000 + now.microsecond // 1000


def caller_of(host: str | None) -> str:
    """Who counts as one caller: an IPv4 address, or the /64 that one IPv6 customer holds."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
