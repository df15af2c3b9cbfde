"""Around every request: an id, a duration, a log line without personal data, metrics, bare headers.

Plain ASGI, so that it costs little and sees what really leaves.
"""

from __future__ import annotations

import re
import time
from typing import Final

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from returns_api.api.errors import http_problem
from returns_api.logs import begin_request

REQUESTS: Final = Counter(
    "returns_api_requests_total", "Answered requests.", ("method", "route", "status")
)
SECONDS: Final = Histogram(
    "returns_api_request_seconds", "Time to answer, in seconds.", ("method", "route")
)
_QUIET: Final = frozenset({"/livez", "/readyz", "/metrics"})

log = structlog.get_logger()


class Observed:
    """Gives each request its id (the caller's ``X-Request-ID`` if harmless) and writes one line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = begin_request(Headers(scope=scope).get("x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            _observe(scope, status, time.perf_counter() - started)


class BodyLimit:
    """Refuses a body beyond ``limit`` bytes with a problem document: when it is announced, before
    it is read; when it is not, as soon as that much came. Operations whose whole path matches one
    of ``own`` count themselves.

    The framework's own limit does the same in plain text.
    """

    def __init__(self, app: ASGIApp, limit: int, own: tuple[re.Pattern[str], ...]) -> None:
        self._app, self._limit, self._own = app, limit, own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or any(own.fullmatch(scope["path"]) for own in self._own):
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "")
        if told.isdecimal() and int(told[:20]) > self._limit:
            answer = http_problem(self._refusal(), Request(scope, receive))
            await answer(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise self._refusal()
            return message

        await self._app(scope, counted, send)

    def _refusal(self) -> HTTPException:
        return HTTPException(413, f"A body has at most {self._limit} bytes.")


def _observe(scope: Scope, status: int, seconds: float) -> None:
    """The route's template, never the path: ids and tokens stay out of logs and metrics."""
    route = getattr(scope.get("route"), "path", "unknown")
    method = scope["method"] if scope["method"].isalpha() else "OTHER"
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(method, route).observe(seconds)
    if route not in _QUIET:
        log.info(
            "request", method=method, route=route, status=status, duration_ms=round(seconds * 1000)
        )
