"""What a stored message says: read by the adapter of its connection, here or elsewhere.

Built-in adapters read in the worker. Those of installed packages are strangers' code and have a
reader each, in a process of its own (``worker.reader``): whatever one does there, the worker only
hears of it. Refuses to own what becomes of the facts (``inbox``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from returns_api.domain.orders import Observation
from returns_api.ports.carriers import TrackingScan
from returns_api.ports.payments import ProviderDispute, ProviderRefund

Fact = Observation | ProviderRefund | ProviderDispute | TrackingScan

Reader = Callable[[str, bytes], Awaitable[Sequence[Fact]]]
"""The facts in a body that came under a topic. Raises ``ValueError`` for what cannot be read,
``Unread`` and ``ReaderTaken``."""


class Unread(Exception):
    """A reader elsewhere brought no facts. The text says why and quotes nothing of the message."""


class ReaderTaken(Exception):
    """A reader elsewhere had others to read for too long; to wait for it is no failure."""


def facts_in(kind: str, adapter: Any, topic: str, body: bytes) -> Sequence[Fact]:
    """``kind`` is the connection's. Raises ``ValueError`` for what cannot be read."""
    if kind == "shop":
        return tuple(adapter.parse(topic, body))
    event = adapter.parse_event(body)
    return tuple(event.facts if kind == "payments" else event.scans)
