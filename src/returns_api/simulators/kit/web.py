"""A router over bare ASGI that can also misbehave on purpose: reset, drip, flood, truncate.

Owns the transport. Decides nothing: which fault fires is ``faults``' business. Runs under uvicorn
only, because cutting a connection needs the server's own transport.
"""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import orjson
import uvicorn

MAX_BODY_BYTES = 4 << 20
FLOOD_BYTES = 100_000_000

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Request:
    """One request, read whole. Header names are lower-case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    args: tuple[str, ...] = ()

    def pairs(self) -> list[tuple[str, str]]:
        """The url-encoded body as it stands."""
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def form(self) -> dict[str, str]:
        """The url-encoded body; the last of repeated names wins."""
        return dict(self.pairs())

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty body is an empty object."""
        if not self.body:
            return {}
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise Problem(400, {"error": "the body is not JSON"}) from error
        if not isinstance(value, dict):
            raise Problem(400, {"error": "the body is not a JSON object"})
        return value


@dataclass(slots=True)
class Response:
    """An answer. ``manner`` says how to send it: None is properly."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: str | None = None


class Problem(Exception):
    """An error answer, raised from anywhere below a handler."""

    def __init__(
        self, status: int, content: object, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status)
        self.response = json_response(content, status, headers)


Handler = Callable[[Request], Awaitable[Response]]


def json_response(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """``content`` as JSON."""
    return Response(
        status, orjson.dumps(content), {"content-type": "application/json", **(headers or {})}
    )


class App:
    """Routes are ``(method, pattern, handler)``; ``{}`` in a pattern takes one path segment."""

    def __init__(
        self,
        routes: list[tuple[str, str, Handler]],
        lifespan: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        self._exact = {(method, path): made for method, path, made in routes if "{}" not in path}
        self._patterns = [
            (method, re.compile(re.escape(path).replace(r"\{\}", "([^/]+)")), made)
            for method, path, made in routes
            if "{}" in path
        ]
        self._lifespan = lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._lifespan():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = await _read(scope, receive)
            response = await self._find(request)(request)
        except Problem as problem:
            response = problem.response
        except (KeyError, TypeError, ValueError) as error:
            if not scope["path"].startswith("/_control"):  # a vendor's API answers 500 for its bugs
                raise
            response = json_response({"error": repr(error)}, 400)
        await _SEND[response.manner](response, send)

    def _find(self, request: Request) -> Handler:
        exact = self._exact.get((request.method, request.path))
        if exact is not None:
            return exact
        for method, pattern, handler in self._patterns:
            if method == request.method and (match := pattern.fullmatch(request.path)):
                request.args = match.groups()
                return handler
        raise Problem(404, {"error": {"type": "invalid_request_error", "message": "No such path"}})


async def _read(scope: Scope, receive: Receive) -> Request:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY_BYTES:
            raise Problem(413, {"error": "the body is too large"})
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(scope["method"], scope["path"], query, headers, body)


async def _start(response: Response, send: Send, **more: str) -> None:
    headers = {"content-length": str(len(response.body)), **response.headers, **more}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})


async def _properly(response: Response, send: Send) -> None:
    await _start(response, send)
    await send({"type": "http.response.body", "body": response.body})


async def _reset(_response: Response, send: Send) -> None:
    """Cut the connection without a byte, with RST where the system allows it."""
    cycle = _cycle(send)
    raw = cycle.transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    cycle.transport.abort()
    while not cycle.disconnected:  # noqa: ASYNC110 - else the server calls the missing answer a bug
        await asyncio.sleep(0)


def _cycle(send: Send) -> Any:
    """The server's own object of this request: its transport, and whether the client is gone."""
    return send.__self__  # type: ignore[attr-defined]


async def _truncate(response: Response, send: Send) -> None:
    await _start(response, send, **{"content-length": str(len(response.body) + 100)})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    await _reset(response, send)


async def _drip(response: Response, send: Send) -> None:
    """One byte a second: each read succeeds, the whole never ends in time."""
    await _start(response, send)
    for position in range(len(response.body)):
        await asyncio.sleep(1)
        if _cycle(send).disconnected:
            return
        piece = response.body[position : position + 1]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _flood(response: Response, send: Send) -> None:
    await _start(response, send, **{"content-length": str(FLOOD_BYTES)})
    piece = b" " * 50_000
    for _ in range(FLOOD_BYTES // len(piece)):
        if _cycle(send).disconnected:
            return
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _bomb(response: Response, send: Send) -> None:
    """A hundred kilobytes that unpack to ``FLOOD_BYTES``."""
    headers = {**response.headers, "content-encoding": "gzip"}
    await _properly(Response(response.status, _packed_flood(), headers), send)


@cache
def _packed_flood() -> bytes:
    piece = b" " * 1_000_000
    count = FLOOD_BYTES // len(piece)
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    check = 0
    for _ in range(count):
        check = zlib.crc32(piece, check)
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return head + block * count + packer.flush() + struct.pack("<II", check, FLOOD_BYTES)


_SEND: dict[str | None, Callable[[Response, Send], Awaitable[None]]] = {
    None: _properly,
    "reset": _reset,
    "truncate": _truncate,
    "drip": _drip,
    "flood": _flood,
    "bomb": _bomb,
}


def run(app: App, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; prints one JSON line with the address once it listens.

    Port 0 takes a free one.
    """
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen(2048)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=30,
    )
    shown = f"[{host}]" if ":" in host else host
    print(
        orjson.dumps({"listening": f"http://{shown}:{sock.getsockname()[1]}"}).decode(), flush=True
    )
    signal.signal(signal.SIGINT, signal.default_int_handler)
    uvicorn.Server(config).run(sockets=[sock])
