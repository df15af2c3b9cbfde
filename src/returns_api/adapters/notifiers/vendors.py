"""What the messengers over a vendor's HTTP API share: whose address may be called, and how a
refusal that is about the account is told from one that is about the message.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from returns_api.adapters.addresses import is_loopback_address
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable

ACCOUNT: Final = frozenset({401, 403, 404})
"""Refused for the account's sake, whatever the message: sent again once that is mended."""


def vendor_refusal(base_url: str, hosts: re.Pattern[str], *, allow_loopback: bool) -> str | None:
    """Why ``base_url`` is not the vendor's own address, as a clause. ``allow_loopback`` is for
    development only: it lets a server on this machine stand for the vendor."""
    parts = urlsplit(base_url)
    try:
        port = parts.port
    except ValueError:
        return "its port is not a number"
    host = parts.hostname or ""
    if allow_loopback and parts.scheme == "http" and is_loopback_address(host):
        return None
    plain = parts.path in {"", "/"} and not parts.query and parts.username is None
    if parts.scheme == "https" and hosts.fullmatch(host) and port in {None, 443} and plain:
        return None
    return "it is not the address of the vendor's API"


def refuse_account(status: int, vendor: str) -> None:
    """Raises ``ProviderUnavailable`` for an answer that is about the account."""
    if status in ACCOUNT:
        raise ProviderUnavailable(f"{vendor}_{status}")


def unreadable(vendor: str, status: int) -> OutcomeUnknown:
    """Somebody in between answered, or the vendor says something that we do not know."""
    return OutcomeUnknown(f"{vendor} answered {status}, which cannot be read")
