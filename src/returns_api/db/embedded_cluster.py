"""The files of one PostgreSQL cluster: making it, its version, its socket folder, its state.

The data folder is named by the major version (``pg18``); a folder of another version is refused,
since PostgreSQL cannot read it and an upgrade is a decision of the operator.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from returns_api.db.embedded_account import Account, EmbeddedError, make_folder, run_as
from returns_api.db.embedded_binaries import Binaries

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
SOCKET_PATH_BYTES: Final = 103
_SOCKET_NAME: Final = "/.s.PGSQL.5432"
_SHORT_PLACE: Final = Path("/tmp")  # noqa: S108 - a short path is the point; the folder is checked
_ORPHAN_STEPS: Final = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))
_LOG_TAIL_BYTES: Final = 2000


@dataclass(frozen=True)
class Postmaster:
    """What ``postmaster.pid`` says; its format is that of PostgreSQL's ``miscadmin.h``."""

    pid: int
    socket_dir: Path
    ready: bool


@dataclass(frozen=True)
class Cluster:
    folder: Path
    account: Account

    @classmethod
    def running_in(cls, home: Path) -> Postmaster | None:
        """The server that runs in ``home``, of whatever version."""
        for folder in sorted(home.glob("pg[0-9]*")):
            found = _read_postmaster(folder)
            if found is not None:
                return found
        return None

    @classmethod
    def ready(cls, home: Path, binaries: Binaries, account: Account, *, sync: bool) -> Self:
        """The cluster of this major version in ``home``, made if there is none at all.

        Raises: EmbeddedError when ``home`` holds one of another version, or it cannot be made.
        """
        folder = home / f"pg{binaries.major}"
        _refuse_other_versions(home, folder, binaries)
        if not folder.exists():
            _initialise(folder, binaries, account, sync=sync)
        version = (folder / "PG_VERSION").read_text().strip()
        if version != str(binaries.major):
            raise EmbeddedError(_other_version(folder, version, binaries))
        return cls(folder, account)

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def log_tail(self) -> str:
        """The end of the server's log, for a message."""
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()

    def postmaster(self) -> Postmaster | None:
        return _read_postmaster(self.folder)

    def clear_orphan(self) -> None:
        """End a server that outlived its owner (its guard was killed too) and its stale pid file.

        Only for the holder of the owner lock: then no living owner has a server here.
        """
        pid_file = self.folder / "postmaster.pid"
        pid = _pid_in(pid_file)
        if pid is None or not _runs_here(pid, self.folder):
            pid_file.unlink(missing_ok=True)
            return
        for number, seconds in _ORPHAN_STEPS:
            _signal(pid, number)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                if not _runs_here(pid, self.folder):
                    return
                time.sleep(0.01)
        raise EmbeddedError(f"A PostgreSQL server (process {pid}) holds {self.folder}; stop it.")

    def socket_dir(self) -> Path:
        """A folder of mode 0700 for the socket, with a path short enough for one."""
        folder = self.folder.parent / "socket"
        if len(os.fsencode(folder)) + len(_SOCKET_NAME) > SOCKET_PATH_BYTES:
            digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
            folder = _SHORT_PLACE / f"returns-api-{digest}"
        _own_private_folder(folder, self.account)
        return folder


def _refuse_other_versions(home: Path, folder: Path, binaries: Binaries) -> None:
    for other in home.glob("pg[0-9]*"):
        if other != folder and (other / "PG_VERSION").is_file():
            raise EmbeddedError(_other_version(other, other.name[2:], binaries))


def _other_version(folder: Path, version: str, binaries: Binaries) -> str:
    return (
        f"{folder} was made by PostgreSQL {version}, but the programs found are "
        f"{binaries.version}. There is no upgrade in place: dump it with the programs of version "
        f"{version} and load the dump, or use another data folder."
    )


def _initialise(folder: Path, binaries: Binaries, account: Account, *, sync: bool) -> None:
    """Make a cluster under another name and move it in place: a half-made one is never used."""
    for leftover in folder.parent.glob("new-pg*"):
        shutil.rmtree(leftover)
    building = folder.with_name(f"new-{folder.name}-{secrets.token_hex(4)}")
    building.mkdir(mode=0o700)
    account.give(building)
    command = [binaries.program("initdb"), "-D", str(building), "-U", "postgres", "-A", "trust"]
    command += ["-E", "UTF8", "--no-instructions", *_locale(binaries.major)]
    if not sync:
        command.append("--no-sync")
    answer = run_as(account, command)
    if answer.returncode != 0:
        shutil.rmtree(building, ignore_errors=True)
        raise EmbeddedError(f"initdb failed:\n{answer.stderr.strip() or answer.stdout.strip()}")
    building.rename(folder)
    if sync:
        _flush_folder(folder.parent)


def _locale(major: int) -> list[str]:
    """The same sorting on every machine: PostgreSQL's own C.UTF-8 where it has one."""
    if major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _own_private_folder(folder: Path, account: Account) -> None:
    """Trust authentication is safe only behind this folder, so nobody else may have made it."""
    make_folder(folder, 0o700)
    status = folder.lstat()
    user = os.geteuid() if account.user is None else account.user
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {user, os.geteuid()}:
        raise EmbeddedError(f"{folder} belongs to another user; remove it.")
    account.give(folder)
    folder.chmod(0o700)


def _pid_in(pid_file: Path) -> int | None:
    try:
        first = pid_file.read_text().split("\n", 1)[0]
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else None


def _read_postmaster(folder: Path) -> Postmaster | None:
    """The lines: pid, folder, start time, port, socket folder, address, memory key, status."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 8:
        return None
    return Postmaster(int(lines[0]), Path(lines[4]), lines[7].strip() == "ready")


def _runs_here(pid: int, folder: Path) -> bool:
    """Whether ``pid`` is alive and, where the system can tell, works in ``folder``.

    A process id in a stale file may by now belong to any other program.
    """
    working = Path(f"/proc/{pid}/cwd")
    if Path("/proc/self").exists():
        try:
            return working.resolve() == folder.resolve() and _alive(pid)
        except OSError:
            return False
    return _alive(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError:
        raise EmbeddedError(f"Process {pid} is PostgreSQL of another user; stop it.") from None
