"""Keeping other people's secrets: sealed at rest, opened only to use them."""

from __future__ import annotations

from typing import Protocol


class Sealer(Protocol):
    def seal(self, text: str) -> bytes:
        """Encrypted and authenticated, with the newest key."""
        ...

    def open(self, sealed: bytes) -> str:
        """The text again. Raises ``ValueError`` when it was sealed with another key."""
        ...

    def keyed_hash(self, text: str) -> bytes:
        """The same 32 bytes for the same text, useless without the key: for finding a person."""
        ...
