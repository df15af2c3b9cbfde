"""Each seeded bug still fits the code: a patch that no longer applies would prove nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATCHES = sorted((ROOT / "proofs" / "seeded").glob("*.patch"))


def test_there_are_seeded_bugs() -> None:
    assert PATCHES


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the POSIX tool patch")
@pytest.mark.parametrize("patch", PATCHES, ids=lambda path: path.stem)
def test_it_applies(patch: Path) -> None:
    done = subprocess.run(
        ["patch", "--dry-run", "--force", "--strip=1", "--input", str(patch)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
