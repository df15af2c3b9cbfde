"""The signature that several shop platforms share: base64 of HMAC-SHA256 over the raw body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

_LENGTH: Final = 44
"""Base64 of 32 bytes; no other length is looked at."""


def signed_by(secrets: Sequence[str], header: str, body: bytes) -> bool:
    """Whether one of ``secrets`` signed ``body``; a malformed header is just not genuine.

    Every secret is tried in full, so the time taken does not tell which one matched. An empty
    secret signs nothing.
    """
    given = _signature(header)
    matches = [
        hmac.compare_digest(hmac.digest(secret.encode(), body, hashlib.sha256), given)
        for secret in secrets
        if secret
    ]
    return any(matches)


def _signature(header: str) -> bytes:
    """The signature's bytes; empty, which matches nothing, when the header holds none."""
    if len(header) != _LENGTH or not header.isascii():
        return b""
    try:
        return base64.b64decode(header, validate=True)
    except binascii.Error:
        return b""
