"""References that count once, for ever: a second use is refused.

A unique constraint holds it, so of two uses at the same moment one is refused as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from returns_api.domain.errors import DuplicateReference

PAYMENT_TOLD: Final = "A payment with this reference was told before."


@contextmanager
def counted_once(constraint: str, detail: str = PAYMENT_TOLD) -> Iterator[None]:
    """Raises ``DuplicateReference`` where what is written inside breaks ``constraint``."""
    try:
        yield
    except asyncpg.UniqueViolationError as taken:
        if taken.constraint_name != constraint:
            raise
        raise DuplicateReference(detail) from taken
