"""``returns-api serve``: the HTTP API, one process. Start as many as you like."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from returns_api.cli.database import database
from returns_api.cli.lasting import load_quietly, settle_memory
from returns_api.cli.output import AsJson, Failure, load_settings, log_to_stderr, reported
from returns_api.config import Settings

if TYPE_CHECKING:
    import uvicorn

Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.", min=1, max=65535)]
BACKLOG = 2048


def serve(host: Host = None, port: Port = None, as_json: AsJson = False) -> None:
    """Serve the HTTP API until SIGTERM; requests in flight are finished first."""
    load_quietly()
    with reported(as_json):
        settings = load_settings(host=host, port=port)
        log_to_stderr(settings)
        with listening(settings.host, settings.port) as listener, database(settings) as ready:
            _run(ready, listener)


def listening(host: str, port: int) -> socket.socket:
    """A socket bound to ``host``:``port``. Raises: Failure when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Failure(
                f"Port {port} on {host} is taken by another program. Stop that, or choose another "
                "port: --port or RETURNS_API_PORT."
            ) from None
        raise Failure(f"Cannot listen on {host} port {port}: {error.strerror or error}.") from None


def heed_signals(server: uvicorn.Server) -> None:
    """Have the server stop by a signal that comes before it listens for signals itself, too.

    It raises the signal again once it has stopped; without a handler that would cut off our own
    clean-up and make an orderly stop look like a death.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)


def _run(settings: Settings, listener: socket.socket) -> None:
    from returns_api.db.migrations import check_version  # noqa: PLC0415 - imports asyncpg

    asyncio.run(check_version(settings.app_address))
    import uvicorn  # noqa: PLC0415 - other commands do not serve

    from returns_api.app import create_app  # noqa: PLC0415 - imports the whole API

    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the application itself believes those of settings.trusted_proxies
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )
    server = uvicorn.Server(config)
    settle_memory()
    heed_signals(server)
    server.run(sockets=[listener])
    if not server.started:
        raise Failure("The API did not start; the reason stands in the log above.")
