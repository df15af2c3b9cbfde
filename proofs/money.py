"""Proof: any partition of an order's units refunds exactly what was paid.

``python -m proofs.money --orders 200000 --json`` makes random orders (``money_orders``), certifies
them, sends their units back in random returns in random order through the same settlement that the
service uses, and compares with a second implementation in exact fractions (``money_reference``):

- each unit refunds what the reference says, and all together what was paid;
- each partial sum lies between the sums of its cuts rounded down and up, never falls, never
  exceeds what was paid;
- the stored form of the certificate reads back equal;
- a planted error of one minor unit is found in every order that has two units (the detector works).

Prints its seed; ``--seed S --only N`` replays one order. Exits 1 on any mismatch, or when the run
was large enough to meet every corner and did not.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from random import Random
from typing import Final, TextIO

from proofs.harness.options import asked, seed_of
from proofs.money_orders import CURRENCIES, MAX_LINES, MAX_QUANTITY, random_order
from proofs.money_reference import Reference, Unit, reference

from returns_api.domain.allocation import Certificate, FlagCode, certify, from_json, to_json
from returns_api.domain.orders import LineKind
from returns_api.domain.settlement import MAX_CLAIMS, Claim, Terms, plan_settlement

WORKERS: Final = 2
CHUNK: Final = 500
LARGE: Final = 50_000
"""From this many orders on, every corner must have been met."""
REACHABLE: Final = (
    FlagCode.RESIDUE,
    FlagCode.REMOVED_PAID,
    FlagCode.NO_PAYMENT,
    FlagCode.PAID_DIFFERS,
    FlagCode.TOTAL_DIFFERS,
    FlagCode.UNALLOCATED,
)
"""The contradictions that the orders of this proof may hold."""
SHOWN: Final = 20
"""Mismatches that are printed; all are counted."""


@dataclass(slots=True)
class Tally:
    """What was looked at and what was wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    mismatches: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.counts += other.counts
        self.most |= other.most
        self.mismatches += other.mismatches


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    seed = seed_of(options)
    numbers = range(options.orders) if options.only is None else [options.only]
    started = time.monotonic()
    tally = _run(seed, numbers, options.workers)
    seconds = time.monotonic() - started
    unmet = _unmet(tally) if len(numbers) >= LARGE else []
    for line in (*tally.mismatches[:SHOWN], *unmet):
        print(line)
    report = _report(tally, seed, seconds, unmet)
    print(json.dumps(report) if options.json else _text(report), flush=True)
    return 0 if report["ok"] else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = asked("proof money", __doc__, seed="replay a run")
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--only", type=int, help="replay one order of a run")
    parser.add_argument("--workers", type=int, default=WORKERS)
    return parser.parse_args(arguments)


def _run(seed: int, numbers: Sequence[int], workers: int) -> Tally:
    """All orders, in chunks over the processes, with a bar on a terminal."""
    jobs = [(seed, chunk) for chunk in _chunks(numbers)]
    if workers == 1:
        return _gather(map(check_chunk, jobs), len(numbers))
    # Forking a process that may have threads is deprecated: start clean ones.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return _gather(pool.map(check_chunk, jobs), len(numbers))


def _gather(tallies: Iterable[Tally], whole: int) -> Tally:
    tally = Tally()
    for done in tallies:
        tally.add(done)
        _bar(tally.counts["orders"], whole, sys.stderr)
    return tally


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(numbers)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def check_chunk(job: tuple[int, list[int]]) -> Tally:
    """The orders ``numbers`` of the run ``seed``."""
    seed, numbers = job
    tally = Tally()
    for number in numbers:
        for problem in check_order(seed, number, tally):
            tally.mismatches.append(f"order {number}: {problem} (--seed {seed} --only {number})")
    return tally


def check_order(seed: int, number: int, tally: Tally) -> list[str]:
    """One order against the reference; the problems found."""
    order = random_order(seed, number)
    certificate, expected = certify(order), reference(order)
    tally.counts["orders"] += 1
    tally.counts[order.currency] += 1
    tally.counts.update(flag.code.value for flag in certificate.flags)
    tally.most |= Counter(
        lines=len(order.lines), quantity=max(line.quantity for line in order.lines)
    )
    units = {
        (line, no): unit
        for line, each in expected.units.items()
        for no, unit in enumerate(each, start=1)
    }
    tally.counts["units"] += len(units)
    problems = _compare(certificate, expected, units)
    if from_json(json.loads(json.dumps(to_json(certificate)))) != certificate:
        problems.append("the stored form reads back different")
    if len(units) > 1:
        tally.counts["planted"] += 1
        tally.counts["planted_found"] += _finds_planted(certificate, expected, units)
    return problems + _check_returns(certificate, units, Random(f"r{seed}:{number}"), tally)


def _compare(
    certificate: Certificate, expected: Reference, units: dict[tuple[str, int], Unit]
) -> list[str]:
    """Unit by unit, and in all."""
    problems = []
    found = {(line, no): parts.paid for line, no, parts in certificate.units()}
    if found != {key: unit.amount for key, unit in units.items()}:
        problems.append("units differ from the reference")
    if certificate.paid_minor != expected.paid:
        problems.append("what was paid differs from the reference")
    if sum(found.values()) + expected.unallocated != expected.paid:
        problems.append("the units do not sum to what was paid")
    return problems


def _finds_planted(
    certificate: Certificate, expected: Reference, units: dict[tuple[str, int], Unit]
) -> bool:
    """Whether one minor unit, moved from the last unit to the first, is noticed."""
    first, *_, last = units.values()
    first.amount, last.amount = first.amount + 1, last.amount - 1
    found = bool(_compare(certificate, expected, units))
    first.amount, last.amount = first.amount - 1, last.amount + 1
    return found


def _check_returns(
    certificate: Certificate, units: dict[tuple[str, int], Unit], random: Random, tally: Tally
) -> list[str]:
    """Send everything back in random returns; shipping goes with a random one of them."""
    shipping = {line.external_id for line in certificate.lines if line.kind is LineKind.SHIPPING}
    claims = [key for key in units if key[0] not in shipping]
    problems, low, high, refunded = [], 0, 0, 0
    returned_shipping: dict[str, int] = {}
    for parcel in _partition(claims, random):
        terms = Terms(refund_original_shipping=True, shipping_refunded=returned_shipping)
        settlement = plan_settlement(certificate, [Claim(*key) for key in parcel], terms, [])
        covered = [units[key] for key in parcel]
        if not returned_shipping:
            covered += [unit for key, unit in units.items() if key[0] in shipping]
            returned_shipping = {name: certificate.line(name).paid_minor for name in shipping}
        low += sum(unit.low for unit in covered)
        high += sum(unit.high for unit in covered)
        refunded += settlement.total_minor
        tally.counts["returns"] += 1
        if settlement.total_minor != sum(unit.amount for unit in covered):
            problems.append("a return differs from the sum of its units")
        if not max(low, 0) <= refunded <= min(high, certificate.paid_minor):
            problems.append("a partial sum is out of bounds")
        if settlement.total_minor < 0:
            problems.append("a return takes money")
    if claims and refunded != certificate.paid_minor - certificate.unallocated_minor:
        problems.append("all returns together are not what was paid")
    return problems


def _partition(claims: list[tuple[str, int]], random: Random) -> Iterator[list[tuple[str, int]]]:
    """A random order, cut at random places; no part above what one settlement takes."""
    random.shuffle(claims)
    sizes = random.choice((1, 3, len(claims), len(claims) // 2 + 1, len(claims) // 7 + 1))
    rest = iter(claims)
    while parcel := list(islice(rest, random.randint(1, min(max(sizes, 1), MAX_CLAIMS)))):
        yield parcel


def _unmet(tally: Tally) -> list[str]:
    """Corners that a large run must have met."""
    names = [*CURRENCIES, *REACHABLE]
    corners = {name: tally.counts[name] > 0 for name in names}
    corners["50 lines"] = tally.most["lines"] >= MAX_LINES
    corners["quantity 1000"] = tally.most["quantity"] >= MAX_QUANTITY
    return [f"never met: {corner}" for corner, met in corners.items() if not met]


def _report(tally: Tally, seed: int, seconds: float, unmet: list[str]) -> dict[str, object]:
    planted_missed = tally.counts["planted"] - tally.counts["planted_found"]
    return {
        "proof": "money",
        "ok": not tally.mismatches and not planted_missed and not unmet,
        "seed": seed,
        "mismatches": len(tally.mismatches),
        "planted_missed": planted_missed,
        "never_met": unmet,
        **{name: tally.counts[name] for name in sorted(tally.counts)},
        "most_lines": tally.most["lines"],
        "most_quantity": tally.most["quantity"],
        "seconds": round(seconds, 1),
    }


def _text(report: dict[str, object]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in report.items())


def _bar(done: int, whole: int, out: TextIO) -> None:
    if out.isatty():
        filled = 40 * done // whole
        end = "\n" if done == whole else ""
        out.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done}/{whole} orders{end}")
        out.flush()


if __name__ == "__main__":
    sys.exit(main())
