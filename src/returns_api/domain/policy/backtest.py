"""A draft tried on history: which decisions flip, in which direction, and how much money moves.

Owns the comparison of two policies over a stream of stored cases and its aggregation. Memory does
not grow with the stream: sums by a bounded number of keys, and the ten most affected cases. Refuses
to own where cases come from and where reports go.

Money is an estimate of what *one unit* would bring the buyer: the price less restocking fee, less
the deduction for the condition that was found (or claimed), less the return freight; never below
zero, and zero where the return is refused. Positive ``moved`` means more for the buyer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappush, heappushpop
from typing import Any, Final

from returns_api.domain.policy.decisions import Decision, decision_bytes
from returns_api.domain.policy.evaluate import Policy, Weighed
from returns_api.domain.policy.facts import Facts, fact_json
from returns_api.domain.policy.vocabulary import PPM, Grade, ResolutionKind

MOST_AFFECTED: Final = 10
MAX_KEYS: Final = 10_000
"""Keys kept per table (SKUs above all); the rest is summed under ``OTHER``."""

OTHER: Final = "(other)"
EVERY: Final = 1_000
"""Cases between two calls of the progress function."""

TABLES: Final = ("reason", "tier", "country", "sku")


@dataclass(frozen=True, slots=True)
class Case:
    """One stored line: its name, its facts, what a unit of it paid.

    ``found`` is the grade that the warehouse gave, where it did; ``stored`` the canonical bytes of
    the decision that was taken, where the replay is to be checked against it.
    """

    key: str
    facts: Facts
    amount_minor: int
    found: Grade | None = None
    stored: bytes | None = None


@dataclass(slots=True)
class Sums:
    """Counts and money of one group of cases; money by currency, in minor units."""

    cases: int = 0
    changed: int = 0
    opened: int = 0
    closed: int = 0
    moved: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The sums as plain data."""
        return {
            "cases": self.cases,
            "changed": self.changed,
            "opened": self.opened,
            "closed": self.closed,
            "moved_minor": dict(sorted(self.moved.items())),
        }


@dataclass(frozen=True, slots=True)
class Affected:
    """A case that the draft changes, before and after."""

    key: str
    moved_minor: int
    currency: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    facts: Facts

    def as_json(self) -> dict[str, Any]:
        """The case as plain data."""
        return {
            "case": self.key,
            "moved_minor": self.moved_minor,
            "currency": self.currency,
            "before": dict(self.before),
            "after": dict(self.after),
            "facts": {
                name: fact_json(getattr(self.facts, name))
                for name in ("reason", "sku", "country", "unit_paid_minor", "asked_at")
            },
        }


@dataclass(slots=True)
class BackTest:
    """The report. ``by`` has a table for each of ``TABLES``; ``changes`` counts what differs."""

    total: Sums = field(default_factory=Sums)
    by: dict[str, dict[str, Sums]] = field(default_factory=lambda: {name: {} for name in TABLES})
    changes: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    replay_mismatches: int = 0
    mismatched: list[str] = field(default_factory=list)
    affected: list[Affected] = field(default_factory=list)
    first_asked: datetime | None = None
    last_asked: datetime | None = None

    @property
    def changed(self) -> int:
        """Cases whose outcome differs for the buyer."""
        return self.total.changed

    def as_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "total": self.total.as_json(),
            "changes": dict(sorted(self.changes.items())),
            "by": {
                name: {key: sums.as_json() for key, sums in sorted(table.items())}
                for name, table in self.by.items()
            },
            "most_affected": [affected.as_json() for affected in self.affected],
            "replayed": self.replayed,
            "replay_mismatches": self.replay_mismatches,
            "mismatched": self.mismatched,
            "asked": [fact_json(self.first_asked), fact_json(self.last_asked)],
        }


def backtest(
    old: Policy,
    new: Policy,
    cases: Iterable[Case],
    progress: Callable[[int], None] | None = None,
) -> BackTest:
    """Judge every case under both policies. ``progress`` is told how many are done."""
    report = BackTest()
    ranking: list[tuple[int, int, Affected]] = []
    done = 0
    for case in cases:
        done += 1
        before, after = old.weigh(case.facts), new.weigh(case.facts)
        if case.stored is not None:
            _replay(report, case, old.decide(case.facts))
        _count(report, ranking, done, case, before, after)
        if progress is not None and done % EVERY == 0:
            progress(done)
    if progress is not None:
        progress(done)
    report.affected = [found for _, _, found in sorted(ranking, key=lambda r: (-r[0], -r[1]))]
    return report


def _replay(report: BackTest, case: Case, decision: Decision) -> None:
    """The old version must give the stored decision, bit for bit."""
    report.replayed += 1
    if decision_bytes(decision) != case.stored:
        report.replay_mismatches += 1
        if len(report.mismatched) < MOST_AFFECTED:
            report.mismatched.append(case.key)


def _count(
    report: BackTest,
    ranking: list[tuple[int, int, Affected]],
    number: int,
    case: Case,
    before: Weighed,
    after: Weighed,
) -> None:
    facts = case.facts
    report.first_asked = min(report.first_asked or facts.asked_at, facts.asked_at)
    report.last_asked = max(report.last_asked or facts.asked_at, facts.asked_at)
    same = before.outcome is after.outcome and before.standing is after.standing
    differs = () if same else differences(before, after)
    moved = worth(after, case) - worth(before, case) if differs else 0
    groups = [report.total]
    for name in TABLES:
        key = before.tier if name == "tier" else getattr(facts, name) or "(none)"
        groups.append(_group(report.by[name], key))
    for sums in groups:
        sums.cases += 1
        if differs:
            sums.changed += 1
            sums.opened += after.eligible and not before.eligible
            sums.closed += before.eligible and not after.eligible
            if moved:
                sums.moved[facts.currency] += moved
    if differs:
        report.changes.update(differs)
        _rank(ranking, number, moved, case, before, after)


def _group(table: dict[str, Sums], key: str) -> Sums:
    if key not in table and len(table) >= MAX_KEYS:
        key = OTHER
    return table.setdefault(key, Sums())


def _rank(
    ranking: list[tuple[int, int, Affected]],
    number: int,
    moved: int,
    case: Case,
    before: Weighed,
    after: Weighed,
) -> None:
    """Keep the most affected cases: most money first, then those that open or close."""
    weight = abs(moved) * 2 + (before.eligible is not after.eligible)
    if len(ranking) >= MOST_AFFECTED and weight <= ranking[0][0]:
        return
    found = Affected(case.key, moved, case.facts.currency, brief(before), brief(after), case.facts)
    # Of equal cases the earlier one is kept: its negated number is the larger.
    item = (weight, -number, found)
    if len(ranking) < MOST_AFFECTED:
        heappush(ranking, item)
    else:
        heappushpop(ranking, item)


def worth(weighed: Weighed, case: Case) -> int:
    """What one unit brings the buyer, in minor units: an estimate, see the module."""
    if not any(r.kind is ResolutionKind.REFUND for r in weighed.standing.resolutions):
        return 0
    outcome = weighed.outcome
    claimed = case.facts.condition
    grade = case.found or (Grade(claimed) if claimed is not None and claimed in _GRADES else None)
    share = outcome.grades[grade] if grade is not None else 0
    if share is None:
        return 0
    taken = case.amount_minor * min(outcome.restocking_ppm + share, PPM) // PPM
    return max(case.amount_minor - taken - outcome.freight.fee_minor, 0)


_GRADES: Final = frozenset(grade.value for grade in Grade)


def brief(weighed: Weighed) -> dict[str, Any]:
    """An outcome in a few words, for the report."""
    outcome, standing = weighed.outcome, weighed.standing
    return {
        "eligible": weighed.eligible,
        "because": [because.code for because in standing.because],
        "resolutions": {r.kind.value: r.until_local for r in standing.resolutions},
        "return_freight_minor": outcome.freight.fee_minor,
        "restocking_ppm": outcome.restocking_ppm,
        "approval": "auto" if outcome.approval.auto else "review",
        "refund_at": outcome.refund_at.value,
    }


def differences(before: Weighed, after: Weighed) -> tuple[str, ...]:
    """The parts of the outcome in which two judgements of one case differ for the buyer."""
    if not before.eligible and not after.eligible:
        return ()
    found = []
    if before.eligible is not after.eligible:
        found.append("opened" if after.eligible else "closed")
    if before.standing.resolutions != after.standing.resolutions:
        found.append("resolutions")
    one, two = before.outcome, after.outcome
    found += [name for name in _PARTS if getattr(one, name) != getattr(two, name)]
    return tuple(found)


_PARTS: Final = (
    "methods", "freight", "restocking_ppm", "refund_original_shipping", "evidence", "approval",
    "deadlines", "refund_at", "refund_due", "grades", "advance", "insurance", "keep",
)  # fmt: skip
