"""A copy of the tree with one bug in it: made, patched, and run from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from proofs.seeded.table import FOLDER

ROOT: Final = Path(__file__).resolve().parents[2]
NEEDED: Final = (
    "src",
    "migrations",
    "tests",
    "proofs",
    "docs",
    "examples",
    "pyproject.toml",
    "alembic.ini",
)


def copy_tree(place: Path, *, symlinks: bool = True) -> None:
    """Everything that tests and proofs need, without what was compiled or installed; links are
    kept, or followed (``symlinks`` False)."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name, ignore=ignored, symlinks=symlinks)
        else:
            shutil.copy2(ROOT / name, place / name)


def put_bug(place: Path, name: str, *more: str) -> bool:
    """Apply a patch of this folder (``--reverse`` takes it back); False when it does not fit."""
    command = ["patch", "--force", "--strip=1", "--no-backup-if-mismatch", *more]
    done = subprocess.run(
        [*command, "--directory", str(place), "--input", str(FOLDER / f"{name}.patch")],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def variables_of(place: Path) -> dict[str, str]:
    """An environment in which the copy is imported and nothing is compiled for later: a patch may
    come within the second in which its file was compiled."""
    paths = os.pathsep.join((str(place / "src"), str(place)))
    return {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}


def rerun_with_bug(name: str, module: str, arguments: Sequence[str]) -> int:
    """Run a proof as a program of its own on a copy that has the bug; its exit code.

    Raises ``ValueError`` when there is no such bug, or it does not fit the tree.
    """
    with tempfile.TemporaryDirectory(prefix="returns-api-seeded-") as folder:
        place = Path(folder)
        copy_tree(place)
        if not put_bug(place, name):
            raise ValueError(f"the bug {name} does not fit")
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, cwd=place, env=variables_of(place), check=False).returncode
