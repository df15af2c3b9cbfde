"""One worker process: the queue, the sweeps, and an end without loss.

The queue library wakes us and shares the work between processes; it is never asked what is true.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.models import Job
from pgqueuer.queries import Queries

from returns_api import tracing
from returns_api.db.engine import TROUBLE
from returns_api.db.waker import Waker
from returns_api.domain.errors import Unavailable
from returns_api.usecases.context import Context
from returns_api.usecases.housekeeping import trim_queue_log
from returns_api.worker.jobs import KINDS, Kind, parse
from returns_api.worker.sweep import EVERY_SECONDS, sweep
from returns_api.worker.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

POLL: Final = timedelta(seconds=1)
HEARTBEAT: Final = timedelta(seconds=30)
BATCH_MAX: Final = 50
SWEEP_BUSY_SECONDS: Final = 10.0
"""Within the 30 s that a job may lie after its lease ended."""

log = structlog.get_logger()


async def work(ctx: Context, waker: Waker, *, concurrency: int, shutdown_seconds: float) -> None:
    """Run jobs until SIGTERM or SIGINT; what is in flight then is finished within the limit.

    Ends the process when a job keeps it from doing anything else.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Watchdog():
        await work_until(
            stop, ctx, waker, concurrency=concurrency, shutdown_seconds=shutdown_seconds
        )


async def work_until(
    stop: asyncio.Event,
    ctx: Context,
    waker: Waker,
    *,
    concurrency: int,
    shutdown_seconds: float,
    swept: Mapping[str, Kind] = KINDS,
) -> None:
    """Run jobs until ``stop`` is set; what is in flight then is finished within the limit, whether
    a wake-up or a sweep began it."""
    waker.start()
    batch = max(1, min(concurrency // 2, BATCH_MAX))
    queue = _Queue(ctx, batch, max(concurrency, 2 * batch))
    queueing = asyncio.create_task(queue.run())
    sweeper = asyncio.create_task(_sweep_until(queue.closed, ctx, queue.busy, swept))
    stopping = asyncio.create_task(stop.wait())
    log.info("worker ready")
    await asyncio.wait({queueing, stopping}, return_when="FIRST_COMPLETED")
    stopping.cancel()
    queue.close()
    try:
        with contextlib.suppress(asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(asyncio.gather(queueing, sweeper), shutdown_seconds)
    finally:
        sweeper.cancel()
    await waker.stop()
    log.info("worker stopped")


class _Queue:
    """The queue library, begun anew whenever the database fails it: it gives up then, and whoever
    waits for money should not have to wait for somebody to start us again."""

    def __init__(self, ctx: Context, batch: int, at_once: int) -> None:
        self._ctx, self._batch, self._at_once = ctx, batch, at_once
        self._manager = _manager(ctx)
        self.closed = asyncio.Event()

    def busy(self) -> bool:
        return len(self._manager.job_context) >= self._batch

    def close(self) -> None:
        self.closed.set()
        self._manager.shutdown.set()

    async def run(self) -> None:
        """Until it is closed. Raises what is no trouble with the database."""
        while not self.closed.is_set():
            try:
                await self._manager.run(
                    dequeue_timeout=POLL,
                    batch_size=self._batch,
                    max_concurrent_tasks=self._at_once,
                    heartbeat_timeout=HEARTBEAT,
                )
            except TROUBLE as failure:
                log.warning("queue interrupted", error=type(failure).__name__)
            if not self.closed.is_set():
                await self._pause()
                self._manager = _manager(self._ctx)

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.closed.wait(), POLL.total_seconds())


def _manager(ctx: Context) -> QueueManager:
    manager = QueueManager(Queries.from_asyncpg_pool(ctx.database.pool))
    for name, kind in KINDS.items():
        manager.entrypoint(name)(_entrypoint(ctx, name, kind))
    return manager


def _entrypoint(ctx: Context, name: str, kind: Kind) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        try:
            shop, key = parse(job.payload)
            with tracing.job_span(name, job.headers):
                await kind.run(ctx, shop, key)
        except Unavailable:
            # The row stays due; the sweep brings it back when the database does.
            log.warning("job postponed", kind=name)
        except Exception as failure:  # a bug in one job must not stop the others
            log.error("job failed", kind=name, error=type(failure).__name__, exc_info=True)

    return run


async def _sweep_until(
    stop: asyncio.Event, ctx: Context, busy: Callable[[], bool], kinds: Mapping[str, Kind]
) -> None:
    """A busy queue has wake-ups enough, for the rows that a sweep would find first as well: then it
    looks seldom, instead of doing their work twice."""
    since = SWEEP_BUSY_SECONDS
    while not stop.is_set():
        if since >= SWEEP_BUSY_SECONDS or not busy():
            since = 0.0
            await _sweep_once(ctx, kinds, stop)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY_SECONDS)
        since += EVERY_SECONDS


async def _sweep_once(ctx: Context, kinds: Mapping[str, Kind], stop: asyncio.Event) -> None:
    try:
        await sweep(ctx, kinds, stop)
        await trim_queue_log(ctx)
    except Unavailable:
        log.warning("sweep postponed")
    except Exception as failure:  # a bug in one round must not end all later ones
        log.error("sweep failed", error=type(failure).__name__, exc_info=True)
