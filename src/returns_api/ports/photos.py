"""What we need of pictures: their pixels in a file of our own making, and a place to keep it."""

from __future__ import annotations

from typing import Protocol

from returns_api.domain.photos import CleanPhoto


class PhotoCleaner(Protocol):
    async def clean(self, body: bytes) -> CleanPhoto:
        """The picture made anew: upright, of bounded size, nothing in it but pixels.

        Bounded in pixels before decoding, in memory and in time, whatever the bytes are.

        Raises:
            PhotoRefused: they are no picture, a broken one, or one with too many pixels.
            Unavailable: too many are being worked on.
        """
        ...


class PhotoStore(Protocol):
    """Bytes by name. Names come from us: random, of ASCII letters, digits, ``/``, ``-`` and ``.``.

    Every method raises ``Unavailable`` when the store does not answer in time or refuses.
    """

    async def put(self, name: str, body: bytes) -> None:
        """Store; the bytes are there for every later ``get`` of every process once this returns."""
        ...

    async def get(self, name: str) -> bytes | None:
        """The bytes, or None when there are none of that name."""
        ...

    async def delete(self, name: str) -> None:
        """Remove; nothing happens when there are none of that name."""
        ...
