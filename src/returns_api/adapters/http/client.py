"""Calls to providers: one total deadline, and every failure as one of two classes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx
import orjson
import structlog

from returns_api import tracing
from returns_api.adapters.http.connections import HEADERS, Connections
from returns_api.adapters.http.reading import SentMark, Unreadable, read_capped, retry_after
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable

DEADLINE_SECONDS: Final = 10.0
BODY_LIMIT_BYTES: Final = 1 << 20
MAX_CONNECTIONS: Final = 100

Timeout = Callable[[float], AbstractAsyncContextManager[object]]
"""Bounds a block by so many seconds with ``TimeoutError``, as ``asyncio.timeout`` does."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to make. Headers carry secrets and bodies carry people: neither is printed."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that arrived whole. ``retry_after`` is in seconds, header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    retry_after: float | None = None

    def json_object(self) -> dict[str, object]:
        """The body as a JSON object. Raises ``OutcomeUnknown`` for anything else, NaN included."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise OutcomeUnknown(f"answer {self.status} is not JSON") from error
        if not isinstance(value, dict):
            raise OutcomeUnknown(f"answer {self.status} is not a JSON object")
        return value


class HttpClient:
    """Calls to providers that somebody with authority configured, so no SSRF guard.

    ``deadline_seconds`` bounds the whole call, from waiting for a connection to the last byte.
    ``timeout`` is what measures them.
    """

    def __init__(
        self,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        max_connections: int = MAX_CONNECTIONS,
        timeout: Timeout = asyncio.timeout,
    ) -> None:
        self.deadline_seconds = deadline_seconds
        self._timeout = timeout
        self._body_limit = body_limit_bytes
        self._connections = Connections(max_connections)

    async def aclose(self) -> None:
        await self._connections.aclose()

    @asynccontextmanager
    async def total_deadline(self) -> AsyncIterator[None]:
        """Bounds several calls together by one deadline, e.g. the pages of a list.

        Raises ``OutcomeUnknown`` when it passes.
        """
        try:
            async with self._timeout(self.deadline_seconds):
                yield
        except TimeoutError as error:
            raise OutcomeUnknown(f"not finished within {self.deadline_seconds} s") from error

    async def send(self, call: Call) -> Reply:
        """The 2xx or 4xx answer to ``call``; 429 is not among them.

        Raises ``ProviderUnavailable`` when nothing was sent, or the provider said "later" (429);
        ``OutcomeUnknown`` for everything that went wrong after bytes may have left, for 3xx
        (never followed) and for 5xx. The rule holds for reads too, so that a failed look-up can
        never be taken for "it did not act".
        """
        try:
            url = httpx.URL(call.url)
        except httpx.InvalidURL as error:
            raise ProviderUnavailable("the address is not a URL") from error
        sent = SentMark(webhook=False)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            with tracing.call_span(call.method, url.host):
                async with self._timeout(self.deadline_seconds):
                    reply = await self._exchange(call, url, sent)
        except Exception as error:  # even a bug: about money decides whether bytes had left
            failure = _failure(error, sent=bool(sent))
            _log_call(call, url, loop.time() - started, outcome=type(failure).__name__)
            raise failure from error
        _log_call(call, url, loop.time() - started, status=reply.status)
        _refuse_unclear(reply)
        return reply

    async def _exchange(self, call: Call, url: httpx.URL, sent: SentMark) -> Reply:
        request = httpx.Request(
            call.method,
            url,
            headers={**HEADERS, **call.headers},
            content=call.body or None,
            extensions={"trace": sent.trace},
        )
        async with self._connections.one(url) as transport:
            response = await transport.handle_async_request(request)
            try:
                return _reply(response, await read_capped(response, self._body_limit))
            finally:
                await response.aclose()


def _failure(error: Exception, *, sent: bool) -> ProviderUnavailable | OutcomeUnknown:
    what = type(error).__name__ if not isinstance(error, Unreadable) else str(error)
    if sent and not isinstance(error, httpx.LocalProtocolError):  # ours: refused before sending
        return OutcomeUnknown(f"no usable answer: {what}")
    return ProviderUnavailable(f"not reached: {what}")


def _refuse_unclear(reply: Reply) -> None:
    if reply.status == 429:
        raise ProviderUnavailable("asked to slow down", reply.retry_after)
    if not 200 <= reply.status < 300 and not 400 <= reply.status < 500:
        raise OutcomeUnknown(f"answer {reply.status}")


def _log_call(call: Call, url: httpx.URL, seconds: float, **result: object) -> None:
    ms = round(seconds * 1000)
    log.info("http_out", method=call.method, host=url.host, path=url.path, ms=ms, **result)


def _reply(response: httpx.Response, body: bytes) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, body, retry_after(response.headers))
