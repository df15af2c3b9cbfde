"""What the process runs that reads the messages of one installed adapter (``worker.reader``).

A module of its own because such a process imports it and little else: one adapter, no database, no
use case. Refuses to own which adapters are read so; ``wiring`` says that.
"""

from __future__ import annotations

from functools import partial
from multiprocessing.connection import Connection
from typing import Final

from returns_api import logs
from returns_api.adapters import registry
from returns_api.adapters.http import HttpClient
from returns_api.adapters.registry import Kind
from returns_api.config import Settings
from returns_api.usecases._reading import facts_in
from returns_api.worker.reader import serve

KINDS: Final = {"shop": Kind.SHOPS, "payments": Kind.PAYMENTS, "carrier": Kind.CARRIERS}
"""Of connections whose messages come into the inbox."""


def read_apart(
    settings: Settings, kind: str, name: str, busy_seconds: float, channel: Connection
) -> None:
    """Serve the worker at the other end of ``channel`` until it is gone."""
    logs.configure(settings.log_level)
    adapter = registry.load(KINDS[kind], name)(HttpClient())
    serve(channel, partial(facts_in, kind, adapter), settings.worker_memory_mb, busy_seconds)
