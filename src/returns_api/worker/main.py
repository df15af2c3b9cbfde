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
from returns_api.db.waker import Waker
from returns_api.domain.errors import Unavailable
from returns_api.usecases.context import Context
from returns_api.usecases.housekeeping import trim_queue_log
from returns_api.worker.jobs import KINDS, Kind, parse
from returns_api.worker.sweep import EVERY_SECONDS, sweep

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

POLL: Final = timedelta(seconds=1)
HEARTBEAT: Final = timedelta(seconds=30)
BATCH_MAX: Final = 50
SWEEP_BUSY_SECONDS: Final = 10.0
"""Within the 30 s that a job may lie after its lease ended."""

log = structlog.get_logger()


async def work(ctx: Context, waker: Waker, *, concurrency: int, shutdown_seconds: float) -> None:
    """Run jobs until SIGTERM or SIGINT; what is in flight then is finished within the limit."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    manager = _manager(ctx)
    batch = max(1, min(concurrency // 2, BATCH_MAX))
    waker.start()
    queue = asyncio.create_task(
        manager.run(
            dequeue_timeout=POLL,
            batch_size=batch,
            max_concurrent_tasks=max(concurrency, 2 * batch),
            heartbeat_timeout=HEARTBEAT,
        )
    )
    sweeper = asyncio.create_task(_sweep_for_ever(ctx, lambda: len(manager.job_context) >= batch))
    log.info("worker ready")
    await asyncio.wait({queue, asyncio.create_task(stop.wait())}, return_when="FIRST_COMPLETED")
    sweeper.cancel()
    manager.shutdown.set()
    with contextlib.suppress(asyncio.CancelledError, TimeoutError):
        await asyncio.wait_for(queue, shutdown_seconds)
    with contextlib.suppress(asyncio.CancelledError):
        await sweeper
    await waker.stop()
    log.info("worker stopped")


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
        except Exception as failure:
            log.error("job failed", kind=name, error=type(failure).__name__, exc_info=True)

    return run


async def _sweep_for_ever(ctx: Context, busy: Callable[[], bool]) -> None:
    """A busy queue has wake-ups enough, for the rows that a sweep would find first as well: then it
    looks seldom, instead of doing their work twice."""
    since = SWEEP_BUSY_SECONDS
    while True:
        if since >= SWEEP_BUSY_SECONDS or not busy():
            since = 0.0
            await _sweep_once(ctx)
        await asyncio.sleep(EVERY_SECONDS)
        since += EVERY_SECONDS


async def _sweep_once(ctx: Context) -> None:
    try:
        await sweep(ctx)
        await trim_queue_log(ctx)
    except Unavailable:
        log.warning("sweep postponed")
    except Exception as failure:
        log.error("sweep failed", error=type(failure).__name__, exc_info=True)
