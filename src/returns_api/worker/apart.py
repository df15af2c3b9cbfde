"""A process for one message that killed workers: it may die there, be ended, or take too much.

Owns starting, bounding and ending that process. It is forked from a clean server process of the
standard library's that has imported the service and runs nothing, and which is itself only started
when the first such message comes. What the process does is its target's, and what its end means
for the message is the caller's.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from returns_api.domain.errors import Unavailable

SECONDS: Final = 30.0
"""For one message; below a lease, with the margin too."""
BUSY_SECONDS: Final = 5.0
"""Of them, of the processor's: what loops is ended soon, what only waits for the machine is not."""
MARGIN_SECONDS: Final = 5.0
"""After which a process that does not end itself is killed."""
LOOK_SECONDS: Final = 0.2
"""How often it is looked whether its worker has to stop."""
NICE: Final = 5
"""What is well goes first."""
_MEGABYTE: Final = 1024 * 1024


class ProcessApart:
    """``usecases.context.Apart``: one process at a time."""

    def __init__(self, target: Callable[..., None], *given: Any, seconds: float = SECONDS) -> None:
        """``target(*given, seconds, shop, message_id, attempt)`` is called in the process: a
        function of a module's own, which ``bound``s itself first."""
        self._target, self._given, self._seconds = target, given, seconds
        self._context = multiprocessing.get_context("forkserver")
        self._taken = False

    async def __call__(self, shop: UUID, message_id: UUID, attempt: int) -> str:
        if self._taken:
            raise Unavailable("waits for a process of its own")
        self._taken, stop = True, threading.Event()
        try:
            code = await asyncio.to_thread(self._run, stop, shop, message_id, attempt)
            return told(code, self._seconds)
        finally:
            stop.set()  # of use where this was canceled: a worker that stops takes it along
            self._taken = False

    def _run(self, stop: threading.Event, *job: Any) -> int | None:
        """The exit code, negative for a signal; the process is gone then, soon after ``stop``."""
        self._context.set_forkserver_preload([self._target.__module__])
        process = self._context.Process(
            target=self._target, args=(*self._given, self._seconds, *job), daemon=True
        )
        process.start()
        end = time.monotonic() + self._seconds + MARGIN_SECONDS
        while process.exitcode is None and time.monotonic() < end and not stop.is_set():
            process.join(LOOK_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
        return process.exitcode


def told(code: int | None, seconds: float) -> str:
    """How a process ended that had ``seconds``, by its exit code."""
    if code == -signal.SIGALRM:
        return f"took longer than {seconds:g} s"
    if code == -signal.SIGPROF:
        return "used up its processor time"
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with {code}"


def bound(seconds: float, memory_mb: int | None) -> None:
    """Called in the process: it ends itself in time, even if nobody is left to do it."""
    os.nice(NICE)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_PROF, min(seconds / 2, BUSY_SECONDS))
    bound_memory(memory_mb)


def bound_memory(most_mb: int | None) -> None:
    """Let this process have so much address space, where the system can say so (Linux)."""
    if most_mb is None:
        return
    import resource  # noqa: PLC0415 - not on Windows

    resource.setrlimit(resource.RLIMIT_AS, (most_mb * _MEGABYTE, most_mb * _MEGABYTE))
