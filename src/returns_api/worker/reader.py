"""A process that reads the messages of one installed adapter, one after the other.

An installed adapter is strangers' code. Its reader may raise, exit, crash, loop or take all memory:
then its process ends, the message that it had in hand has failed, and the next message finds a new
process. The worker and all other messages go on meanwhile. What comes back are facts of ours and
nothing else. Owns starting, asking, bounding and ending that process; refuses to own which adapters
are read so (``wiring``) and what a failure means for the message (``usecases.inbox``).
"""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import EnumType
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog

from returns_api.usecases._reading import Fact, ReaderTaken, Unread
from returns_api.worker.apart import NICE, bound_memory, told

SECONDS: Final = 10.0
"""For one message: a reader waits for nobody, only for the machine."""
BUSY_SECONDS: Final = 1.0
"""Of the processor's, which is some hundred times what the largest body takes."""
MARGIN_SECONDS: Final = 5.0
"""After which a process that does not end itself is killed; its start is within."""
WAIT_SECONDS: Final = 2.0
"""For the messages before: whatever waits longer has a place among the worker's jobs that others
could use. With all of the above below a lease."""
_OURS: Final = ("returns_api.domain.", "returns_api.ports.")
_ATTRIBUTE: Final = ("builtins", "getattr")
_PLAIN: Final = frozenset({"datetime", "decimal", "uuid", "zoneinfo"})

log = structlog.get_logger()


class ReaderProcess:
    """``usecases._reading.Reader``: begun with the first message, and anew after each end."""

    def __init__(
        self,
        target: Callable[..., None],
        *given: Any,
        busy_seconds: float = BUSY_SECONDS,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """``target(*given, busy_seconds, channel)`` is called in the process, a function of a
        module's own that ends in ``serve``."""
        self._target, self._given, self._wait = target, (*given, busy_seconds), wait_seconds
        self._context = multiprocessing.get_context("forkserver")
        self._turn = asyncio.Lock()
        self._running: _Running | None = None

    async def __call__(self, topic: str, body: bytes) -> Sequence[Fact]:
        try:
            async with asyncio.timeout(self._wait):
                await self._turn.acquire()
        except TimeoutError:
            raise ReaderTaken from None
        stop = threading.Event()
        asked = asyncio.ensure_future(asyncio.to_thread(self._asked, stop, topic, body))
        asked.add_done_callback(self._next)
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            stop.set()  # a worker that stops waits for no answer
            self.close()
            raise

    def close(self) -> None:
        """End the process, whatever it does; the next message would begin another."""
        if self._running is not None:
            self._running.process.kill()

    def _next(self, asked: asyncio.Future[Sequence[Fact]]) -> None:
        """Its caller may be gone, and is told all the same if not."""
        self._turn.release()
        if not asked.cancelled():
            asked.exception()

    def _asked(self, stop: threading.Event, topic: str, body: bytes) -> Sequence[Fact]:
        running = self._running
        if running is None or not running.process.is_alive():  # ended by somebody, with nothing
            running = self._running = self._start()
        if stop.is_set():  # before there was a process to end
            running.process.kill()
        answer = running.ask(topic, body)
        if answer is None:
            self._running = None
            raise Unread(f"its reader {told(running.end(), SECONDS)}")
        return _understood(answer)

    def _start(self) -> _Running:
        self._context.set_forkserver_preload([self._target.__module__])
        ours, theirs = self._context.Pipe()
        with theirs:  # the process has a copy: when it ends, so does the channel
            process = self._context.Process(
                target=self._target, args=(*self._given, theirs), daemon=True
            )
            try:
                process.start()
            except (EOFError, OSError) as failure:  # no fault of the message
                log.warning("reader does not start", error=type(failure).__name__)
                raise ReaderTaken from failure
        return _Running(process, ours)


class _Running:
    """One process and the channel to it."""

    def __init__(self, process: ForkServerProcess, channel: Connection) -> None:
        self.process, self._channel = process, channel

    def ask(self, topic: str, body: bytes) -> bytes | None:
        """Its answer; None when there came none."""
        with suppress(EOFError, OSError):
            self._channel.send((topic, body))
            if self._channel.poll(SECONDS + MARGIN_SECONDS):
                return self._channel.recv_bytes()
            self.process.kill()
        return None

    def end(self) -> int | None:
        """Its exit code, negative for a signal. Its channel has ended, and so it is about to."""
        self._channel.close()
        self.process.join(MARGIN_SECONDS)
        self.process.kill()
        self.process.join()
        return self.process.exitcode


def serve(
    channel: Connection,
    read: Callable[[str, bytes], Sequence[Fact]],
    memory_mb: int | None,
    busy_seconds: float,
) -> None:
    """Called in the process: read what comes until nobody asks any more. The process ends itself
    when one message takes too long, also if nobody is left to do it."""
    os.nice(NICE)
    bound_memory(memory_mb)
    with suppress(EOFError, OSError):
        while True:
            topic, body = channel.recv()
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            signal.setitimer(signal.ITIMER_PROF, busy_seconds)
            answer = _answer(read, topic, body)
            channel.send_bytes(answer)
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(read: Callable[[str, bytes], Sequence[Fact]], topic: str, body: bytes) -> bytes:
    """Facts, or why there are none: what a reader says of a place, else only what it was."""
    try:
        return pickle.dumps(("facts", read(topic, body)))
    except ValueError as unreadable:
        return pickle.dumps(("value", str(unreadable)))
    except (Exception, SystemExit) as failure:
        name = type(failure).__name__
        log.warning("reader failed", topic=topic, error=name, exc_info=True)
        return pickle.dumps(("unread", name))


def _understood(answer: bytes) -> Sequence[Fact]:
    try:
        how, what = _Known(io.BytesIO(answer)).load()
    except Exception as wrong:  # a stranger's pickle can fail in every way
        raise Unread("its reader gave what is no fact") from wrong
    if how == "facts":
        facts: Sequence[Fact] = what
        return facts
    raise ValueError(what) if how == "value" else Unread(what)


class _Known(pickle.Unpickler):
    """Makes what facts consist of, and calls nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == _ATTRIBUTE:
            return _attribute
        if module in _PLAIN or module.startswith(_OURS):
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no fact's")


def _attribute(owner: object, name: str) -> object:
    """A time zone of the standard library comes as an attribute of its class and, from some
    versions of Python, a member of an enumeration, too."""
    if owner is ZoneInfo and name == "_unpickle":
        return getattr(ZoneInfo, name)
    if isinstance(owner, EnumType) and name in owner.__members__:
        return owner.__members__[name]
    raise pickle.UnpicklingError(f"{name} is no fact's")
