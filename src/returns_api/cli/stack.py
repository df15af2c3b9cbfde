"""The processes behind ``up``: started in the order they need each other, stopped in reverse.

A child that dies is reported and everything stops: starting it again would hide the bug. Stopping
asks the API and the worker first and gives them their time; the bank and the carrier that they talk
to go next, the database last.
"""

from __future__ import annotations

import asyncio
import http.client
import inspect
import socket
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from returns_api.cli.children import Child, Program, stop_together
from returns_api.cli.database import addressed, embedded
from returns_api.cli.output import Failure, say
from returns_api.cli.serve import listening
from returns_api.cli.stopping import Stopping
from returns_api.config import Settings
from returns_api.db.embedded import EmbeddedPostgres

READY_SECONDS: Final = 180.0
"""On a machine with much else to do loading takes a minute; what ended is noticed at once."""
SIMULATOR_STOP_SECONDS: Final = 10.0
# The API and the worker keep their own deadline; the guard's comes a little later.
MARGIN_SECONDS: Final = 3.0
SIMULATOR_HOST: Final = "127.0.0.1"
_POLL_SECONDS: Final = 0.05
_WATCH_SECONDS: Final = 0.25
_PROBE_SECONDS: Final = 2.0
_TERMINATED: Final = 143
"""A simulator's usual end; ours, when they were still loading and had begun nothing."""


class Stack:
    """Everything that ``up`` runs; ``stopping`` is set from outside to end it."""

    def __init__(self, settings: Settings, stopping: Stopping) -> None:
        self.settings = settings
        self._stopping = stopping
        self._server: EmbeddedPostgres | None = None
        self._simulators: list[Child] = []
        self._ours: list[Child] = []

    def start(self, *, demo: bool) -> dict[str, Any] | None:
        """Start all and return what a user needs to know; None when told to stop meanwhile.

        Raises: Failure, EmbeddedError, SchemaMismatch; the caller then calls ``stop``.
        """
        with listening(self.settings.host, self.settings.port):
            pass  # only to say at once and plainly that the port is taken
        self._start_simulators()
        self._start_database()
        self._migrate()
        self._start_ours("API", "serve")
        ready = self._await(self._simulators_answer, "The bank and the carrier")
        keys = self._seed() if demo and ready else {}
        if not ready or not self._await(self._api_ready, "The API"):
            return None
        # After the API: both load much, and whoever calls waits for the API alone.
        self._start_ours("worker", "worker")
        return {
            "url": self.settings.base_url,
            "docs_url": f"{self.settings.base_url}/docs",
            "bank_url": self.settings.bank_url,
            "carrier_url": self.settings.carrier_url,
            "data_dir": str(self.settings.data_dir),
            "demo": keys,
        }

    def watch(self) -> None:
        """Return when told to stop. Raises: Failure as soon as a child or the database is gone."""
        while not self._stopping.wait(_WATCH_SECONDS):
            self._refuse_deaths()

    def stop(self) -> list[str]:
        """Stop all in order; returns a sentence for each that did not end as it should."""
        if self._ours:
            say("Stopping: requests and jobs in flight are finished first.")
        codes = {**stop_together(self._ours), **stop_together(self._simulators)}
        troubles = [
            f"{name} ended with {code}"
            for name, code in codes.items()
            if code not in {0, _TERMINATED}
        ]
        if self._server is not None:
            self._server.stop()
        return troubles

    def _start_simulators(self) -> None:
        changes = {}
        for offset, name in ((1, "bank"), (2, "carrier")):
            if getattr(self.settings, f"{name}_url") is not None:
                continue
            port = free_port(SIMULATOR_HOST, self.settings.port + offset)
            folder = self.settings.data_dir / name
            folder.mkdir(exist_ok=True)
            arguments = ["--host", SIMULATOR_HOST, "--port", str(port), "--data-dir", str(folder)]
            program = Program(
                name, f"returns_api.simulators.{name}", arguments, {}, SIMULATOR_STOP_SECONDS
            )
            self._simulators.append(self._child(program))
            changes[f"{name}_url"] = f"http://{SIMULATOR_HOST}:{port}"
        # The demo shop's webhooks go to this machine.
        self.settings = self.settings.with_(**changes, allow_private_webhook_targets=True)

    def _start_database(self) -> None:
        if self.settings.database_url is not None:
            return
        self._server = embedded(self.settings)
        self._server.start()
        self.settings = addressed(self.settings, self._server)

    def _migrate(self) -> None:
        from returns_api.db.migrations import upgrade  # noqa: PLC0415 - imports asyncpg

        before = asyncio.run(upgrade(self.settings.owner_address))
        if not before.equal:
            say(f"The schema went from {before.current or 'nothing'} to {before.head}.")

    def _start_ours(self, name: str, command: str) -> None:
        self.settings.key()  # made here, so that API and worker find the same
        variables = self.settings.environment_variables()
        seconds = self.settings.shutdown_seconds + MARGIN_SECONDS
        program = Program(name, "returns_api.cli", [command], variables, seconds)
        self._ours.append(self._child(program))

    def _seed(self) -> dict[str, Any]:
        from returns_api import demo  # noqa: PLC0415 - imports the whole service

        found: Any = demo.seed(self.settings)
        if inspect.isawaitable(found):
            found = asyncio.run(_awaited(found))
        return dict(found)

    def _child(self, program: Program) -> Child:
        logs = self.settings.data_dir / "logs"
        logs.mkdir(exist_ok=True)
        return Child(program, logs / f"{program.name.lower()}.log")

    def _await(self, done: Callable[[], bool], what: str) -> bool:
        """Poll until ``done``; False when told to stop. Raises: Failure at the deadline."""
        end = time.monotonic() + READY_SECONDS
        while not self._stopping.is_set():
            self._refuse_deaths()
            if done():
                return True
            if time.monotonic() > end:
                raise Failure(f"{what} did not answer within {READY_SECONDS:.0f} s.")
            self._stopping.wait(_POLL_SECONDS)
        return False

    def _refuse_deaths(self) -> None:
        for child in (*self._ours, *self._simulators):
            code = child.ended()
            if code is not None:
                raise Failure(
                    f"The {child.name} ended by itself with exit code {code}. Its last words "
                    f"({child.log}):\n{child.last_words()}"
                )
        if self._server is not None and not self._server.alive():
            raise Failure(f"PostgreSQL ended by itself; see the log in {self._server.data_dir}.")

    def _simulators_answer(self) -> bool:
        urls = (self.settings.bank_url, self.settings.carrier_url)
        return all(accepts(url) for url in urls if url is not None)

    def _api_ready(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.settings.host, self.settings.host)  # noqa: S104
        connection = http.client.HTTPConnection(host, self.settings.port, timeout=_PROBE_SECONDS)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def accepts(url: str) -> bool:
    """Whether something takes connections at ``url``."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=_PROBE_SECONDS):
            return True
    except OSError:
        return False


def free_port(host: str, preferred: int) -> int:
    """``preferred`` if it is free, so that addresses stay the same from day to day; else any."""
    for port in (preferred, 0):
        try:
            with socket.create_server((host, port)) as listener:
                return int(listener.getsockname()[1])
        except (OSError, OverflowError):
            continue
    raise Failure(f"There is no free port on {host}.")


async def _awaited(found: Any) -> Any:
    return await found
