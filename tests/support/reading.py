"""What ``worker.reader`` runs in tests: the topic says what becomes of the process."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from returns_api import logs
from returns_api.adapters.shops.shopify import ShopifyShop
from returns_api.domain.orders import Observation
from returns_api.worker.reader import serve

MEMORY_MB = 600


def read_in_a_mood(busy_seconds: float, channel: Connection) -> None:
    logs.configure("error")
    serve(channel, _read, MEMORY_MB, busy_seconds)


def _read(topic: str, body: bytes) -> Sequence[Observation]:
    nothing: Any = object()
    match topic:
        case "value":
            raise ValueError("$.total is not an amount")
        case "bug":
            raise KeyError(body)
        case "exit":
            sys.exit(3)
        case "end":
            os._exit(3)
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "take":
            return (nothing for _ in b"\1" * (1024 * 1024 * 1024))  # type: ignore[return-value]
        case "nonsense":
            return (nothing,)
        case "wait":
            time.sleep(60)
    while topic == "loop":
        pass
    return ShopifyShop.parse(nothing, topic, body)
