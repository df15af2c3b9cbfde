"""Proof: the change that an explanation names turns the outcome, is the smallest, and always there.

``python -m proofs.policy_flips --json`` draws random documents and cases until it has met the
wanted number of refusals. For each refusal and each fee the named change is taken from its JSON
form, applied to the case's JSON form, and the new case is decided by a freshly compiled policy and
by the plain reference: both must say that the refusal or fee is gone. No smaller change may do the
same: all changes of one fact are tried by the reference and, on a sample, all of two facts. Where
no change is named, ``policy_reach`` must prove that no facts reach the target, and the reference
must not find any among random ones.

Exits 1 when a change does not turn the outcome, a smaller one was overlooked, a change was called
impossible that is not, a search gave up, or a sentence is missing in a language.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any, Final

from proofs.harness.options import asked, seed_of
from proofs.policy_neighbours import anything, closer
from proofs.policy_random import case, document
from proofs.policy_reach import Reach
from proofs.policy_reference.decisions import Reference

from returns_api.domain.policy import Facts, Policy, compile_policy, load_policy, restore_policy
from returns_api.domain.policy.explain import Explainer, Flip, goal_of
from returns_api.domain.policy.texts import LANGUAGES

CASES_PER_DOCUMENT: Final = 40
SHOWN: Final = 10
TRIED: Final = 60
"""Random cases that the reference tries where no change is named."""
MARKETS: Final = (None, None, ["CH"], ["CH", "US"], ["DE", "CH"], ["KR"])


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = seed_of(options)
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
        "refusals_proven_final": counts["final_refusals"],
        "refusals_without_either": counts["lost_refusals"],
        "fees": counts["fees"],
        "fees_proven_final": counts["final_fees"],
        "changes_applied": counts["applied"],
        "turned": counts["turned"],
        "turned_percent": 100 * counts["turned"] // max(counts["applied"], 1),
        "problems": len(problems),
        "by_facts_changed": {
            name[4:]: counts[name] for name in sorted(counts) if name.startswith("size")
        },
        "smaller_changes_tried": counts["smaller"],
        "random_cases_tried": counts["random"],
        "seconds": round(time.monotonic() - started, 1),
    }
    text = "\n".join(f"{name}: {value}" for name, value in report.items())
    print(json.dumps(report) if options.json else text, flush=True)
    return 0 if report["ok"] else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof policy-flips", __doc__, seed="replay a run")
    parser.add_argument("--refusals", type=int, default=10_000)
    return parser.parse_args(arguments)


def check_document(seed: int, number: int, counts: Counter[str]) -> list[str]:
    """All cases of one random document; the problems found."""
    random = Random(f"{seed}:{number}")
    plain = document(random, complete=random.random() < 0.8)
    _close(plain, random)
    loaded = load_policy(json.dumps(plain))
    policy, fresh = compile_policy(loaded), compile_policy(restore_policy(loaded.canonical))
    explainer, reference, reach = Explainer(policy), Reference(plain), Reach(loaded)
    problems = []
    for _ in range(CASES_PER_DOCUMENT):
        data = case(random, tuple(plain["currency"]))
        facts = Facts.from_json(data)
        decision, flips = explainer.decide(facts, random.choice(LANGUAGES))
        counts["cases"] += 1
        counts["refusals"] += not decision.eligible
        if not decision.eligible and [flip.target for flip in flips] != ["eligible"]:
            counts["lost_refusals"] += 1
            problems.append("a refusal without an explanation")
        for flip in flips:
            counts["fees"] += flip.target != "eligible"
            if flip.changes:
                counts["named"] += flip.target == "eligible"
                problems += _check_flip(flip, facts, fresh, reference, counts)
                problems += _check_smallest(flip, data, reference, counts, random)
            else:
                problems += _check_final(flip, data, reference, reach, counts, random)
    return [f"document {number} (--seed {seed}): {problem}" for problem in problems]


def _close(plain: dict[str, Any], random: Random) -> None:
    """Some documents sell to few places, and some of these take nothing back at all."""
    markets = random.choice(MARKETS)
    if markets is not None:
        plain["markets"] = markets
        if random.random() < 0.3:
            plain["rules"].insert(0, {"id": "closed", "refuse": "no_returns"})


def _check_final(
    flip: Flip,
    data: dict[str, Any],
    reference: Reference,
    reach: Reach,
    counts: Counter[str],
    random: Random,
) -> list[str]:
    """That no facts reach the target, by the analysis and by trying."""
    kind = "refusals" if flip.target == "eligible" else "fees"
    if flip.kind != "none":
        counts[f"lost_{kind}"] += 1
        return [f"the search for {flip.target} gave up"]
    counts[f"final_{kind}"] += 1
    if reach.possible(flip.target, data["country"], data["region"]):
        counts[f"lost_{kind}"] += 1
        return [f"{flip.target} is said to be impossible, and the analysis finds a way: {data}"]
    markets = reference.document.get("markets")
    for _ in range(TRIED):
        counts["random"] += 1
        other = anything(data, reference, random)
        if markets and not reference.in_place(markets, other):
            other = {**other, "country": data["country"], "region": data["region"]}
        if _reference_agrees(flip.target, reference, other):
            return [f"{flip.target} is said to be impossible, and yet: {other}"]
    return []


def _check_smallest(
    flip: Flip, data: dict[str, Any], reference: Reference, counts: Counter[str], random: Random
) -> list[str]:
    """That no smaller change does the same."""
    for change in closer(flip, data, reference, pairs=random.random() < 0.05):
        counts["smaller"] += 1
        if _reference_agrees(flip.target, reference, {**data, **change}):
            named = flip.as_json()["change"]
            return [f"{flip.target}: overlooked {change}, named {named}, case {data}"]
    return []


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


def _bar(done: int, whole: int) -> None:
    if sys.stderr.isatty() and whole:
        filled = 40 * done // whole
        end = "\n" if done == whole else ""
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done}/{whole} refusals{end}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
