"""A small HTTP server that records what it is sent and answers what it is told."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Self

from tests.support.patience import PATIENCE

CLOSE = b"\0close"
"""At the end of an answer: hang up after it. Alone: hang up without an answer."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request. Header names are lower-case."""

    target: str
    headers: dict[str, str]
    body: bytes


class Recorder:
    """Listens on loopback. ``answers`` are raw responses, used in turn; then 204."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.answers: deque[bytes] = deque()
        self.connections = 0
        self.closed = 0
        self._arrived = asyncio.Event()
        self.url = ""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def arrival(self) -> None:
        """Wait for the first request."""
        async with asyncio.timeout(PATIENCE):
            await self._arrived.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                await self._one(reader, writer)
        except (OSError, EOFError):
            pass
        finally:
            self.closed += 1
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        pairs = (line.split(": ", 1) for line in lines if ": " in line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self._arrived.set()
        self.requests.append(Received(first.split(" ")[1], headers, body))
        answer = self.answers.popleft() if self.answers else b"HTTP/1.1 204 OK\r\n\r\n"
        writer.write(answer.removesuffix(CLOSE))
        await writer.drain()
        if answer.endswith(CLOSE):
            raise EOFError
