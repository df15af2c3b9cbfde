"""Connections to those we call, rested and used again; httpx does the talking.

A transport of httpx here has one connection. With a pool of many, httpx looks at each of them for
each request: 25 at once cost three times the processor time of 25 with one each. And it is used
without a client around it, which would only keep cookies, follow redirects and log in (ADR 9).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Final

import httpx

REST_SECONDS: Final = 4.0
"""Below the 5 s after which many servers hang up."""
_ONE: Final = httpx.Limits(
    max_connections=1, max_keepalive_connections=1, keepalive_expiry=REST_SECONDS
)

# These two log full URLs at INFO and response headers at DEBUG: identifiers and cookies that no
# log line of ours may hold. Warnings still pass.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


HEADERS: Final = {
    "accept": "*/*",
    "accept-encoding": "identity",
    "connection": "keep-alive",
    "user-agent": "returns-api",
}
"""What every request says of us."""


@cache
def trust() -> ssl.SSLContext:
    """Whom we believe to be who they say: read once in a process, since reading takes 20 ms."""
    return httpx.create_ssl_context(trust_env=False)


def httpx_client(limits: httpx.Limits) -> httpx.AsyncClient:
    """No proxies of the environment, no redirects, no own timeouts."""
    return httpx.AsyncClient(
        limits=limits,
        timeout=None,  # noqa: S113 - httpx times each read; the callers bound the whole
        verify=trust(),
        trust_env=False,
        follow_redirects=False,
        headers=HEADERS,
    )


_Resting = deque[tuple[float, httpx.AsyncHTTPTransport]]
"""With the time (monotonic seconds) at which each was used last, the latest at the right end."""


class Connections:
    """At most ``most`` connections in use at once, over all origins; who comes later waits."""

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._room = asyncio.Semaphore(most)
        self._resting: defaultdict[tuple[str, bytes], _Resting] = defaultdict(deque)

    @asynccontextmanager
    async def one(self, url: httpx.URL) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        """The transport for one exchange with the origin of ``url``, its connection perhaps open.

        It is used again only where the exchange went well: after a failure, httpx sometimes takes
        the broken connection for one that is still in use, and waits for it for ever.
        """
        resting = self._resting[url.scheme, url.netloc]
        async with self._room:
            transport = resting.pop()[1] if resting else self._new()
            try:
                yield transport
            except BaseException:
                await transport.aclose()
                raise
            resting.append((self._now(), transport))
            await self._close_rested(resting)

    def _new(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=trust(), limits=_ONE, trust_env=False)

    async def _close_rested(self, resting: _Resting) -> None:
        """The last to come back is the first to go out, so the long unused are at the other end."""
        while resting[0][0] < self._now() - REST_SECONDS:
            await resting.popleft()[1].aclose()

    async def aclose(self) -> None:
        for resting in self._resting.values():
            while resting:
                await resting.pop()[1].aclose()
