"""Ends a worker that stands still, so that what it holds goes on elsewhere.

A job that never gives the event loop back stops every other job of its process, and no timeout of
ours runs any more either. So the loop beats; without a beat the process ends: soon where it burns
processor time (a loop without end, also one inside a library that lets no other thread run), later
where it only waits. Before the end it says where it stood, lines of code without any values.
Whoever started it starts it again; the row that it held has counted its try.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import signal
import threading
from typing import Final, Self

BUSY_SECONDS: Final = 5.0
"""Processor time without a beat. A machine that is busy with others does not use it up."""
STILL_SECONDS: Final = 30.0
"""Time without a beat in which the process was let run: one that is stopped is not judged."""
BEAT_SECONDS: Final = 0.5
END: Final = signal.SIGPROF
"""What the system sends when the processor time is used up; it ends a process by default."""


class Watchdog:
    """Watches the running event loop for as long as the block lasts; once in a process."""

    def __init__(
        self, busy_seconds: float = BUSY_SECONDS, still_seconds: float = STILL_SECONDS
    ) -> None:
        self._busy, self._still = busy_seconds, still_seconds
        self._beaten = True
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    async def __aenter__(self) -> Self:
        faulthandler.register(END, chain=True)
        self._beating = asyncio.create_task(self._beat())
        self._watching.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        self._beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._beating
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.unregister(END)

    async def _beat(self) -> None:
        while True:
            self._beaten = True
            signal.setitimer(signal.ITIMER_PROF, self._busy)
            await asyncio.sleep(BEAT_SECONDS)

    def _watch(self) -> None:
        """In a thread of its own, for which a loop that waits for something is no hindrance."""
        missed = 0
        while not self._over.wait(2 * BEAT_SECONDS):
            missed = 0 if self._beaten else missed + 1
            self._beaten = False
            if missed * 2 * BEAT_SECONDS >= self._still:
                os.kill(os.getpid(), END)
