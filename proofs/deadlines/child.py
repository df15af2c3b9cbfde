"""One sweep in a process of its own, made to be killed. Forked from a server that has it loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

from tests.support.context import Clock, a_context

from returns_api.worker import sweep
from returns_api.worker.jobs import KINDS

SILENCE: Final = {name: KINDS[name] for name in ("keep_deadline", "keep_order_deadline")}
_SERVER: Final = get_context("forkserver")
_SERVER.set_forkserver_preload([__name__])


def start(url: str, now: datetime) -> tuple[BaseProcess, Callable[[], object]]:
    """The process, and what waits until its sweep begins."""
    ours, theirs = _SERVER.Pipe(duplex=False)
    child = _SERVER.Process(target=run, args=(url, now, theirs))
    child.start()
    return child, ours.recv


def run(url: str, now: datetime, begun: Connection) -> None:
    """Sweep until nothing is due at ``now``."""
    asyncio.run(_sweep(url, now, begun))


async def _sweep(url: str, now: datetime, begun: Connection) -> None:
    async with a_context(url, Clock(now)) as ctx:
        begun.send("go")
        await sweep.drain(ctx, SILENCE)
