"""The file that says where a running ``up`` can be reached, for ``script/demo`` and the like.

It holds the demo shop's keys, so only its owner may read it. It is there exactly while the server
is ready; after a kill -9 it stays, and the lock beside it tells that nobody is there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from returns_api.db.embedded_lock import FolderLock

NAME: Final = "run.json"
LOCK: Final = "run.lock"


def write(data_dir: Path, facts: Mapping[str, object]) -> None:
    """Write the file whole or not at all, mode 0600."""
    building = data_dir / f"{NAME}.new"
    building.unlink(missing_ok=True)
    handle = os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=2, default=str)
    building.replace(data_dir / NAME)


def remove(data_dir: Path) -> None:
    (data_dir / NAME).unlink(missing_ok=True)


def read_running(data_dir: Path) -> dict[str, Any] | None:
    """The facts of the server that runs with this data folder, or None when none does."""
    if not (data_dir / NAME).is_file():
        return None
    lock = FolderLock.try_take(data_dir / LOCK)
    if lock is not None:
        lock.release()
        return None
    try:
        found: dict[str, Any] = json.loads((data_dir / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found
