"""Photos as evidence: what is taken, for how long a link lives, when an unused one is dropped.

Owns the limits and what the first bytes say. Refuses to own pixels (``ports.photos``), rows, and
which photos a policy asks for (``policy``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from returns_api.domain import ids
from returns_api.domain.errors import PhotoRefused

PER_ORDER: Final = 100
"""Photos that one order can have at a time; beyond it nothing is taken, whoever asks."""
LINK_LIVES: Final = timedelta(minutes=5)
UNFINISHED_FOR: Final = timedelta(minutes=30)
"""An upload that did not end by then never will; its bytes are gone within the hour."""
UNUSED_FOR: Final = timedelta(hours=24)
"""A photo that was uploaded for a return that nobody opened."""
DELETE_AGAIN_AFTER: Final = timedelta(minutes=1)

_WEBP: Final = (b"RIFF", b"WEBP")
_BEGINNINGS: Final = {b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png"}


@dataclass(frozen=True, slots=True)
class CleanPhoto:
    """A picture made anew from its pixels: JPEG bytes without metadata, and its size in pixels."""

    body: bytes
    width: int
    height: int


def require_picture(body: bytes) -> None:
    """Raises ``PhotoRefused`` for what does not begin as a JPEG, PNG or WebP file does."""
    if body.startswith(tuple(_BEGINNINGS)) or (body[:4], body[8:12]) == _WEBP:
        return
    raise PhotoRefused(
        "Send a picture in JPEG, PNG or WebP; this is something else.", because="not_a_picture"
    )


def link_text(shop: UUID, photo: UUID, until: datetime) -> str:
    """What the signature of a link covers. The first byte keeps it apart from every other hash."""
    return f"\x00photo\x00{shop}\x00{photo}\x00{int(until.timestamp())}"


def still_good(until: datetime, now: datetime) -> bool:
    """A link is good from now until its end, and none is good for longer than ``LINK_LIVES``."""
    return now < until <= now + LINK_LIVES + timedelta(seconds=1)


def file_name(photo: UUID) -> str:
    """What a browser saves it as; nothing of the sender's own name is kept anywhere."""
    return f"{ids.encode('ev', photo)}.jpg"
