"""Proof: the analysis names every planted defect, nothing in clean documents, and is exact.

``python -m proofs.policy_analysis --json``:

- each document of ``policy_planted.defects`` has one defect; the analysis must name it at its
  place, and its witness, stored as JSON, read back and evaluated anew, must show it;
- the documents of ``policy_planted.clean`` must have no finding at all;
- random documents over small fact spaces: dead terms, impossible rules, gaps and unreachable tiers
  must be those that trying every case finds (``policy_enumeration``).

Exits 1 when anything is missed, invented or not shown. ``--seed`` replays the random part.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Final

from proofs.harness.options import asked, seed_of
from proofs.policy_enumeration import AXES_SETS, differences
from proofs.policy_planted.clean import CLEAN
from proofs.policy_planted.defects import PLANTED
from proofs.policy_planted.documents import Planted
from proofs.policy_random import document

from returns_api.domain.policy import Facts, compile_policy, load_policy, restore_policy
from returns_api.domain.policy.analysis import analyse

LEAST_PLANTED: Final = 40
LEAST_CLEAN: Final = 20
SHOWN: Final = 20


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = seed_of(options)
    started = time.monotonic()
    problems = [problem for planted in PLANTED for problem in check_planted(planted)]
    named = len(PLANTED) - len({problem.split(":")[0] for problem in problems})
    noise = [problem for number in range(len(CLEAN)) for problem in check_clean(number)]
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for number in range(options.documents):
        wrong += check_random(seed, number, counts)
        _bar(number + 1, options.documents)
    for line in (*problems, *noise, *wrong)[:SHOWN]:
        print(line)
    enough = len(PLANTED) >= LEAST_PLANTED and len(CLEAN) >= LEAST_CLEAN
    report = {
        "proof": "policy-analysis",
        "ok": not problems and not noise and not wrong and enough,
        "seed": seed,
        "planted": len(PLANTED),
        "named_with_witness": named,
        "kinds": len({planted.code for planted in PLANTED}),
        "clean": len(CLEAN),
        "findings_in_clean": len(noise),
        "random_documents": options.documents,
        "disagreements": len(wrong),
        **{name: counts[name] for name in ("dead", "gaps", "impossible", "unreachable")},
        "seconds": round(time.monotonic() - started, 1),
    }
    text = "\n".join(f"{name}: {value}" for name, value in report.items())
    print(json.dumps(report) if options.json else text, flush=True)
    return 0 if report["ok"] else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof policy-analysis", __doc__, seed="replay a run")
    parser.add_argument("--documents", type=int, default=400, help="random documents")
    return parser.parse_args(arguments)


def check_planted(planted: Planted) -> list[str]:
    """Whether the defect is named, alone, and shown by its witness; the problems found."""
    loaded = load_policy(planted.text)
    findings = analyse(loaded).findings
    hits = [f for f in findings if (f.code, f.path) == (planted.code, planted.path)]
    if not hits:
        return [f"{planted.name}: not named ({[(f.code, f.path) for f in findings]})"]
    problems = []
    others = [f.code for f in findings if f not in hits and f.code not in planted.also]
    if others:
        problems.append(f"{planted.name}: also {others}")
    finding = hits[0]
    if finding.line < 1 or not finding.suggestion:
        problems.append(f"{planted.name}: without a place or a suggestion")
    policy = compile_policy(restore_policy(loaded.canonical))
    witness = json.loads(json.dumps(finding.as_json()))["witness"]
    case = Facts.from_json(witness["facts"]) if witness else None
    decision = policy.decide(case) if case is not None else None
    if not planted.shows(policy, finding, case, decision):  # type: ignore[arg-type]
        problems.append(f"{planted.name}: the witness does not show it")
    return problems


def check_clean(number: int) -> list[str]:
    """The findings in a clean document; there should be none."""
    report = analyse(load_policy(CLEAN[number]))
    return [f"clean {number}: {finding.code} {finding.message}" for finding in report.findings]


def check_random(seed: int, number: int, counts: Counter[str]) -> list[str]:
    """One random document against trying every case."""
    random = Random(f"{seed}:{number}")
    axes = AXES_SETS[number % len(AXES_SETS)]
    plain = document(random, axes=axes)
    report = analyse(load_policy(json.dumps(plain)))
    findings = [finding.as_json() for finding in report.findings]
    codes = Counter(finding["code"] for finding in findings)
    counts["dead"] += codes["rule.dead"] + codes["rule.dead_term"]
    counts["gaps"] += codes["term.gap"]
    counts["impossible"] += codes["rule.impossible"]
    counts["unreachable"] += codes["tier.unreachable"]
    if not report.complete:
        return [f"document {number} (--seed {seed}): too large"]
    found = differences(plain, axes, findings)
    return [f"document {number} (--seed {seed}): {problem}" for problem in found]


def _bar(done: int, whole: int) -> None:
    if sys.stderr.isatty() and whole:
        filled = 40 * done // whole
        end = "\n" if done == whole else ""
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done}/{whole} documents{end}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
