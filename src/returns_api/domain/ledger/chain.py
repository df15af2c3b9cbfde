"""The chain over a shop's entries: each seal covers its entry and, by the seal before, all others.

Anyone who has the entries and postings can make every seal again offline: a seal is the SHA-256 of
the one before and of the entry's canonical JSON, where the first follows the shop's own genesis, so
that no part of one shop's chain fits into another's. Changing, leaving out, adding or swapping an
entry changes every later seal; who keeps one seal outside (an *anchor*, such as an audit's report)
can tell that all before it is as it was.

Refuses to own positions and when entries are sealed (``usecases.ledger``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from uuid import UUID


class Columns(Protocol):
    """A row by its column names, however it was read."""

    def __getitem__(self, name: str, /) -> Any: ...


_NAME: Final = b"returns-api ledger 1 "
_ENTRY: Final = ("id", "fact", "source_type", "source_id", "order_id", "at", "actor", "actor_id")
_POSTING: Final = (
    "no",
    "rule",
    "debit",
    "debit_of",
    "credit",
    "credit_of",
    "amount_minor",
    "currency",
)


def genesis(shop: UUID) -> bytes:
    """What the first entry of a shop follows."""
    return hashlib.sha256(_NAME + shop.bytes).digest()


def canonical(position: int, entry: Columns, postings: Sequence[Columns]) -> bytes:
    """The one way to write an entry down: sorted keys, no spaces, UTC to the microsecond."""
    body = {
        "position": position,
        **{name: _plain(entry[name]) for name in _ENTRY},
        "postings": [
            {name: _plain(posting[name]) for name in _POSTING}
            for posting in sorted(postings, key=lambda posting: int(posting["no"]))
        ],
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(previous: bytes, written: bytes) -> bytes:
    """The seal of an entry written down by ``canonical``, after the seal ``previous``."""
    return hashlib.sha256(previous + written).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value
