"""PostgreSQL for the tests: one throw-away cluster per test process, one template, cheap clones.

The cluster lies on /dev/shm where there is one (a clone takes 20 ms there, half a second on a disk)
and its durability is off, which no other cluster may copy. The template is built by the
migrations, never by ``create_all``. Folders whose process is gone are swept at the next start.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Final, Self, TypeVar

import asyncpg

from returns_api.db.embedded import SUPERUSER, EmbeddedPostgres
from returns_api.db.migrations import upgrade

APP_ROLE: Final = "returns_app"
TEMPLATE: Final = "returns_template"
PREFIX: Final = "returns-api-test-"
THROW_AWAY: Final[Mapping[str, str]] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_checkpoints": "off",
    "autovacuum_naptime": "10s",
}


Result = TypeVar("Result")


def run_apart(work: Coroutine[object, object, Result]) -> Result:
    """Run ``work`` on an event loop and thread of its own, from a synchronous fixture."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def memory_or_temp() -> Path:
    """Where clusters of tests go: memory if the system offers it."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def sweep(folder: Path) -> None:
    """Remove the clusters of test processes that are gone, kill -9 included."""
    for left in folder.glob(f"{PREFIX}*"):
        pid = left.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class PostgresForTests:
    """A running cluster with a migrated template database; makes and drops clones of it."""

    def __init__(self) -> None:
        place = memory_or_temp()
        sweep(place)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=place))
        self._folder.chmod(0o711)  # as root the server is another user and must get through
        self.server = EmbeddedPostgres(self._folder, options=THROW_AWAY, sync=False)
        self._numbers = count(1)
        self._template_ready = False

    def start(self) -> Self:
        self.server.start()
        return self

    def stop(self) -> None:
        self.server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str, *, user: str = SUPERUSER) -> str:
        return self.server.url(database=database, user=user)

    def clone(self, of: str = TEMPLATE) -> str:
        """The name of a fresh database: with the newest schema and no rows, or a copy of ``of``,
        which nobody may be connected to."""
        if not self._template_ready:
            self.drop(TEMPLATE)  # half built, when a migration failed in an earlier test
            self._execute(f"CREATE DATABASE {TEMPLATE}")
            run_apart(upgrade(self.url(TEMPLATE)))
            self._template_ready = True
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY file_copy")
        return name

    def empty(self) -> str:
        """The name of a fresh database without a schema."""
        name = f"empty_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}")
        return name

    def drop(self, database: str) -> None:
        self._execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        run_apart(_execute(self.url("postgres"), statement))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
