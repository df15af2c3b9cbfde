"""Proof: the tests of the money rules notice when a rule is changed. ``script/proof mutation``.

mutmut changes one thing at a time (an operator, a bound, a word, an argument) in the pure modules
that money depends on: amounts, the certificate, settlement, refunds, the ledger, credit notes and
approvals. For each change the tests of ``tests/domain`` that reach the function run; one of them
has to fail. The score is the share of changes that were noticed, those that made a test run
without end included; the goal is 95 %. Who survives is named; ``docs/mutation.md`` says why.

Works on a copy of the tree. ``--only MODULE …`` takes some modules, ``--jobs`` that many at once.
Six minutes for all of them on two cores.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from proofs.harness.options import asked
from proofs.harness.report import finish, machine, say
from proofs.seeded.tree import copy_tree, variables_of

GOAL: Final = 0.95
DOMAIN: Final = Path("src/returns_api/domain")
MODULES: Final = (
    "money",
    "allocation/certificate",
    "allocation/certify",
    "settlement",
    "refundable",
    "tenders",
    "refunds",
    "ledger/chain",
    "ledger/entries",
    "ledger/debts",
    "ledger/postings",
    "ledger/goods_postings",
    "credit_notes",
    "approvals",
)
TESTS: Final = (
    "money",
    "money_cases",
    "money_reasons",
    "allocation",
    "allocation_bounds",
    "allocation_orders",
    "allocation_properties",
    "allocation_stored",
    "ledger",
    "chain",
    "postings",
    "refunds",
    "transfers",
    "settlement",
    "settlement_properties",
    "tenders",
    "approvals",
    "credit_notes",
)
KILLED, SURVIVED, UNREACHED = 1, 0, 33
"""Exit codes that mutmut keeps of a change; any other one is a run that ended by force."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="returns-api-mutants-") as folder:
        tree = Path(folder)
        copy_tree(tree, symlinks=False)
        (tree / "setup.cfg").write_text(_settings(options.only or MODULES))
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(options.jobs)]
        done = subprocess.run(
            command, cwd=tree, env=variables_of(tree), stdout=sys.stderr, check=False
        )
        found = {name: _outcomes(tree, name) for name in options.only or MODULES}
    modules = {name: _figures(outcomes) for name, outcomes in found.items()}
    judged, killed = (sum(each[key] for each in modules.values()) for key in ("judged", "killed"))
    score = killed / judged if judged else 0.0
    figures: dict[str, Any] = {
        "proof": "mutation",
        "ok": done.returncode == 0 and score >= GOAL,
        **machine(),
        "seconds": round(time.monotonic() - begun, 1),
        "changes": judged,
        "noticed": killed,
        "score": round(score, 4),
        "goal": GOAL,
        "modules": modules,
        "survivors": {name: _survivors(each) for name, each in found.items() if _survivors(each)},
    }
    return finish(figures, as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof mutation", __doc__)
    parser.add_argument("--only", nargs="*", choices=MODULES, metavar="MODULE", help="of these")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args(arguments)


def _settings(modules: Sequence[str]) -> str:
    """mutmut's, as it reads them from ``setup.cfg``."""
    lines = ["[mutmut]", "source_paths=src/", "only_mutate="]
    lines += [f"    {DOMAIN}/{name}.py" for name in modules]
    lines += ["also_copy=", "    proofs", "    docs", "pytest_add_cli_args_test_selection="]
    lines += [f"    tests/domain/test_{name}.py" for name in TESTS]
    # The same examples for every change, however long one takes on a busy machine.
    lines += ["pytest_add_cli_args=", "    -q", "    --hypothesis-profile=ci"]
    lines += ["track_dependencies=false", "use_git_change_detection=false"]
    return "\n".join([*lines, "timeout_multiplier=6.0", ""])


def _outcomes(tree: Path, module: str) -> dict[str, int | None]:
    """Exit code of each change of a module; None was not tried."""
    kept = tree / "mutants" / DOMAIN / f"{module}.py.meta"
    if not kept.is_file():
        say(f"no changes of {module}")
        return {}
    codes: dict[str, int | None] = json.loads(kept.read_text())["exit_code_by_key"]
    return {name.removeprefix("returns_api.domain."): code for name, code in codes.items()}


def _figures(outcomes: Mapping[str, int | None]) -> dict[str, Any]:
    tried = [code for code in outcomes.values() if code is not None]
    killed = sum(code not in {SURVIVED, UNREACHED} for code in tried)
    return {
        "judged": len(tried),
        "killed": killed,
        "score": round(killed / len(tried), 4) if tried else 0.0,
        "not_tried": len(outcomes) - len(tried),
    }


def _survivors(outcomes: Mapping[str, int | None]) -> list[str]:
    return [name for name, code in outcomes.items() if code in {SURVIVED, UNREACHED}]


if __name__ == "__main__":
    sys.exit(main())
