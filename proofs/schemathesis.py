"""Proof: every answer is as the OpenAPI file describes it, whoever asks (T19).

``script/proof schemathesis --json`` runs schemathesis against a live server as every role and with
no key, on every operation, with all checks and all phases, several seeds and 200 examples for each
operation. 0 failures, no check switched off. Each run has a server and two shops of its own, since
a run changes what it meets.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from proofs.harness.options import asked
from proofs.harness.report import finish, machine, say
from tests.support.fuzzing import PROOF_SECONDS, ROLES, run_schemathesis
from tests.support.living import living_world

EXAMPLES: Final = 200
SEEDS: Final = 3
HOURS: Final = 3.0
_CASES: Final = re.compile(r"(\d+) generated")
_FAILURE: Final = re.compile(r"^- (ST\d+ .*)$", re.MULTILINE)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    runs: list[dict[str, Any]] = []
    for seed in range(1, options.seeds + 1):
        for role in options.roles:
            runs.append(_run(role, seed, options.examples))
            say(f"{role}, seed {seed}: {runs[-1]}")
    figures = {
        "ok": all(run["ok"] for run in runs),
        "roles": len(options.roles),
        "seeds": options.seeds,
        "examples_per_operation": options.examples,
        "requests": sum(run["requests"] for run in runs),
        "failures": sum(len(run["failures"]) for run in runs),
        "checks_switched_off": 0,
        "runs": runs,
        "machine": machine(),
    }
    return finish(figures, as_json=options.json)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof schemathesis", __doc__)
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="for each operation")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--roles", nargs="+", choices=ROLES, default=list(ROLES))
    return parser.parse_args(arguments)


def _run(role: str, seed: int, examples: int) -> dict[str, Any]:
    begun = time.perf_counter()
    with living_world() as living, tempfile.TemporaryDirectory() as folder:
        run = run_schemathesis(
            Path(folder),
            living.server.url,
            living.server.app.openapi(),
            living.world,
            role,
            arguments=["--max-examples", str(examples), "--seed", str(seed)],
            response_seconds=PROOF_SECONDS,
            seconds=HOURS * 3600,
        )
    cases = _CASES.search(run.text)
    if not run.ok:
        say(run.text)
    return {
        "ok": run.ok,
        "role": role,
        "seed": seed,
        "requests": int(cases[1]) if cases else 0,
        "failures": _FAILURE.findall(run.text),
        "seconds": round(time.perf_counter() - begun, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
