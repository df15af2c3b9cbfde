"""Proof: every detector detects (T41). ``script/proof seeded --json``.

A copy of the tree gets one bug at a time: a patch of this folder. Then the one test that
``proofs.seeded.table`` names for it runs on the copy, and has to fail; on the copy without any
patch all of them have to pass. A bug that its test lets through, a patch that does not apply and a
test that fails anyway are told by name, and the exit code is 1.

``--only NAME …`` takes some of them.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from proofs.harness.options import asked
from proofs.harness.report import finish, machine, say
from proofs.seeded.table import BUGS, Bug
from proofs.seeded.tree import copy_tree, put_bug, variables_of

PASSED, FAILED, BROKEN = 0, 1, 2
"""Pytest's exit codes; any other one says that the test did not run."""
_FAILED_IN_WORDS: Final = re.compile(r"^\d+ failed", re.MULTILINE)
SECONDS: Final = 300


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    chosen = [bug for bug in BUGS if not options.only or bug.name in options.only]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="returns-api-seeded-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        say(f"{len(chosen)} tests without a bug")
        clean = _run(tree, sorted({bug.test for bug in chosen}))
        results = [_seed(tree, bug) for bug in chosen]
    caught = [result for result in results if result["caught"]]
    figures: dict[str, Any] = {
        "proof": "seeded",
        "ok": clean == PASSED and len(caught) == len(chosen) > 0,
        **machine(),
        "seconds": round(time.monotonic() - begun, 1),
        "bugs": len(chosen),
        "caught": len(caught),
        "missed": [result["bug"] for result in results if not result["caught"]],
        "pass_without_a_bug": clean == PASSED,
        "results": results,
    }
    return finish(figures, as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof seeded", __doc__)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these bugs")
    return parser.parse_args(arguments)


def _seed(tree: Path, bug: Bug) -> dict[str, Any]:
    """Put the bug in, run its test, take the bug out again."""
    applied = put_bug(tree, bug.name)
    caught = applied and _run(tree, [bug.test]) == FAILED
    if applied and not put_bug(tree, bug.name, "--reverse"):
        raise RuntimeError(f"{bug.name} cannot be taken out again")
    say(f"{bug.name}: {'caught' if caught else 'NOT CAUGHT'}")
    return {
        "bug": bug.name,
        "test": bug.test,
        "breaks": bug.breaks,
        "applied": applied,
        "caught": caught,
    }


def _run(tree: Path, tests: Sequence[str]) -> int:
    """Pytest's exit code for these tests of the copy; broken, too, when a fixture failed before
    the test could."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "--no-header", *tests],
        cwd=tree,
        env=variables_of(tree),
        capture_output=True,
        text=True,
        timeout=SECONDS * len(tests),
        check=False,
    )
    judged = done.returncode == PASSED or _FAILED_IN_WORDS.search(done.stdout)
    if not judged:
        say((done.stdout + done.stderr)[-2_000:])
    return done.returncode if judged else BROKEN


if __name__ == "__main__":
    sys.exit(main())
