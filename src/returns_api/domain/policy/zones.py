"""Names of time zones: which exist, and which one was probably meant.

Slow, and only for messages.
"""

from __future__ import annotations

from functools import lru_cache

from returns_api.domain.calendars import zone_names
from returns_api.domain.policy.values import closest


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """All zone names, sorted."""
    return tuple(sorted(zone_names()))


def closest_zone(text: str) -> str:
    """A suggestion for a zone name that does not exist."""
    by_lower = {name.lower(): name for name in names()}
    cities = {name.rsplit("/", 1)[-1].lower(): name for name in names()}
    lowered = text.strip().lower().replace(" ", "_")
    guess = closest(lowered, tuple(by_lower)) or closest(lowered, tuple(cities))
    name = by_lower.get(guess or "") or cities.get(guess or "")
    return f"Write {name}." if name else "Write an IANA name such as Europe/Berlin."
