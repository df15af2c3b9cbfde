"""``script/bench policy``: what deciding, explaining, analysing and back-testing cost on one core.

Everything is pure and in memory, so the figures are those of the engine itself: line decisions per
second with a 100-rule document, without and with the full explanation (smallest changes with their
sentences); the cost of a decision as rules grow 10, 100, 1 000; the analysis of a 200-rule
document. The median of three rounds is reported, beside the best, the worst and the load of the
machine. Rates count seconds of processor time; those ``of_the_clock`` count what passed meanwhile.

The back-test is the one of the command line: 100 000 returns in a file, read, judged under both
documents and counted by one process a core; wall time, processor time of all, and the peak memory
of the largest process, once with a tenth of the file and once with all of it. Goals are reported,
not enforced.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

import orjson
from proofs.harness.options import asked

from returns_api.cli.policy_crowd import tally_file
from returns_api.domain.policy import (
    BuyerHistory,
    Facts,
    compile_policy,
    decision_bytes,
    load_policy,
)
from returns_api.domain.policy.analysis import analyse
from returns_api.domain.policy.explain import Explainer

ROUNDS: Final = 3
CASES: Final = 20_000
GOALS: Final = {
    "decisions_per_second": 50_000,
    "explained_per_second": 20_000,
    "backtest_seconds": 10,
    "analysis_seconds": 2,
}

_HEADER: Final[dict[str, Any]] = {
    "policy": "returns-policy/v1",
    "name": "Bench",
    "timezone": "Europe/Berlin",
    "currency": "EUR",
    "markets": ["EU", "GB", "CH", "US"],
    "tiers": [
        {"tier": "gold", "orders_kept": {"min": 5}, "return_rate": {"max": "25%"}},
        {"tier": "silver", "orders_kept": {"min": 2}},
    ],
    "goods": {
        "custom_made": {"tags": ["engraved", "monogram"]},
        "outlet": {"tags": ["outlet"], "category": ["Outlet*"]},
    },
}
_HOUSE: Final[dict[str, Any]] = {
    "id": "house",
    "resolutions": {"refund": "30 days", "exchange": "60 days", "store_credit": "90 days"},
    "starts": ["delivered", "fulfilled + 7 days"],
    "return_shipping": "4.90",
    "original_shipping": "refund",
    "restocking_fee": "0%",
    "grades": {"used_worn": "30%", "damaged_buyer": "60%"},
    "evidence": "none",
    "methods": ["post", "dropoff"],
    "approval": "auto",
    "ship_within": "14 days",
    "inspect_within": "2 days",
    "refund_at": "inspection",
    "refund_within": "5 days",
}
_COUNTRIES: Final = ("DE", "FR", "GB", "CH", "US", "AT", "ES", "NL")


def document(rules: int, *, house_fee: str = "4.90") -> bytes:
    """A document of ``rules`` rules as a shop grows it: products, prices, places, tiers."""
    random = Random(rules)
    found = [_rule(random, n) for n in range(rules - 2)]
    found.append({"id": "cheap", "when": {"unit_price": {"below": "10.00"}},
                  "return_shipping": "free"})  # fmt: skip
    found.append({**_HOUSE, "return_shipping": house_fee})
    return json.dumps({**_HEADER, "rules": found}).encode()


def _rule(random: Random, number: int) -> dict[str, Any]:
    conditions: dict[str, Any] = {
        "sku": [f"SKU-{number}-*"],
        "category": [f"Category {number % 40}"],
        "place": random.sample(_COUNTRIES, 2),
        "unit_price": {"min": f"{random.randint(1, 40) * 10}.00"},
        "tier": random.choice(("gold", "silver")),
        "fault": random.choice(("buyer", "merchant")),
        "tags": [f"tag-{number % 25}"],
        "discounted": True,
    }
    picked = ["sku" if number % 2 else "category", *random.sample(sorted(conditions), 2)]
    terms: dict[str, Any] = {
        "resolutions": {"refund": f"{random.randint(31, 90)} days", "exchange": "90 days"},
        "return_shipping": "free",
        "evidence": {"photo": random.randint(1, 3)},
        "grades": {"used_worn": f"{random.randint(1, 25)}%"},
        "inspect_within": f"{random.randint(3, 9)} days",
    }
    names = random.sample(sorted(terms), 2)
    return {
        "id": f"rule-{number}",
        "when": {name: conditions[name] for name in picked},
        **{name: terms[name] for name in names},
    }


def cases(number: int, seed: int = 1) -> Iterator[Facts]:
    """Cases as a year of a shop brings them, one after the other."""
    random = Random(seed)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    reasons = ("size_too_small", "changed_mind", "defective", "style", "damaged_in_transit")
    for _ in range(number):
        placed = start + timedelta(minutes=random.randrange(525_600))
        delivered = placed + timedelta(days=random.randint(1, 6), minutes=random.randrange(600))
        unit = random.randint(300, 40_000)
        product = random.randrange(3_000)
        yield Facts(
            reason=random.choice(reasons),
            currency="EUR",
            placed_at=placed,
            fulfilled_at=placed + timedelta(hours=20),
            delivered_at=delivered,
            asked_at=delivered + timedelta(days=random.randint(0, 40)),
            condition=random.choice((None, None, "opened_unused", "used_worn")),
            sku=f"SKU-{product % 400}-{product}",
            category=f"Category {product % 60}",
            tags=frozenset({f"tag-{product % 50}"}),
            unit_paid_minor=unit,
            order_paid_minor=unit * random.randint(1, 4),
            discounted=random.random() < 0.3,
            country=random.choice(_COUNTRIES),
            channel="web",
            buyer=BuyerHistory(random.randint(0, 9), 1, random.randint(0, 500_000), 0, 0, 300),
            rollout_ppm=random.randrange(1_000_000),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    report: dict[str, Any] = {"bench": "policy", "load_before": os.getloadavg()[0]}
    facts = list(cases(options.cases))
    report.update(decide_rates(facts))
    report["growth_us_per_decision"] = growth(facts[: options.cases // 4])
    report.update(analysis_time())
    report.update(backtest_time(options.backtest))
    report["load_after"] = os.getloadavg()[0]
    report["goals"] = GOALS
    text = "\n".join(f"{name}: {value}" for name, value in report.items())
    print(json.dumps(report) if options.json else text, flush=True)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("bench policy", __doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--backtest", type=int, default=100_000)
    return parser.parse_args(arguments)


def _rounds(name: str, work: Callable[[], None]) -> list[float]:
    """Seconds of processor time of each round; the first, unmeasured one fills the tables."""
    work()
    found = []
    for number in range(ROUNDS):
        _say(f"{name} {number + 1}/{ROUNDS}")
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return found


def decide_rates(facts: list[Facts]) -> dict[str, Any]:
    """Decisions per second and core with 100 rules: bare, as stored bytes, and fully explained."""
    policy = compile_policy(load_policy(document(100)))
    explainer = Explainer(policy)

    def bare() -> None:
        for case in facts:
            policy.decide(case)

    def stored() -> None:
        for case in facts[: len(facts) // 4]:
            decision_bytes(policy.decide(case))

    def explained() -> None:
        for case in facts:
            explainer.decide(case, "de")

    found: dict[str, Any] = {}
    for name, work, number in (
        ("decisions", bare, len(facts)),
        ("explained", explained, len(facts)),
        ("stored", stored, len(facts) // 4),
    ):
        clock = time.monotonic()
        seconds = _rounds(name, work)
        clock = (time.monotonic() - clock) / (ROUNDS + 1)
        found[f"{name}_per_second"] = round(number / median(seconds))
        found[f"{name}_per_second_best"] = round(number / min(seconds))
        found[f"{name}_per_second_worst"] = round(number / max(seconds))
        found[f"{name}_per_second_of_the_clock"] = round(number / clock)
    return found


def growth(facts: list[Facts]) -> dict[str, float]:
    """Microseconds per decision with 10, 100 and 1 000 rules."""
    found = {}
    for rules in (10, 100, 1_000):
        policy = compile_policy(load_policy(document(rules)))

        def work(policy: Any = policy) -> None:
            for case in facts:
                policy.decide(case)

        found[str(rules)] = round(median(_rounds(f"{rules} rules", work)) / len(facts) * 1e6, 2)
    return found


def analysis_time() -> dict[str, Any]:
    """Seconds to analyse a document of 200 rules."""
    loaded = load_policy(document(200))
    seconds = _rounds("analysis", lambda: None if analyse(loaded).complete else sys.exit(1))
    return {"analysis_200_rules_seconds": round(median(seconds), 3),
            "analysis_steps": analyse(loaded).steps}  # fmt: skip


def backtest_time(number: int) -> dict[str, Any]:
    """What it takes to try a draft on a file of ``number`` past returns."""
    old, new = (
        load_policy(source).canonical for source in (document(100), document(100, house_fee="5.90"))
    )
    with tempfile.TemporaryDirectory() as folder:
        small, whole = Path(folder, "tenth.ndjson"), Path(folder, "all.ndjson")
        write_history(small, number // 10)
        write_history(whole, number)
        found: dict[str, Any] = {"backtest_returns": number}
        tally_file(small, old, new, lambda _: None)
        found["backtest_peak_mb_of_a_tenth"] = _peak_mb()
        started, used = time.perf_counter(), _processor_seconds()
        tally = tally_file(whole, old, new, lambda done: _say(f"back-test {done} bytes"))
        found["backtest_seconds"] = round(time.perf_counter() - started, 2)
        found["backtest_cpu_seconds"] = round(_processor_seconds() - used, 2)
        found["backtest_peak_mb"] = _peak_mb()
        report = tally.report()
    assert report["returns"] == number
    found["backtest_turns"] = report["turns"]
    return found


def write_history(file: Path, number: int) -> None:
    """A file of past returns, as the command line reads it."""
    with file.open("wb") as opened:
        for position, facts in enumerate(cases(number, seed=2)):
            line = {"return": f"R{position}", "method": "post", "facts": facts.to_json()}
            opened.write(orjson.dumps(line) + b"\n")


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _peak_mb() -> float:
    """The most memory that this process, or one that it waited for, ever held."""
    held = [
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return round(max(held) / (1_048_576 if sys.platform == "darwin" else 1_024), 1)


def _say(what: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{what:40}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
