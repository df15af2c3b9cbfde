"""Posting to addresses that a tenant chose, without letting them reach our own network."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from returns_api.adapters.addresses import is_loopback_address, is_public_address
from returns_api.adapters.http.connections import httpx_client
from returns_api.adapters.http.reading import SentMark, discard, retry_after

DEADLINE_SECONDS: Final = 15.0
BODY_LIMIT_BYTES: Final = 64 << 10
WEBHOOK_PORTS: Final = frozenset({443, 8443})
MAX_CONNECTIONS: Final = 100
MAX_ADDRESSES_TRIED: Final = 3
_HOST: Final = re.compile(rb"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")  # a name in IDNA form, or IPv6


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
        deadline_seconds: float = DEADLINE_SECONDS,
        resolve: Resolve | None = None,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._ports = ports
        self._deadline = deadline_seconds
        self._resolve = resolve or _resolve
        limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=0)
        self._client = httpx_client(limits)

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
        sent = SentMark(webhook=True)
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
        sent: SentMark,
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
            await discard(response, BODY_LIMIT_BYTES)
            return WebhookAnswer(response.status_code, retry_after(response.headers))


class _Refused(Exception):
    """Carries the ``WebhookAnswer.error`` code up to ``post_webhook``."""


def _host_header(target: httpx.URL) -> str:
    host = target.raw_host.decode("ascii")
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    default = {"https": 443, "http": 80}[target.scheme]
    return bracketed if target.port in {default, None} else f"{bracketed}:{target.port}"


async def _resolve(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
