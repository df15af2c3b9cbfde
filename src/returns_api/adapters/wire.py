"""One HTTP/1.1 exchange over a kept connection: sockets, TLS and who may use which connection.

What is said on the wire, and whether an answer is well-formed, is h11's business; this is h11 on an
asyncio protocol and nothing more. It knows no deadline (the callers bound the whole), follows
nothing, repeats nothing, decodes nothing. It exists because a general client cost half of a
worker's processor time, most of it in its pool.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, cast

import h11
import httpx

HEAD_LIMIT_BYTES: Final = 100 << 10


class Broken(Exception):
    """The connection ended, or what came back is not HTTP. The text quotes nobody."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection goes. ``address`` may be one that was checked before; a certificate must
    be for ``name`` in any case."""

    secure: bool
    address: str
    port: int
    name: str


@dataclass(slots=True)
class Answer:
    """Header names are lower-case. Not ``whole`` when the body went beyond the limit."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A request; at most ``limit`` bytes of the answer's body are kept.

    ``leaving`` is called right before the first byte may leave, ``left`` once all are written.
    """

    head: h11.Request
    body: bytes
    limit: int
    leaving: Callable[[], None]
    left: Callable[[], Awaitable[None]]


class Connections:
    """At most ``most`` at once; one that rests is closed after ``keep_seconds``, 0 keeps none."""

    def __init__(self, *, most: int, keep_seconds: float) -> None:
        self._gate = asyncio.Semaphore(most)
        self._keep_seconds = keep_seconds
        self._resting: dict[Origin, list[_Connection]] = {}
        self._tls: ssl.SSLContext | None = None

    async def ask(self, origin: Origin, question: Question) -> Answer:
        """One exchange. A connection that was interrupted in it is never used again.

        Raises:
            OSError: no connection, or its certificate is wrong; nothing was sent.
            Broken: there was no usable answer.
        """
        async with self._gate:
            connection = self._rested(origin) or await self._connect(origin)
            try:
                answer = await connection.ask(question)
            except BaseException:
                connection.close()
                raise
            if self._keep_seconds and connection.next_cycle():
                self._rest(origin, connection)
            else:
                connection.close()
            return answer

    def close(self) -> None:
        """Close what rests; what is in use closes with its call."""
        for connections in self._resting.values():
            for connection in connections:
                connection.close()
        self._resting.clear()

    def _rested(self, origin: Origin) -> _Connection | None:
        resting = self._resting.get(origin)
        while resting:
            connection = resting.pop()
            if connection.awake():
                return connection
        return None

    def _rest(self, origin: Origin, connection: _Connection) -> None:
        connection.rest(self._keep_seconds)
        others = [each for each in self._resting.get(origin, ()) if each.open]
        self._resting[origin] = [*others, connection]

    async def _connect(self, origin: Origin) -> _Connection:
        tls = self._context() if origin.secure else None
        name = origin.name if origin.secure else None
        _, connection = await asyncio.get_running_loop().create_connection(
            _Connection, origin.address, origin.port, ssl=tls, server_hostname=name
        )
        return connection

    def _context(self) -> ssl.SSLContext:
        """Made at the first use: reading the trusted certificates takes a while."""
        if self._tls is None:
            self._tls = httpx.create_ssl_context(trust_env=False)
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.open = False
        self._transport: asyncio.Transport | None = None
        self._talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT_BYTES)
        self._answer: Answer | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._limit = 0
        self._rest: asyncio.TimerHandle | None = None

    async def ask(self, question: Question) -> Answer:
        parts = [self._talk.send(question.head)]
        if question.body:
            parts.append(self._talk.send(h11.Data(data=question.body)))
        parts.append(self._talk.send(h11.EndOfMessage()))
        if self._transport is None or not self.open:
            raise ConnectionAbortedError("closed before anything was sent")
        self._answer, self._limit = None, question.limit
        self._waiting = asyncio.get_running_loop().create_future()
        question.leaving()
        self._transport.write(b"".join(part for part in parts if part))
        await question.left()
        return await self._waiting

    def next_cycle(self) -> bool:
        """Whether it is good for another exchange: this one ended, and nothing came after it."""
        self._waiting = self._answer = None
        done = self._talk.our_state is h11.DONE and self._talk.their_state is h11.DONE
        if not self.open or not done or any(self._talk.trailing_data):
            return False
        self._talk.start_next_cycle()
        return True

    def rest(self, seconds: float) -> None:
        self._rest = asyncio.get_running_loop().call_later(seconds, self.close)

    def awake(self) -> bool:
        """End a rest; False when the connection was closed meanwhile, or something came unasked."""
        self._stop_resting()
        if self.open and self._readable():  # its end is here, and the loop had no turn to say so
            self.close()
        return self.open

    def close(self) -> None:
        self._stop_resting()
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    def _stop_resting(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _readable(self) -> bool:
        assert self._transport is not None
        waiting = select.poll()
        waiting.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(waiting.poll(0))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.open = cast("asyncio.Transport", transport), True

    def data_received(self, data: bytes) -> None:
        self._heard(data)

    def eof_received(self) -> None:
        self._heard(b"")

    def connection_lost(self, error: Exception | None) -> None:
        if error is None:
            self._heard(b"")
        self.close()
        self._fail("the connection was lost")

    def _heard(self, data: bytes) -> None:
        """Empty data is the end. Whatever nobody asked for ends the connection."""
        if self._waiting is None:
            self.close()
        elif not self._waiting.done():
            try:
                self._talk.receive_data(data)
                self._read(self._waiting)
            except h11.RemoteProtocolError:
                self._fail("ended too soon" if not data else "not HTTP")
        elif data:  # after the answer: it is in doubt whose it would be
            self.close()

    def _read(self, waiting: asyncio.Future[Answer]) -> None:
        while (event := self._talk.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                self._answer = Answer(event.status_code, list(event.headers))
            elif isinstance(event, h11.Data) and self._answer is not None:
                self._answer.body += event.data
                if len(self._answer.body) > self._limit:
                    waiting.set_result(self._answer)
                    self.close()
                    return
            elif isinstance(event, h11.EndOfMessage) and self._answer is not None:
                self._answer.whole = True
                waiting.set_result(self._answer)
                return
            elif not isinstance(event, h11.InformationalResponse):
                self._fail("ended too soon")
                return

    def _fail(self, why: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Broken(why))
        self.close()
