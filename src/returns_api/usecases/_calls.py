"""Calls to providers that this process has under way: who waits, and for how long already.

Owns nothing that another process would have to know. Bounded by the calls that run at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Final
from uuid import UUID

from returns_api.domain.health import SLOW

SLOW_MAX: Final = 5
"""Half of the ten jobs that a worker runs at once, if nothing else is set."""

Account = tuple[UUID, str]
"""Shop and source slug."""


class CallsUnderWay:
    """When each call of an account began. Times come from the caller."""

    def __init__(self, slow_max: int = SLOW_MAX) -> None:
        """``slow_max``: so many slow calls of one account are enough."""
        self._slow_max = slow_max
        self._begun: Final[dict[Account, dict[int, datetime]]] = defaultdict(dict)
        self._numbers = count()

    @contextmanager
    def under_way(self, account: Account, now: datetime) -> Iterator[None]:
        """Counts the call as under way until the block ends."""
        number = next(self._numbers)
        self._begun[account][number] = now
        try:
            yield
        finally:
            del self._begun[account][number]
            if not self._begun[account]:
                del self._begun[account]

    def full(self, account: Account, now: datetime) -> bool:
        """Whether no other call of the account is to begin here before a slow one ends."""
        slow = sum(now - begun > SLOW for begun in self._begun.get(account, {}).values())
        return slow >= self._slow_max
