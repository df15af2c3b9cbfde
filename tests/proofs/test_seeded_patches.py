"""Each seeded bug still fits the code: a patch that no longer applies would prove nothing."""

from __future__ import annotations

import ast
import shutil
import subprocess
from pathlib import Path

import pytest
from proofs.seeded.table import BUGS, FOLDER, Bug

ROOT = Path(__file__).resolve().parents[2]


def test_every_patch_has_its_test_and_every_test_its_patch() -> None:
    assert len(BUGS) >= 15
    assert sorted(bug.name for bug in BUGS) == sorted(path.stem for path in FOLDER.glob("*.patch"))


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the POSIX tool patch")
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_it_applies(bug: Bug) -> None:
    done = subprocess.run(
        ["patch", "--dry-run", "--force", "--strip=1", "--input", str(bug.patch)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_test_that_must_catch_it_exists(bug: Bug) -> None:
    path, _, name = bug.test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, functions)}
