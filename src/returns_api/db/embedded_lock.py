"""A lock between processes that ends with its holder, however that ends (flock on a file)."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from returns_api.db.embedded_account import EmbeddedError

LOOK_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.02


class FolderLock:
    """An exclusive flock; held until ``release`` or the end of the process."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle

    @classmethod
    def wait(cls, path: Path) -> Self:
        """Take the lock, waiting for whoever holds it."""
        lock = cls(path, _open(path))
        fcntl.flock(lock._handle, fcntl.LOCK_EX)
        return lock

    @classmethod
    def take_soon(cls, path: Path) -> Self | None:
        """Take the lock, or None when it stays another's: one that only looks holds it briefly."""
        end = time.monotonic() + LOOK_SECONDS
        while True:
            last = time.monotonic() >= end  # asked before the try: this process may stand still
            lock = cls.try_take(path)
            if lock is not None or last:
                return lock
            time.sleep(_POLL_SECONDS)

    @classmethod
    def try_take(cls, path: Path) -> Self | None:
        """Take the lock, or None when another process (or object) holds it."""
        lock = cls(path, _open(path))
        try:
            fcntl.flock(lock._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.release()
            return None
        return lock

    def release(self) -> None:
        """Also where another thread has just forked: its child has the handle until it executes."""
        fcntl.flock(self._handle, fcntl.LOCK_UN)
        os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise EmbeddedError(
            f"{path.parent} belongs to another user; use that user or another data folder."
        ) from None
