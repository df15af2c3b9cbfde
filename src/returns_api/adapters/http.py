"""Owns every outgoing HTTP request: deadlines, size caps, failure classes, the SSRF guard.

The only module that imports httpx (hence its length: the guard lives here too), so moving to
another client is one file. It knows no vendor: what a 4xx means is the adapter's business. It never
retries (the job that calls does) and never logs headers, bodies or query strings.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx
import orjson
import structlog

from returns_api import tracing
from returns_api.adapters.addresses import is_loopback_address, is_public_address
from returns_api.crashpoints import crashpoint_flushed
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable

__all__ = ["Call", "GuardedClient", "HttpClient", "Reply", "WebhookAnswer", "is_public_address"]

DEADLINE_SECONDS = 10.0
BODY_LIMIT_BYTES = 1 << 20
MAX_CONNECTIONS = 100
WEBHOOK_DEADLINE_SECONDS = 15.0
WEBHOOK_BODY_LIMIT_BYTES = 64 << 10
WEBHOOK_PORTS = frozenset({443, 8443})
MAX_ADDRESSES_TRIED = 3
_HOST = re.compile(rb"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")  # a name in IDNA form, or IPv6
MAX_RETRY_AFTER_SECONDS = 86_400.0

# These two log full URLs at INFO and response headers at DEBUG: identifiers and cookies that no
# log line of ours may hold. Warnings still pass.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

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
    """

    def __init__(
        self,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self.deadline_seconds = deadline_seconds
        self._body_limit = body_limit_bytes
        self._client = _httpx_client(
            httpx.Limits(
                max_connections=max_connections,
                max_keepalive_connections=max_connections,
                keepalive_expiry=4.0,  # below the 5 s after which many servers hang up
            )
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def total_deadline(self) -> AsyncIterator[None]:
        """Bounds several calls together by one deadline, e.g. the pages of a list.

        Raises ``OutcomeUnknown`` when it passes.
        """
        try:
            async with asyncio.timeout(self.deadline_seconds):
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
        sent = _SentMark(webhook=False)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            with tracing.call_span(call.method, url.host):
                async with asyncio.timeout(self.deadline_seconds):
                    reply = await self._exchange(call, sent)
        # Whatever went wrong, even a bug: what decides about money is whether bytes had left.
        except Exception as error:
            failure = _failure(error, sent=bool(sent))
            _log_call(call, url, loop.time() - started, outcome=type(failure).__name__)
            raise failure from error
        _log_call(call, url, loop.time() - started, status=reply.status)
        _refuse_unclear(reply)
        return reply

    async def _exchange(self, call: Call, sent: _SentMark) -> Reply:
        async with self._client.stream(
            call.method,
            call.url,
            headers=dict(call.headers),
            content=call.body or None,
            extensions={"trace": sent.trace},
        ) as response:
            body = await _read_capped(response, self._body_limit)
            return _reply(response, body)


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What a receiver said: ``status`` when it answered, else ``error``, a short stable code.

    Codes: bad_url, bad_request, blocked_address, dns_failed, connect_failed, timeout,
    broken_answer.
    """

    status: int | None
    retry_after: float | None = None
    error: str | None = None


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class GuardedClient:
    """Posts to addresses that a tenant chose, without letting them reach our own network.

    The name is resolved once, *every* address of it must be public, and the connection goes to
    one of the checked addresses, with the original Host and SNI: a second, different DNS answer
    changes nothing. Connections are never reused, since the pool would key them by address and
    hand one tenant's TLS session to another name on the same address.

    ``allow_loopback`` is for development only: it permits plain http, any port and 127.0.0.0/8.
    """

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        ports: frozenset[int] = WEBHOOK_PORTS,
        deadline_seconds: float = WEBHOOK_DEADLINE_SECONDS,
        resolve: Resolve | None = None,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._ports = ports
        self._deadline = deadline_seconds
        self._resolve = resolve or _resolve
        self._client = _httpx_client(
            httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=0)
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def post_webhook(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> WebhookAnswer:
        """POST once, follow nothing, never raise for what the receiver or its network did.

        The answer's body is read up to 64 KiB and thrown away.
        """
        try:
            async with asyncio.timeout(self._deadline):
                return await self._post(url, headers, body)
        except TimeoutError:
            return WebhookAnswer(None, error="timeout")
        except UnicodeError:  # a header that HTTP cannot carry
            return WebhookAnswer(None, error="bad_request")
        except _Refused as refused:
            return WebhookAnswer(None, error=str(refused))

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        target = self._check_url(url)
        addresses = await self._check_addresses(target)
        sent = _SentMark(webhook=True)
        for address in addresses[:MAX_ADDRESSES_TRIED]:
            try:
                return await self._post_to(target, address, headers, body, sent)
            except (httpx.HTTPError, OSError) as error:
                if isinstance(error, TimeoutError):
                    raise
                if sent:  # the receiver may have it: another address would be a second delivery
                    raise _Refused("broken_answer") from error
        raise _Refused("connect_failed")

    def _check_url(self, url: str) -> httpx.URL:
        try:
            target = httpx.URL(url)
        except (httpx.InvalidURL, UnicodeError, TypeError, ValueError) as error:
            raise _Refused("bad_url") from error
        port = target.port or (443 if target.scheme == "https" else 80)
        plain_ok = self._allow_loopback and target.scheme == "http"
        if not target.host or target.userinfo or not (target.scheme == "https" or plain_ok):
            raise _Refused("bad_url")
        if not _HOST.fullmatch(target.raw_host) or not 0 < port < 65_536:
            raise _Refused("bad_url")
        if port not in self._ports and not self._allow_loopback:
            raise _Refused("bad_url")
        return target.copy_with(port=port, fragment=None)

    async def _check_addresses(self, target: httpx.URL) -> Sequence[str]:
        host = target.raw_host.decode("ascii").strip("[]")
        try:
            addresses = await self._resolve(host, target.port or 443)
        except (OSError, UnicodeError) as error:
            raise _Refused("dns_failed") from error
        if not addresses:
            raise _Refused("dns_failed")
        if all(is_public_address(each) for each in addresses) and target.scheme == "https":
            return addresses
        if self._allow_loopback and all(is_loopback_address(each) for each in addresses):
            return addresses
        raise _Refused("blocked_address")

    async def _post_to(
        self,
        target: httpx.URL,
        address: str,
        headers: Mapping[str, str],
        body: bytes,
        sent: _SentMark,
    ) -> WebhookAnswer:
        host = target.raw_host.decode("ascii")
        own = {"host": _host_header(target)}
        given = {name: value for name, value in headers.items() if name.lower() not in own}
        async with self._client.stream(
            "POST",
            target.copy_with(host=address),
            headers={**given, **own},
            content=body,
            extensions={"trace": sent.trace, "sni_hostname": host.strip("[]")},
        ) as response:
            await _discard(response, WEBHOOK_BODY_LIMIT_BYTES)
            return WebhookAnswer(response.status_code, _retry_after(response.headers))


class _Refused(Exception):
    """Carries the ``WebhookAnswer.error`` code up to ``post_webhook``."""


class _Unreadable(Exception):
    """The answer is larger than allowed, or packed in a way that was not asked for."""


class _SentMark:
    """Turns true when the first byte of a request may have left this process.

    ``webhook`` only names the crash point of the moment at which all bytes have left.
    """

    def __init__(self, *, webhook: bool) -> None:
        self._sent = False
        self._webhook = webhook

    def __bool__(self) -> bool:
        return self._sent

    async def trace(self, event: str, _info: Mapping[str, object]) -> None:
        if event.endswith("send_request_headers.started"):
            self._sent = True
        elif event.endswith("send_request_body.complete"):
            await crashpoint_flushed("O2" if self._webhook else "W3")


def _httpx_client(limits: httpx.Limits) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        limits=limits,
        timeout=None,  # noqa: S113 - httpx times each read; the callers bound the whole
        trust_env=False,
        follow_redirects=False,
        headers={"accept-encoding": "identity", "user-agent": "returns-api"},
    )


def _failure(error: Exception, *, sent: bool) -> ProviderUnavailable | OutcomeUnknown:
    what = type(error).__name__ if not isinstance(error, _Unreadable) else str(error)
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
    return Reply(response.status_code, headers, body, _retry_after(response.headers))


async def _read_capped(response: httpx.Response, limit: int) -> bytes:
    """The decoded body. Unpacks with a bound, so a small bomb never becomes a large string."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip", "deflate"}:
        raise _Unreadable(f"content-encoding {encoding[:20]!r}")
    unpack = zlib.decompressobj(wbits=47) if encoding in {"gzip", "deflate"} else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        room = limit + 1 - len(body)
        try:
            body += unpack.decompress(chunk, room) if unpack else chunk[:room]
        except zlib.error as error:
            raise _Unreadable("broken compression") from error
        if len(body) > limit:
            raise _Unreadable(f"larger than {limit} bytes")
    if unpack and not unpack.eof:
        raise _Unreadable("truncated compression")
    return bytes(body)


async def _discard(response: httpx.Response, limit: int) -> None:
    seen = 0
    async for chunk in response.aiter_raw():
        seen += len(chunk)
        if seen > limit:
            return


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds named by Retry-After; a date is taken relative to the answer's own Date header."""
    raw = headers.get("retry-after", "").strip()
    if raw.isascii() and raw.isdigit() and len(raw) <= 9:
        return min(float(raw), MAX_RETRY_AFTER_SECONDS)
    try:
        wait = parsedate_to_datetime(raw) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    seconds = wait.total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS) if math.isfinite(seconds) else None


def _host_header(target: httpx.URL) -> str:
    host = target.raw_host.decode("ascii")
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    default = {"https": 443, "http": 80}[target.scheme]
    return bracketed if target.port in {default, None} else f"{bracketed}:{target.port}"


async def _resolve(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
