"""What a process that stays does while it loads, and once everything is loaded."""

from __future__ import annotations

import gc
from typing import Final

_YOUNG: Final = 10_000
"""Allocations between two rounds of the collector; a request or a job makes some thousands, nearly
all of which die without it."""


def load_quietly() -> None:
    """Hold no rounds of the collector until ``settle_memory``: what loading makes stays, and to
    look through it again and again takes a fifth of the start."""
    gc.disable()


def settle_memory() -> None:
    """Leave what was loaded out of every later round of the garbage collector, and hold fewer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 20)
    gc.enable()
