"""A small HTTP receiver on loopback that keeps what it was sent and answers what it was told.

It stands for a merchant's web server: the service talks to it over a real socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived; header names are lower-case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer. ``hang_up`` closes the connection without an answer."""

    status: int = 204
    headers: tuple[tuple[str, str], ...] = ()
    hang_up: bool = False
    body: bytes = b""


@dataclass(slots=True)
class Receiver:
    """``answer`` decides for each request; ``received`` grows in order of arrival.

    Nothing is answered before ``open`` is set, which it is at the start.
    """

    base_url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], Reply] = field(default=lambda _: Reply())
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            request = Received(first.split(" ")[1], headers, body)
            self.received.append(request)
            reply = self.answer(request)
            await self.open.wait()
            if not reply.hang_up:
                extra = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
                writer.write(
                    f"HTTP/1.1 {reply.status} x\r\n{extra}content-length: {len(reply.body)}\r\n"
                    "connection: close\r\n\r\n".encode()
                    + reply.body
                )
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens for the length of the block."""
    receiver = Receiver()
    receiver.open.set()
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    receiver.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield receiver
    finally:
        server.close()
        await server.wait_closed()
