"""Plays the merchant's server: takes webhooks on loopback and checks each with the public library.

It uses ``standardwebhooks`` (the reference implementation) and none of the service's own code, so
what it accepts, any merchant's server accepts. Where the demo moves time, the receiver's moves too.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from standardwebhooks import Webhook, WebhookVerificationError

MAX_BODY: Final = 64 * 1024
READ_SECONDS: Final = 10.0
TOLERANCE: Final = timedelta(minutes=5)
"""Of the library, which knows no other time than the real one."""

Clock = Callable[[], datetime]


class Receiver:
    """``events`` grows by each genuine message; ``refused`` counts the others."""

    def __init__(self, clock: Clock | None = None) -> None:
        """``clock`` is a moved one; without it the library itself looks at the time."""
        self.url = ""
        self._clock = clock
        self.events: list[dict[str, Any]] = []
        self.refused = 0
        self._check: Webhook | None = None
        self._arrived = asyncio.Condition()

    def trust(self, secret: str) -> None:
        """From now on, what ``secret`` signed is genuine."""
        self._check = Webhook(secret)

    async def wait_for(self, types: set[str], resource: str, seconds: float) -> list[str]:
        """The types among ``types`` that were told about ``resource``, when all are or time is up.

        ``resource`` is an id anywhere among the event's resource and data.
        """
        try:
            async with asyncio.timeout(seconds), self._arrived:
                await self._arrived.wait_for(lambda: types <= self._told(resource))
        except TimeoutError:
            pass
        return sorted(types & self._told(resource))

    def _told(self, resource: str) -> set[str]:
        return {
            event["type"]
            for event in self.events
            if resource in (event["resource"], *event["data"].values())
        }

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request on one connection."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                headers, body = await _read(reader)
            status = await self._take(headers, body)
            writer.write(
                f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
            )
            await writer.drain()
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            pass  # a broken connection is the sender's business: it sends again
        finally:
            writer.close()

    async def _take(self, headers: dict[str, str], body: bytes) -> str:
        if self._check is None:
            return "503 Not yet"
        try:
            event = self._verified(self._check, body, headers)
        except WebhookVerificationError:
            self.refused += 1
            return "401 Unauthorized"
        async with self._arrived:
            self.events.append(event)
            self._arrived.notify_all()
        return "204 No Content"

    def _verified(self, check: Webhook, body: bytes, headers: dict[str, str]) -> Any:
        """The event. Raises: WebhookVerificationError."""
        if self._clock is None:
            return check.verify(body, headers)
        at = datetime.fromtimestamp(int(headers.get("webhook-timestamp", "0")), UTC)
        signed = check.sign(headers.get("webhook-id", ""), at, body.decode())
        given = headers.get("webhook-signature", "").split(" ")
        if not any(hmac.compare_digest(signed, each) for each in given):
            raise WebhookVerificationError("No matching signature found")
        if abs(self._clock() - at) > TOLERANCE:
            raise WebhookVerificationError("Message timestamp too old or too new")
        return json.loads(body)


@asynccontextmanager
async def receiving(clock: Clock | None = None) -> AsyncIterator[Receiver]:
    """A receiver that listens on a free port of loopback for the length of the block."""
    receiver = Receiver(clock)
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    receiver.url = f"http://{host}:{port}/webhooks"
    try:
        yield receiver
    finally:
        server.close()
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lines = head.strip().split("\r\n")[1:]
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= MAX_BODY:
        raise ValueError("too long for a webhook")
    return headers, await reader.readexactly(length)
