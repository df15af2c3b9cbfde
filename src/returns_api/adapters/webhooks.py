"""Sending webhooks over the guarded client, and refusing bad addresses before they are stored.

Owns what can be said of an address without asking anybody. Refuses to own the guard itself: a name
is resolved, checked and pinned by ``http.GuardedClient`` at every send, whatever was said here.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from returns_api.adapters.addresses import is_loopback_address, is_public_address
from returns_api.adapters.http import WEBHOOK_PORTS, GuardedClient
from returns_api.ports.webhooks import WebhookAnswer

URL_MAX: Final = 2_000
_PLAIN: Final = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
"""The characters of RFC 3986; no backslash, space, quote or control character."""
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|[0-9a-f:.]+")
_LOCAL_NAMES: Final = frozenset({"localhost", "local", "internal", "localdomain", "home", "lan"})


class Webhooks:
    """``ports.webhooks.WebhookSender``. ``allow_loopback`` is for development only."""

    def __init__(self, client: GuardedClient, *, allow_loopback: bool = False) -> None:
        """``client`` must have been made with the same ``allow_loopback``."""
        self._client = client
        self._allow_loopback = allow_loopback

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """POST once. Never raises for what the receiver or the network does."""
        answer = await self._client.post_webhook(url, headers, body)
        return WebhookAnswer(answer.status, answer.retry_after, answer.error)

    def refusal(self, url: str) -> str | None:
        """Why this address may not be used, as a clause for a message, or None."""
        parts = _split(url)
        if parts is None:
            return "it is not an address that two readers would read alike"
        host = (parts.hostname or "").rstrip(".")
        if self._allow_loopback and _is_loopback(host) and parts.scheme in {"http", "https"}:
            return None
        if parts.scheme != "https":
            return "it does not begin with https://"
        port = 443 if parts.port is None else parts.port
        if port not in WEBHOOK_PORTS and not self._allow_loopback:
            return f"its port is not one of {', '.join(map(str, sorted(WEBHOOK_PORTS)))}"
        return _refused_host(host)


def _split(url: str) -> SplitResult | None:
    """None for text that two parsers could read in two ways, or that carries a password."""
    if len(url) > URL_MAX or not _PLAIN.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    odd = parts.username is not None or parts.password is not None or parts.fragment
    return None if odd or not _HOST.fullmatch(parts.hostname or "") else parts


def _refused_host(host: str) -> str | None:
    number = _as_address(host)
    if number is not None:
        return None if is_public_address(number) else "it points into a private network"
    labels = host.lower().split(".")
    if labels[-1] in _LOCAL_NAMES or len(labels) < 2:
        return "it names a host of a private network"
    return None


def _is_loopback(host: str) -> bool:
    number = _as_address(host)
    return host.lower() == "localhost" if number is None else is_loopback_address(number)


def _as_address(host: str) -> str | None:
    """The address that ``host`` is, in every notation that the resolver takes, 2130706433 too."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
