"""The checks that every adapter must pass, shipped so that authors of plug-ins run them too.

A check is an async function that takes a rig and raises ``AssertionError``; its docstring is the
promise it checks. A rig joins an adapter to a provider (a sandbox or a simulator) that can be told
to misbehave. No test framework is imported: see docs/adapters.md for running them under pytest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TypeVar

Rig = TypeVar("Rig")
Check = Callable[[Rig], Awaitable[None]]

DEADLINE_SLACK_SECONDS = 0.5


class Fault(StrEnum):
    """What a rig's provider can be told to do with the next call."""

    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    HANG_BEFORE = "hang_before"
    HANG_AFTER = "hang_after"
    DRIP = "drip"
    TRUNCATE = "truncate"
    FLOOD = "flood"
    BOMB = "bomb"
    GARBAGE = "garbage"
    NAN = "nan"
    REDIRECT = "redirect"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_CURRENCY = "wrong_currency"
    WRONG_OWNER = "wrong_owner"
    RATE_LIMITED = "rate_limited"
    KEY_IN_USE = "key_in_use"


NEVER_ACTED = (Fault.RESET_BEFORE, Fault.ERROR_BEFORE, Fault.REDIRECT)
ACTED = (
    Fault.RESET_AFTER,
    Fault.ERROR_AFTER,
    Fault.HANG_AFTER,
    Fault.DRIP,
    Fault.TRUNCATE,
    Fault.FLOOD,
    Fault.BOMB,
    Fault.GARBAGE,
    Fault.NAN,
    Fault.WRONG_AMOUNT,
    Fault.WRONG_CURRENCY,
    Fault.WRONG_OWNER,
)
"""The provider did what it was asked and its answer does not show it."""


@asynccontextmanager
async def within(deadline_seconds: float) -> AsyncIterator[None]:
    """Fails when the block takes longer than the adapter's total deadline and half a second."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    yield
    took = loop.time() - started
    assert took <= deadline_seconds + DEADLINE_SLACK_SECONDS, f"took {took:.2f} s"


async def raised(work: Awaitable[object]) -> BaseException | None:
    """What ``work`` raised, None when it succeeded."""
    try:
        await work
    except Exception as error:  # whatever an adapter raises is what its suite judges
        return error
    return None
