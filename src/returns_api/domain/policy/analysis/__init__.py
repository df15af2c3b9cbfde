"""Proofs about a policy document: every finding has a place, a witness and a suggestion.

``analyse`` is exact: it cuts the space of facts along the document's own conditions and decides
each question by set arithmetic (``boxes``), so "dead" means in every case and "gap" comes with the
case. Its work is bounded by ``boxes.STEPS``; a document beyond that is told so and gets no verdict.
"""

from __future__ import annotations

from dataclasses import dataclass

from returns_api.domain.policy.analysis import coverage, floors, names, signals, terms
from returns_api.domain.policy.analysis.study import Study
from returns_api.domain.policy.boxes import STEPS, Budget, TooLarge
from returns_api.domain.policy.findings import MAX_FINDINGS, Finding, sort_key
from returns_api.domain.policy.loader import LoadedPolicy
from returns_api.domain.policy.vocabulary import Severity


@dataclass(frozen=True, slots=True)
class Report:
    """What the analysis found. ``steps`` is the work it took, of at most ``STEPS``.

    ``complete`` is False where the document was too large; nothing was proven then.
    """

    findings: tuple[Finding, ...]
    steps: int
    complete: bool

    @property
    def publishable(self) -> bool:
        """Whether nothing forbids publishing."""
        return self.complete and all(f.severity is not Severity.ERROR for f in self.findings)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What must be acknowledged before publishing."""
        return tuple(f for f in self.findings if f.severity is Severity.WARNING)

    def as_json(self) -> dict[str, object]:
        """The report as plain data."""
        return {
            "publishable": self.publishable,
            "complete": self.complete,
            "steps": self.steps,
            "steps_bound": STEPS,
            "findings": [finding.as_json() for finding in self.findings],
        }


def analyse(loaded: LoadedPolicy, steps: int = STEPS) -> Report:
    """Check a document that could be read. Pure; the work is bounded by ``steps``."""
    budget = Budget(steps)
    try:
        study = Study(loaded, budget)
        for part in (names, signals, coverage, terms, floors):
            part.check(study)
    except TooLarge:
        message = f"The document is too large to analyse: more than {steps} steps."
        hint = "Use fewer conditions per rule, or split the document by market."
        large = Finding("analysis.too_large", Severity.ERROR, message, suggestion=hint)
        return Report((large,), steps, complete=False)
    found = sorted(study.findings, key=sort_key)[:MAX_FINDINGS]
    return Report(tuple(found), steps - budget.steps, complete=True)
