"""What a process that stays does once everything is loaded."""

from __future__ import annotations

import gc
from typing import Final

_YOUNG: Final = 10_000
"""Allocations between two rounds of the collector; a request or a job makes some thousands, nearly
all of which die without it."""


def settle_memory() -> None:
    """Leave what was loaded out of every later round of the garbage collector, and hold fewer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 20)
