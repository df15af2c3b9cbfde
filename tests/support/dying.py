"""What ``worker.apart`` runs in tests: each ends its process in its own way."""

from __future__ import annotations

import os
import signal
import time
from uuid import UUID

from returns_api.worker.apart import bound


def end(how: str, seconds: float, shop: UUID, message_id: UUID, attempt: int) -> None:
    bound(seconds, None if how != "takes too much" else 600)
    if how == "exits":
        os._exit(attempt)
    if how == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "takes too much":
        try:
            b"\1" * (1024 * 1024 * 1024)
        except MemoryError:
            os._exit(77)
    while how == "loops":
        pass
    while how == "waits":
        time.sleep(60)
