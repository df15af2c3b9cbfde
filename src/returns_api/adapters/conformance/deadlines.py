"""Deadlines that pass because the provider lets a call hang, not because time does.

For the client of a rig. With a real and short deadline a check would take a machine that stood
still for a moment for a provider that hangs; with a long one it would wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from returns_api.adapters.conformance import Fault

HANGS: Final = frozenset({Fault.HANG_BEFORE, Fault.HANG_AFTER, Fault.DRIP})
"""What only a deadline ends."""
PATIENCE_SECONDS: Final = 60.0
GRACE_SECONDS: Final = 0.5
"""For whoever wants to cancel the call that hangs, before it is given up."""
_LOOK_SECONDS: Final = 0.01


class Deadlines:
    """``HttpClient(timeout=Deadlines(hung))``: ``hung`` asks the provider how many calls it has let
    hang so far. While none is expected to, a call has all the time that a check has."""

    def __init__(self, hung: Callable[[], Awaitable[int]]) -> None:
        self._hung = hung
        self._passed = self._expected = 0

    def expect(self, fault: str) -> None:
        """The provider was told to do this."""
        self._expected += fault in HANGS

    def forget(self) -> None:
        """The provider begins to count anew."""
        self._passed = self._expected = 0

    @asynccontextmanager
    async def __call__(self, _seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(PATIENCE_SECONDS) as limit:
            looking = asyncio.create_task(self._look(limit))
            try:
                yield
            finally:
                looking.cancel()
                with suppress(asyncio.CancelledError):
                    await looking

    async def _look(self, limit: asyncio.Timeout) -> None:
        while self._passed < self._expected:
            if await self._hung() > self._passed:
                self._passed += 1
                limit.reschedule(asyncio.get_running_loop().time() + GRACE_SECONDS)
            await asyncio.sleep(_LOOK_SECONDS)
