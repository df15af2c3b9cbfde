"""Starts, shares and stops a PostgreSQL server of our own from a folder.

Owns the life of one server process: make the cluster, start it, attach to the one that another
process started, stop what it started. The server goes down with the process that started it, kill
-9 included (see embedded_guard.py); every acknowledged write is there at the next start. It listens
on a unix socket only, in a folder that only the server's user and root can enter.

Refuses to own: roles, schema and databases (the migrations), upgrades between major versions, and
servers that are not its own. Linux and macOS only; elsewhere set ``RETURNS_API_DATABASE_URL``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self
from urllib.parse import quote

from returns_api.db import embedded_guard
from returns_api.db.embedded_account import (
    EmbeddedError,
    choose_account,
    clean_environment,
    cluster_home,
)
from returns_api.db.embedded_binaries import Binaries, find_binaries
from returns_api.db.embedded_cluster import Cluster, Postmaster
from returns_api.db.embedded_lock import FolderLock

__all__ = ["DURABLE", "SUPERUSER", "EmbeddedError", "EmbeddedPostgres"]

SUPERUSER: Final = "postgres"
START_SECONDS: Final = 180.0
"""After a crash the log is replayed first; a server that ended is noticed at once."""
# Fast shutdown first; the immediate one loses nothing either, the log is replayed at next start.
STOP_STEPS: Final = "INT:30,QUIT:10"
STOP_SECONDS: Final = 45.0
LOG_BYTES: Final = 5_000_000
DURABLE: Final[Mapping[str, str]] = {"max_connections": "200", "log_checkpoints": "off"}
_POLL_SECONDS: Final = 0.005


class EmbeddedPostgres:
    """One PostgreSQL server in ``data_dir``, started here or shared with its starter.

    ``options`` are server settings; ``user`` is who runs the server when this process is root;
    ``programs`` is a folder with initdb and postgres. ``sync=False`` leaves out the flush after
    making a cluster and is for throw-away test clusters only.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        options: Mapping[str, str] = DURABLE,
        user: str | None = None,
        programs: str | None = None,
        sync: bool = True,
    ) -> None:
        if sys.platform == "win32":
            raise EmbeddedError(
                "The embedded PostgreSQL runs on Linux and macOS; here, set "
                "RETURNS_API_DATABASE_URL to a server of your own."
            )
        self.data_dir = data_dir.absolute()
        self.account = choose_account(user)
        self._options = dict(options)
        self._programs = programs
        self._sync = sync
        self._owner_lock: FolderLock | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._socket_dir: Path | None = None
        self.binaries: Binaries | None = None

    @property
    def owned(self) -> bool:
        """Whether this object started the server and will stop it."""
        return self._guard is not None

    def start(self) -> Self:
        """Return once the server takes connections: ours, or the one that already runs.

        Raises: EmbeddedError with a plain sentence; nothing is left running then.
        """
        if self._socket_dir is not None:
            return self
        home = cluster_home(self.data_dir, self.account)
        with FolderLock.wait(home / "postgres.start.lock"):
            owner = FolderLock.try_take(home / "postgres.owner.lock")
            if owner is None:
                self._socket_dir = _attach(Cluster.running_in(home))
                return self
            try:
                self._start_own(home)
            except BaseException:
                self._end_guard()
                owner.release()
                raise
            self._owner_lock = owner
        return self

    def stop(self) -> None:
        """Stop the server if it was started here; otherwise only let go of it."""
        if self._guard is not None and self._owner_lock is not None:
            home = self._owner_lock.path.parent
            with FolderLock.wait(home / "postgres.start.lock"):
                self._end_guard()
                self._owner_lock.release()
        self._owner_lock = None
        self._socket_dir = None

    def alive(self) -> bool:
        """Whether the server can still be there: for an attached one, whether its socket is."""
        if self._guard is not None:
            return self._guard.poll() is None
        return self._socket_dir is not None and any(self._socket_dir.glob(".s.PGSQL.*"))

    def url(
        self,
        *,
        user: str = SUPERUSER,
        database: str = "postgres",
        scheme: str = "postgresql",
    ) -> str:
        """The address for ``user`` over the unix socket. Raises: EmbeddedError before start()."""
        if self._socket_dir is None:
            raise EmbeddedError("The embedded PostgreSQL is not started.")
        return f"{scheme}://{quote(user)}@/{quote(database)}?host={quote(str(self._socket_dir))}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _start_own(self, home: Path) -> None:
        self.binaries = find_binaries(self.account, self._programs)
        cluster = Cluster.ready(home, self.binaries, self.account, sync=self._sync)
        cluster.clear_orphan()
        socket_dir = cluster.socket_dir()
        self._guard = self._spawn(cluster, socket_dir)
        self._await_ready(cluster)
        self._socket_dir = socket_dir

    def _spawn(self, cluster: Cluster, socket_dir: Path) -> subprocess.Popen[bytes]:
        assert self.binaries is not None
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(socket_dir),
            "unix_socket_permissions": "0700",
            **self._options,
        }
        command = [self.binaries.program("postgres"), "-D", str(cluster.folder)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with _open_log(cluster.log) as log:
            return subprocess.Popen(  # noqa: S603 - argv is ours, no shell
                [
                    *(sys.executable, "-I", "-S", embedded_guard.__file__),
                    *(self.account.argument, STOP_STEPS),
                    *command,
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                env=clean_environment(),
                start_new_session=True,  # Ctrl-C in the terminal must not reach the database
            )

    def _await_ready(self, cluster: Cluster) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._guard is None or self._guard.poll() is not None:
                raise EmbeddedError(f"PostgreSQL did not start:\n{cluster.log_tail()}")
            postmaster = cluster.postmaster()
            if postmaster is not None and postmaster.ready:
                return
            time.sleep(_POLL_SECONDS)
        raise EmbeddedError(
            f"PostgreSQL was not ready after {START_SECONDS:.0f} s:\n{cluster.log_tail()}"
        )

    def _end_guard(self) -> None:
        if self._guard is None:
            return
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        try:
            self._guard.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        self._guard = None


def _attach(postmaster: Postmaster | None) -> Path:
    if postmaster is None or not postmaster.ready:
        raise EmbeddedError(
            "Another process holds this data folder, but its PostgreSQL does not answer. Stop "
            "that process and start again."
        )
    return postmaster.socket_dir


def _open_log(path: Path) -> IO[bytes]:
    """The server's log, begun anew when it has grown; the one before stays as ``.1``."""
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(handle, "ab")
