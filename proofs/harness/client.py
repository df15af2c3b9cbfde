"""A lean HTTP/1.1 client on asyncio streams that retries like a real one.

429 and 503 with ``Retry-After`` are waited out, a lost connection is tried again, both with the
same Idempotency-Key; everything is counted. Any other answer is the caller's to judge.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

ANSWER_SECONDS: Final = 60.0
IDLE_SECONDS: Final = 3.0
"""Below the 5 s after which uvicorn hangs up."""
RETRY_AFTER_MAX: Final = 5.0
LOST_PAUSE_SECONDS: Final = 0.05

Place = tuple[str, int]
Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Lost(Exception):
    """The connection went away before the answer was complete."""


class GaveUp(Exception):
    """No final answer in the time given to the request."""


_UNKNOWN: Final = (Lost, OSError, TimeoutError)
"""Whether it was done is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names are lower-case; ``tries`` is how often it was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    tries: int = 1

    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's code, empty for anything that is no problem."""
        if self.headers.get("content-type", "").startswith("application/problem+json"):
            return str(self.json().get("code", ""))
        return ""


class Client:
    """``seen`` counts final statuses, ``retried`` what was waited out or tried again."""

    def __init__(self, urls: Sequence[str], seed: int = 0) -> None:
        """``urls`` are used in turn."""
        places = [(urlsplit(url).hostname or "", urlsplit(url).port or 80) for url in urls]
        self.seen: Counter[int] = Counter()
        self.retried: Counter[str] = Counter()
        self._places = cycle(places)
        self._idle: dict[Place, list[tuple[float, Wire]]] = {place: [] for place in places}
        self._random = Random(seed)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        for kept in self._idle.values():
            for _since, wire in kept:
                wire[1].close()

    async def send(
        self,
        method: str,
        path: str,
        token: str,
        body: object = None,
        *,
        key: str | None = None,
        seconds: float = 120.0,
    ) -> Answer:
        """The final answer. Raises ``GaveUp`` when there is none within ``seconds``."""
        data = b"" if body is None else orjson.dumps(body)
        headers = {"authorization": f"Bearer {token}"}
        if body is not None:
            headers["content-type"] = "application/json"
        if key is not None:
            headers["idempotency-key"] = key
        return await self.send_raw(method, path, headers, data, seconds=seconds)

    async def send_raw(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        seconds: float = 120.0,
    ) -> Answer:
        """The same for bytes and headers of one's own."""
        message = _message(method, path, headers, body)
        end, tries = time.monotonic() + seconds, 0
        while True:
            tries += 1
            pause = await self._try(message, tries)
            if isinstance(pause, Answer):
                self.seen[pause.status] += 1
                return pause
            if time.monotonic() + pause > end:
                raise GaveUp(f"{method} {path}: no final answer within {seconds:.0f} s")
            await asyncio.sleep(pause)

    async def once(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer | None:
        """What one try brings, whatever it is; ``None`` when nobody knows what became of it."""
        try:
            return await self._send(_message(method, path, headers, body))
        except _UNKNOWN as lost:
            self.retried[type(lost).__name__] += 1
            return None

    async def _try(self, message: bytes, tries: int) -> Answer | float:
        """The answer, or how long to wait before the next try."""
        try:
            answer = await self._send(message)
        except _UNKNOWN as lost:
            self.retried[type(lost).__name__] += 1
            return LOST_PAUSE_SECONDS * min(tries, 10)
        wait = answer.headers.get("retry-after")
        if answer.status in {429, 503} and wait is not None:
            self.retried[str(answer.status)] += 1
            return min(float(wait), RETRY_AFTER_MAX) * self._random.uniform(0.5, 1.0)
        return Answer(answer.status, answer.headers, answer.body, tries)

    async def _send(self, message: bytes) -> Answer:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._exchange(next(self._places), message)

    async def _exchange(self, place: Place, message: bytes) -> Answer:
        reader, writer = await self._wire(place)
        keep = False
        try:
            writer.write(message)
            answer = await _read(reader)
            keep = answer.headers.get("connection", "") != "close"
            return answer
        except (asyncio.IncompleteReadError, ConnectionError) as lost:
            raise Lost from lost
        finally:
            if keep:
                self._idle[place].append((time.monotonic(), (reader, writer)))
            else:
                writer.close()

    async def _wire(self, place: Place) -> Wire:
        idle = self._idle[place]
        while idle:
            since, wire = idle.pop()
            if time.monotonic() - since < IDLE_SECONDS and not wire[1].is_closing():
                return wire
            wire[1].close()
        return await asyncio.open_connection(*place)


def _message(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: proof", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    status = int(first.split(" ", 2)[1])
    length = int(headers.get("content-length", "0"))
    return Answer(status, headers, await reader.readexactly(length))
