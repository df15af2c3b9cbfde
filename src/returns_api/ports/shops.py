"""Shop platforms as the house sees them: verify a webhook, read the facts in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from returns_api.domain.orders import Observation


@dataclass(frozen=True, slots=True)
class Delivery:
    """The envelope of one webhook: enough to store it once, before anything is parsed."""

    event_id: str
    """The same on every retry of this delivery."""
    topic: str
    shop_domain: str | None
    triggered_at: datetime | None


class ShopPlatform(Protocol):
    name: str

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> bool:
        """Whether ``body`` was signed with one of ``secrets``; headers have lower-case names."""
        ...

    def envelope(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Read after ``verify``. Raises ``ValueError`` when the headers do not name an event."""
        ...

    def parse(self, topic: str, body: bytes) -> tuple[Observation, ...]:
        """The facts of one stored webhook; empty for a topic we do not know.

        Raises ``ValueError`` naming the place when a known topic has an unreadable body.
        """
        ...
