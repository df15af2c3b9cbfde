"""Reading an answer within bounds, and knowing whether a request may have left. Knows no failure
classes: those are the clients'."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from returns_api.crashpoints import crashpoint_flushed

MAX_RETRY_AFTER_SECONDS: Final = 86_400.0


class Unreadable(Exception):
    """The answer is larger than allowed, or packed in a way that was not asked for."""


class SentMark:
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


async def read_capped(response: httpx.Response, limit: int) -> bytes:
    """The decoded body. Unpacks with a bound, so a small bomb never becomes a large string."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip", "deflate"}:
        raise Unreadable(f"content-encoding {encoding[:20]!r}")
    unpack = zlib.decompressobj(wbits=47) if encoding in {"gzip", "deflate"} else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        room = limit + 1 - len(body)
        try:
            body += unpack.decompress(chunk, room) if unpack else chunk[:room]
        except zlib.error as error:
            raise Unreadable("broken compression") from error
        if len(body) > limit:
            raise Unreadable(f"larger than {limit} bytes")
    if unpack and not unpack.eof:
        raise Unreadable("truncated compression")
    return bytes(body)


async def discard(response: httpx.Response, limit: int) -> None:
    seen = 0
    async for chunk in response.aiter_raw():
        seen += len(chunk)
        if seen > limit:
            return


def retry_after(headers: httpx.Headers) -> float | None:
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
