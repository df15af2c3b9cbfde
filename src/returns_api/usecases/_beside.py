"""Work for the processor that is too long for the event loop: beside it, and bounded.

Owns that one such piece runs at a time and that few wait for it. A piece that was begun cannot be
stopped, so whoever calls has to bound it by itself (the analysis does, by its steps).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from returns_api.domain.errors import Unavailable

WAITING_MAX: Final = 8
"""Pieces that are running or waiting in one process; one more is told to come back."""

T = TypeVar("T")


class Beside:
    """One thread for long pure work. Its place is given up when the work ends, not its caller."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="beside")
        self._lock = threading.Lock()
        self._inside = 0

    async def run(self, work: Callable[[], T]) -> T:
        """The result of ``work``. Raises ``Unavailable`` when too many wait already."""
        with self._lock:
            if self._inside >= WAITING_MAX:
                raise Unavailable("Too much is being computed right now.")
            self._inside += 1
        future = self._threads.submit(work)
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _done: Future[T]) -> None:
        with self._lock:
            self._inside -= 1
