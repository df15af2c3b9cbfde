"""Sending one webhook to a merchant's address: guarded, bounded, and honest about the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What came back. ``status`` is None when no answer was read; ``error`` then says why."""

    status: int | None
    retry_after_seconds: float | None = None
    error: str | None = None


class WebhookSender(Protocol):
    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        """Never raises for what the receiver or the network does."""
        ...

    def refusal(self, url: str) -> str | None:
        """Why this address may not be used (scheme, port, private network), or None."""
        ...
