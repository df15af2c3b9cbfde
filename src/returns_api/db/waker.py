"""Hurrying the workers: one coalesced NOTIFY per process, never inside a business transaction.

A NOTIFY in every transaction makes commits wait for one another. So a use case only sets a flag
after its commit; one task per process sends at most one NOTIFY every few milliseconds. A lost one
costs at most the workers' polling interval.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Final

import orjson

from returns_api.db.engine import TROUBLE, Database

CHANNEL: Final = "ch_pgqueuer"
EVERY_SECONDS: Final = 0.02


class Waker:
    """``wake()`` is cheap and may be called from anywhere in the event loop's thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        self._wanted.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="waker")

    async def stop(self) -> None:
        """Send what is still wanted, then end."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if self._wanted.is_set():
            await self._notify()

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self._notify()
            await asyncio.sleep(EVERY_SECONDS)

    async def _notify(self) -> None:
        told = {
            "channel": CHANNEL,
            "operation": "insert",
            "sent_at": datetime.now(UTC).isoformat(),
            "table": "pgqueuer",
            "type": "table_changed_event",
        }
        # Polling finds the work when the database is away now; nothing is lost by not telling.
        with contextlib.suppress(*TROUBLE):
            await self._database.pool.execute(
                "SELECT pg_notify($1, $2)", CHANNEL, orjson.dumps(told).decode()
            )
