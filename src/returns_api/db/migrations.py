"""Brings a database's schema to the version of this code, and says when the two differ.

Owns when migrations run; what they do stands in ``migrations/versions``. The version check reads
the scripts as text, so that starting the service imports neither Alembic nor SQLAlchemy.
"""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

# A migration waits this long for a table lock, then gives way to traffic and tries again (env.py).
LOCK_TRIES: Final = 10
_LOCK_PAUSE_SECONDS: Final = 1.0
_HERE: Final = Path(__file__).resolve()
# In a checkout the folder stands beside src/; a wheel may carry it inside the package.
_PLACES: Final = (_HERE.parents[3] / "migrations", _HERE.parents[1] / "_migrations")


class SchemaMismatch(RuntimeError):
    """The database and the code are of different versions; the message says what to do."""


@dataclass(frozen=True)
class Versions:
    """The schema's revision in the database (None: no schema yet) and the one this code needs."""

    current: str | None
    head: str
    known: frozenset[str]

    @property
    def equal(self) -> bool:
        return self.current == self.head


def scripts_folder() -> Path:
    """Where the migration scripts lie. Raises: SchemaMismatch when they were not installed."""
    for place in _PLACES:
        if (place / "env.py").is_file():
            return place
    raise SchemaMismatch("The migration scripts were not found beside this installation.")


def head_of(versions: Path) -> tuple[str, frozenset[str]]:
    """The newest revision in a folder of scripts, and all of them.

    Raises: SchemaMismatch unless there is exactly one revision that no other follows.
    """
    parents = {}
    for script in sorted(versions.glob("*.py")):
        values = _assignments(script)
        parents[str(values["revision"])] = values["down_revision"]
    followed: set[object] = set()
    for parent in parents.values():
        followed.update(parent if isinstance(parent, tuple) else (parent,))
    heads = [revision for revision in parents if revision not in followed]
    if len(heads) != 1:
        raise SchemaMismatch(f"Expected one newest migration, found {heads or 'none'}.")
    return heads[0], frozenset(parents)


def _assignments(script: Path) -> Mapping[str, object]:
    """The literal module-level names of a migration script, without running it."""
    found: dict[str, object] = {}
    for node in ast.parse(script.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            target, value = node.target.id, node.value
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            target, value = node.targets[0].id, node.value
        else:
            continue
        if target in {"revision", "down_revision"} and value is not None:
            found[target] = ast.literal_eval(value)
    return found


async def current_and_head(url: str) -> Versions:
    """Both versions, as they are now. ``url`` is ``postgresql://...``."""
    head, known = head_of(scripts_folder() / "versions")
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT to_regclass('public.alembic_version')") is None:
            return Versions(None, head, known)
        current = await connection.fetchval("SELECT version_num FROM public.alembic_version")
        return Versions(current, head, known)
    finally:
        await connection.close()


async def check_version(url: str) -> str:
    """The revision, when database and code agree.

    Raises: SchemaMismatch, saying which of the two is behind and what to do.
    """
    versions = await current_and_head(url)
    _refuse_newer(versions)
    if versions.current is None:
        raise SchemaMismatch("The database has no schema yet. Run: returns-api migrate")
    if not versions.equal:
        raise SchemaMismatch(
            f"The database's schema ({versions.current}) is older than this code needs "
            f"({versions.head}). Run: returns-api migrate"
        )
    return versions.head


def _refuse_newer(versions: Versions) -> None:
    if versions.current is not None and versions.current not in versions.known:
        raise SchemaMismatch(
            f"The database's schema ({versions.current}) is newer than this code, whose newest is "
            f"{versions.head}. Install the version of the code that made it; nothing was changed."
        )


async def upgrade(url: str) -> Versions:
    """Run what is missing and return the versions *before* it; any number may call this at once.

    ``url`` is the owner's, ``postgresql://...``. Raises: SchemaMismatch when the database is newer.
    """
    before = await current_and_head(url)
    _refuse_newer(before)
    if not before.equal:
        await _upgrade_patiently(url)
    return before


async def _upgrade_patiently(url: str) -> None:
    for attempt in range(1, LOCK_TRIES + 1):
        try:
            # Alembic runs its own event loop, so it gets a thread of its own.
            await asyncio.to_thread(_run_alembic, url)
        except Exception as error:
            if not _lock_not_available(error) or attempt == LOCK_TRIES:
                raise
            await asyncio.sleep(_LOCK_PAUSE_SECONDS)
        else:
            return


def _run_alembic(url: str) -> None:
    from alembic import command  # noqa: PLC0415 - costs a second, needed only when behind
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"url": url})
    config.set_main_option("script_location", str(scripts_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")


def _lock_not_available(error: BaseException) -> bool:
    original = getattr(error, "orig", None)
    return getattr(original, "sqlstate", None) == asyncpg.LockNotAvailableError.sqlstate
