"""Where photos lie: a folder, or any store that speaks S3, both through obstore.

Owns how a setting becomes a store, and what counts as *not there*. Refuses to own names and what is
stored. The library is loaded with the first photo: most processes never touch one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog

from returns_api.domain.errors import Unavailable

SECONDS: Final = 30.0

log = structlog.get_logger()


class ObjectStore:
    """``ports.photos.PhotoStore``."""

    def __init__(self, url: str, **options: str) -> None:
        """``url`` is ``file:///folder`` or ``s3://bucket/folder``.

        ``options`` are obstore's own for S3 (``endpoint``, ``region``, ``access_key_id``,
        ``secret_access_key``); what is not given is read from the usual ``AWS_*`` variables.
        """
        self._url, self._options = url, options
        self._opened: Any = None

    async def put(self, name: str, body: bytes) -> None:
        """Raises ``Unavailable``."""
        async with _answering():
            await _library().put_async(self._store(), name, body, use_multipart=False)

    async def get(self, name: str) -> bytes | None:
        """Raises ``Unavailable``."""
        async with _answering():
            try:
                found = await _library().get_async(self._store(), name)
                return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None

    async def delete(self, name: str) -> None:
        """Raises ``Unavailable``."""
        async with _answering():
            try:
                await _library().delete_async(self._store(), name)
            except FileNotFoundError:
                return

    def _store(self) -> Any:
        if self._opened is None:
            from obstore.store import from_url  # noqa: PLC0415 - as below

            if self._url.startswith("file:"):
                self._opened = from_url(self._url, mkdir=True)
            elif self._url.startswith("memory:"):
                self._opened = from_url(self._url)
            else:
                plain = self._options.get("endpoint", "").startswith("http://")
                client = {"timeout": f"{int(SECONDS)}s", "allow_http": plain}
                options: Any = {"client_options": client, **self._options}
                self._opened = from_url(self._url, **options)
        return self._opened


def _library() -> Any:
    import obstore  # noqa: PLC0415 - loaded with the first photo, not at every start

    return obstore


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Every failure of the store is one that passes: what is due stands in the row."""
    from obstore.exceptions import BaseError  # noqa: PLC0415 - as above

    try:
        async with asyncio.timeout(SECONDS):
            yield
    except (BaseError, OSError, TimeoutError) as failure:
        log.warning("photo store failed", error=type(failure).__name__)
        raise Unavailable("The store of photos does not answer right now.") from failure
