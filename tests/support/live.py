"""The real application behind a real socket, in a thread of the test process.

uvicorn with its own event loop, the app as ``create_app`` makes it, a database that the caller
cloned. Whoever needs shops, orders and returns in it seeds them with ``tests.support.world``.
"""

from __future__ import annotations

import socket
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import structlog
import uvicorn
from fastapi import FastAPI

from returns_api import logs
from returns_api.app import create_app
from returns_api.config import Settings
from tests.support.patience import PATIENCE

KEY: Final = urlsafe_b64encode(b"k" * 32).decode()


def live_settings(database_url: str, data_dir: Path, **changes: Any) -> Settings:
    """Settings of a development server on ``database_url`` (as the service's own role)."""
    return Settings(
        database_url=database_url,
        data_dir=data_dir,
        secret_key=KEY,
        allow_private_webhook_targets=True,
        log_level="error",
        **changes,
    )


class LiveServer:
    """A running server; ``url`` is where. ``app`` is the very application that answers."""

    def __init__(self, settings: Settings, **overrides: Any) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = settings.with_(port=self.port)
        if not structlog.is_configured():
            logs.configure(self.settings.log_level)
        self.app: FastAPI = create_app(self.settings, **overrides)
        config = uvicorn.Config(
            self.app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="live-server", daemon=True)

    def start(self) -> None:
        """Raises ``RuntimeError`` when it is not ready in time."""
        self._thread.start()
        limit = time.monotonic() + PATIENCE
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > limit:
                raise RuntimeError("the server did not start")
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


@contextmanager
def live_server(settings: Settings, **overrides: Any) -> Iterator[LiveServer]:
    """A server for the length of the block."""
    server = LiveServer(settings, **overrides)
    try:
        server.start()
        yield server
    finally:
        server.stop()
