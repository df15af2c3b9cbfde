"""Messages and notes on a return or a complaint: who may say what to whom.

A *message* is between buyer and merchant, a *note* is the staff's own and no buyer ever reads one.
Neither changes the state of anything. Owns the words for both and their bounds; refuses to own rows
and photos.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

MESSAGE: Final = "message"
NOTE: Final = "note"
KINDS: Final = (MESSAGE, NOTE)
PREFIXES: Final = {MESSAGE: "msg", NOTE: "nt"}
"""Of their public ids."""
PER_RETURN: Final = 500
"""Most messages and notes of one return, or of one complaint."""
PHOTOS_MAX: Final = 10
"""Most photos that one message points at."""


@dataclass(frozen=True, slots=True)
class About:
    """What is spoken of: a return or a complaint, one of the two."""

    return_id: UUID | None = None
    complaint_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One message or note. ``text`` is None after its person was erased; ``photos`` are public ids
    of photos of the return."""

    id: UUID
    return_id: UUID | None
    complaint_id: UUID | None
    kind: str
    party: str
    role: str
    author: UUID | None
    text: str | None
    photos: tuple[str, ...]
    at: datetime
