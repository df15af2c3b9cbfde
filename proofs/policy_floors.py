"""Proof: whatever the merchant wrote, the buyer gets at least what the law of the place gives.

``python -m proofs.policy_floors --json`` draws random documents (10 000), a random case for each,
and puts the buyer into every place that a law pack knows, and into two that none knows. The rights
that apply are read from the pack files by ``policy_reference``; the decision of the engine is then
compared with each of them term by term: what is granted, until when, who pays, what is deducted,
proofs, approval, time to send, date of the refund. A place without a pack must say "no data".

Planted: with the law taken away, the same check must fail (the detector works). Exits 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random
from typing import Any, Final

from proofs.harness.options import asked, seed_of
from proofs.policy_random import case, document
from proofs.policy_reference.decisions import Reference
from proofs.policy_reference.plain import instant, law_files, many, ppm
from proofs.policy_reference.windows import end_of

from returns_api.domain.policy import Decision, Facts, Law, Policy, compile_policy, load_policy
from returns_api.domain.policy.vocabulary import Grade, OnSilence, RefundAt

SHOWN: Final = 10
ORDER: Final = tuple(event.value for event in RefundAt)
SECONDS: Final = {"hour": 3_600, "day": 86_400, "week": 604_800}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = seed_of(options)
    started = time.monotonic()
    counts: Counter[str] = Counter()
    problems: list[str] = []
    for number in range(options.documents):
        problems += check_document(seed, number, counts)
        if number % 20 == 0:
            _bar(number, options.documents)
    _bar(options.documents, options.documents)
    for line in problems[:SHOWN]:
        print(line)
    rights = [right["id"] for pack in law_files()[0] for right in pack["rights"]]
    unmet = [name for name in rights if not counts[name]] if options.documents >= 1_000 else []
    report = {
        "proof": "policy-floors",
        "ok": not problems and not unmet and (counts["planted_found"] > 0),
        "seed": seed,
        "documents": options.documents,
        "places": len(places()),
        "decisions": counts["decisions"],
        "rights_checked": counts["rights"],
        "below_the_floor": len(problems),
        "never_met": unmet,
        "planted_found": counts["planted_found"],
        "planted_tried": counts["planted_tried"],
        "seconds": round(time.monotonic() - started, 1),
    }
    text = "\n".join(f"{name}: {value}" for name, value in report.items())
    print(json.dumps(report) if options.json else text, flush=True)
    return 0 if report["ok"] else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof policy-floors", __doc__, seed="replay a run")
    parser.add_argument("--documents", type=int, default=10_000)
    return parser.parse_args(arguments)


def places() -> list[str]:
    """A place for every pack (two members for each group), and two that no pack knows."""
    packs, groups = law_files()
    found = []
    for pack in packs:
        for name in many(pack["place"]):
            members = groups.get(name, [name])
            found += [members[0], members[-1]] if len(members) > 1 else members
    return [*dict.fromkeys(found), "CH", "ZA"]


def check_document(seed: int, number: int, counts: Counter[str]) -> list[str]:
    """One random document and case in every place; the problems found."""
    random = Random(f"{seed}:{number}")
    plain = document(random, complete=random.random() < 0.5)
    loaded = load_policy(json.dumps(plain))
    policy, reference = compile_policy(loaded), Reference(plain)
    lawless = compile_policy(loaded.document, Law((), {"EU": tuple(reference.groups["EU"])}))
    problems = []
    for place in places():
        country, _, region = place.partition("-")
        data = {**case(random, tuple(plain["currency"])), "country": country,
                "region": region or None}  # fmt: skip
        for problem in check_case(data, policy, reference, counts):
            problems.append(f"document {number} (--seed {seed}) in {place}: {problem}")
        if number % 10 == 0:
            counts["planted_tried"] += 1
            found = check_case(data, lawless, reference, Counter())
            counts["planted_found"] += any(not problem.startswith("says") for problem in found)
    return problems


def check_case(
    data: dict[str, Any], policy: Policy, reference: Reference, counts: Counter[str]
) -> list[str]:
    """The decision against every right that applies and is still open."""
    facts = Facts.from_json(data)
    decision = policy.decide(facts)
    counts["decisions"] += 1
    known = any(reference.in_place(pack["place"], data) for pack in reference.packs)
    problems = []
    if decision.law_data != ("known" if known else "no data"):
        problems.append(f"says {decision.law_data}")
    for right in reference.rights(data):
        open_until = _open(right, data, reference)
        if right.get("resolutions") and not open_until:
            continue
        counts["rights"] += 1
        counts[right["id"]] += 1
        problems += [f"{right['id']}: {problem}" for problem in _below(right, open_until, decision)]
    return problems


def _open(right: dict[str, Any], data: dict[str, Any], reference: Reference) -> dict[str, Any]:
    """What the right grants and is not over, with the first instant too late."""
    asked = instant(data["asked_at"])
    starts = right.get("starts", ["delivered", "fulfilled + 7 days"])
    ends = {
        kind: end_of(reference.document, window, starts, None, data)
        for kind, window in right.get("resolutions", {}).items()
    }
    return {kind: end for kind, end in ends.items() if end is None or (asked and asked < end)}


def _below(right: dict[str, Any], granted: dict[str, Any], d: Decision) -> Iterator[str]:
    """Each term in which the decision is worse for the buyer than the right."""
    if granted and not d.eligible:
        yield "refused"
    ends = {r.kind.value: r.until for r in d.resolutions}
    for kind, over in granted.items():
        if kind not in ends:
            yield f"no {kind}"
        elif ends[kind] is not None and (over is None or ends[kind] < over - timedelta(seconds=1)):
            yield f"{kind} ends {ends[kind]}"
    if right.get("return_shipping") == "free" and (
        d.freight.own_label or any(method.fee_minor for method in d.methods)
    ):
        yield "return freight"
    if right.get("original_shipping") == "refund" and not d.refund_original_shipping:
        yield "original shipping"
    if "restocking_fee" in right and d.restocking_ppm > ppm(right["restocking_fee"]):
        yield "restocking fee"
    yield from _below_terms(right, d)


def _below_terms(right: dict[str, Any], d: Decision) -> Iterator[str]:
    for name, raw in right.get("grades", {}).items():
        share = d.grades[Grade(name)]
        if share is None or share > (0 if raw == "full" else ppm(raw)):
            yield f"deduction for {name}"
    if right.get("evidence") == "none" and d.evidence:
        yield "proofs"
    if "approval" in right and not d.approval.auto:
        within = d.approval.respond_within_seconds
        if within is None or within > _seconds(right["approval"]["respond_within"]):
            yield "time to answer"
        if d.approval.on_silence is not OnSilence.APPROVE:
            yield "silence"
    ship = d.deadlines.ship_within_seconds
    if "ship_within" in right and ship is not None and ship < _seconds(right["ship_within"]):
        yield "time to send"
    due = right.get("refund_due")
    if due and not any(_as_early(clock, due) for clock in d.refund_due):
        yield "date of the refund"


def _as_early(clock: Any, due: dict[str, str]) -> bool:
    """Whether a clock of the decision surely ends no later than the law's."""
    events = [clock.after.value, *([clock.not_before.value] if clock.not_before else [])]
    allowed = [due["after"], *([due["not_before"]] if "not_before" in due else [])]
    latest = max(ORDER.index(event) for event in events)
    bound = max(ORDER.index(event) for event in allowed)
    return latest <= bound and clock.within_seconds <= _seconds(due["within"])


def _seconds(period: str) -> int:
    number, _, unit = period.partition(" ")
    return int(number) * SECONDS[unit.rstrip("s")]


def _bar(done: int, whole: int) -> None:
    if sys.stderr.isatty() and whole:
        filled = 40 * done // whole
        end = "\n" if done == whole else ""
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done}/{whole} documents{end}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
