"""Proof: no rule of the schema can be broken by raw SQL as the service's own role (T24).

``script/proof constraints --json`` reads every CHECK, key, reference, NOT NULL, trigger,
append-only table and row-level policy from the catalogue of a migrated database with two full
shops, and attacks each with a statement that breaks it and nothing else. The attacks are those of
``tests/db/test_constraints.py``, run here for their figures: how many were tried, how many were
refused, and by how many different rules. One that is accepted, or a rule that nobody knows how to
attack, is told by name, and the exit code is 1.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from proofs.harness.options import asked
from proofs.harness.report import finish, machine

ROOT: Final = Path(__file__).resolve().parents[1]
TESTS: Final = "tests/db/test_constraints.py"
NAMES: Final = ("attacks", "refused", "refused_by")


class Figures:
    """What each test recorded, by the test's name, and which failed (a plugin of pytest)."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, int]] = {}
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.rpartition("::")[2]
        if report.failed:
            self.failed.append(f"{name}: {str(report.longrepr).strip().splitlines()[-1]}")
        if report.when == "teardown":
            told = dict(report.user_properties)
            self.found[name] = {each: int(str(told.get(each, 0))) for each in NAMES}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = asked("proof constraints", __doc__)
    options = parser.parse_args(arguments)
    figures = Figures()
    with contextlib.redirect_stdout(sys.stderr):
        code = pytest.main(["--rootdir", str(ROOT), str(ROOT / TESTS)], plugins=[figures])
    return finish(_told(figures, int(code)), as_json=options.json)


def _told(figures: Figures, code: int) -> dict[str, Any]:
    attacked = {
        name.removeprefix("test_"): each for name, each in figures.found.items() if each["attacks"]
    }
    attacks = sum(each["attacks"] for each in attacked.values())
    refused = sum(each["refused"] for each in attacked.values())
    return {
        "proof": "constraints",
        "ok": code == 0 and attacks == refused > 0,
        **machine(),
        "attacks": attacks,
        "refused": refused,
        "refused_share": round(refused / attacks, 4) if attacks else 0.0,
        "failed": figures.failed,
        "kinds": attacked,
    }


if __name__ == "__main__":
    sys.exit(main())
