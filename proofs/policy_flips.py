"""Proof: applying the change that an explanation names turns the outcome, every time.

``python -m proofs.policy_flips --json`` draws random documents and cases until it has met the
wanted number of refusals. For each refusal and each fee the named change is taken from its JSON
form, applied to the case's JSON form, and the new case is decided by a freshly compiled policy and
by the plain reference: both must say that the refusal or fee is gone. A refusal for which no change
is named, or one of several facts, must be one that no change of a single fact turns (tried by the
reference, value by value).

Exits 1 when a change does not turn the outcome, a smaller one was overlooked, or a sentence is
missing in a language.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from secrets import randbits
from typing import Any, Final

from proofs.policy_enumeration import CONDITIONS
from proofs.policy_random import CATEGORIES, CHANNELS, PLACES, case, document
from proofs.policy_reference import Reference

from returns_api.domain.policy import Facts, Policy, compile_policy, load_policy, restore_policy
from returns_api.domain.policy.explain import Explainer, Flip, goal_of
from returns_api.domain.policy.texts import LANGUAGES
from returns_api.domain.reasons import BY_CODE

CASES_PER_DOCUMENT: Final = 40
SHOWN: Final = 10


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = randbits(32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    started = time.monotonic()
    counts: Counter[str] = Counter()
    problems: list[str] = []
    number = 0
    while counts["refusals"] < options.refusals:
        problems += check_document(seed, number, counts)
        number += 1
        _bar(min(counts["refusals"], options.refusals), options.refusals)
    for line in problems[:SHOWN]:
        print(line)
    named = counts["named"]
    report = {
        "proof": "policy-flips",
        "ok": not problems,
        "seed": seed,
        "documents": number,
        "cases": counts["cases"],
        "refusals": counts["refusals"],
        "refusals_with_a_change": named,
        "refusals_without": counts["none"],
        "fees": counts["fees"],
        "changes_applied": counts["applied"],
        "turned": counts["turned"],
        "turned_percent": 100 * counts["turned"] // max(counts["applied"], 1),
        "problems": len(problems),
        "by_facts_changed": {str(n): counts[f"size{n}"] for n in (1, 2, 3)},
        "seconds": round(time.monotonic() - started, 1),
    }
    text = "\n".join(f"{name}: {value}" for name, value in report.items())
    print(json.dumps(report) if options.json else text, flush=True)
    return 0 if report["ok"] else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="proofs.policy_flips", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--refusals", type=int, default=10_000)
    parser.add_argument("--seed", type=int, help="replay a run")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def check_document(seed: int, number: int, counts: Counter[str]) -> list[str]:
    """All cases of one random document; the problems found."""
    random = Random(f"{seed}:{number}")
    plain = document(random, complete=random.random() < 0.8)
    loaded = load_policy(json.dumps(plain))
    policy, fresh = compile_policy(loaded), compile_policy(restore_policy(loaded.canonical))
    explainer, reference = Explainer(policy), Reference(plain)
    problems = []
    for _ in range(CASES_PER_DOCUMENT):
        data = case(random, tuple(plain["currency"]))
        facts = Facts.from_json(data)
        decision = policy.decide(facts)
        flips = explainer.flips(facts, decision, random.choice(LANGUAGES))
        counts["cases"] += 1
        counts["refusals"] += not decision.eligible
        counts["named"] += not decision.eligible and bool(flips)
        for flip in flips:
            if flip.target != "eligible":
                counts["fees"] += 1
            elif len(flip.changes) > 1:
                problems += _overlooked(data, reference)
            problems += _check_flip(flip, facts, fresh, reference, counts)
        if not decision.eligible and not flips:
            counts["none"] += 1
            problems += _overlooked(data, reference)
    return [f"document {number} (--seed {seed}): {problem}" for problem in problems]


def _check_flip(
    flip: Flip, facts: Facts, fresh: Policy, reference: Reference, counts: Counter[str]
) -> list[str]:
    change = json.loads(json.dumps(flip.as_json()))["change"]
    data = {**json.loads(json.dumps(facts.to_json())), **change}
    after = Facts.from_json(data)
    counts["applied"] += 1
    counts[f"size{len(flip.changes)}"] += 1
    problems = []
    turned = goal_of(flip.target)(fresh.weigh(after), after)
    if not turned or not _reference_agrees(flip.target, reference, data):
        problems.append(f"{flip.target} does not turn by {change}")
    else:
        counts["turned"] += 1
    if "{" in flip.sentence or len(flip.sentence) < 10:
        problems.append(f"no sentence for {flip.target}: {flip.sentence!r}")
    return problems


def _reference_agrees(target: str, reference: Reference, data: dict[str, Any]) -> bool:
    judged = reference.judge(data)
    name, _, kind = target.partition(".")
    if name == "resolution":
        return kind in judged["resolutions"]
    if name == "return_freight":
        gone = not judged["own_label"] and not any(judged["methods"].values())
    elif name == "restocking_fee":
        gone = judged["restocking"] == 0
    elif name == "deduction":
        gone = data["condition"] is None or judged["grades"][data["condition"]] == 0
    else:
        gone = judged["original"] if name == "original_shipping" else True
    return bool(judged["eligible"] and gone)


def _overlooked(data: dict[str, Any], reference: Reference) -> list[str]:
    """Single changes that would have turned the refusal."""
    return [
        f"overlooked {change}"
        for change in _single_changes(data, reference.document)
        if reference.judge({**data, **change})["eligible"]
    ][:1]


def _single_changes(data: dict[str, Any], plain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from ({"reason": code} for code in BY_CODE)
    yield from ({"condition": value} for value in CONDITIONS)
    yield from ({"category": value} for value in (None, *CATEGORIES))
    yield from ({"channel": value} for value in (None, *CHANNELS))
    yield from ({"asked_at": data[name]} for name in ("placed_at", "delivered_at") if data[name])
    yield {"discounted": not data["discounted"]}
    named = json.dumps([rule.get("when", {}).get("place") for rule in plain["rules"]])
    for place in PLACES:
        if f'"{place}"' in named:  # an explanation speaks of no other place
            country, _, region = place.partition("-")
            yield {"country": country, "region": region or None}


def _bar(done: int, whole: int) -> None:
    if sys.stderr.isatty() and whole:
        filled = 40 * done // whole
        end = "\n" if done == whole else ""
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done}/{whole} refusals{end}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
