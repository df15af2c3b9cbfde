"""Promises that contradict each other, whichever rules make them.

Owns the pairs of terms that cannot stand together in one case. Refuses to own single terms
(``terms``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from returns_api.domain.policy.analysis.study import Study
from returns_api.domain.policy.outcome_values import NO_FREIGHT
from returns_api.domain.policy.term_values import (
    Grades,
    Methods,
    RefundTiming,
    ReturnShipping,
)
from returns_api.domain.policy.vocabulary import PPM, MethodKind, RefundAt, Severity

Problem = tuple[str, Severity, str, str, str]


def _shipping_methods(shipping: ReturnShipping, methods: Methods) -> Problem | None:
    named = {kind for kind, _ in shipping.by_method}
    offered = set(methods.items)
    lacking = offered - named - NO_FREIGHT
    if named and lacking:
        name = sorted(kind.value for kind in lacking)[0]
        return ("shipping.method_without_fee", Severity.WARNING, f"{name} has no fee here.",
                f"Add {name} to return_shipping.", f"{name} costs nothing")  # fmt: skip
    return None


def _keep_refund(methods: Methods, timing: RefundTiming) -> Problem | None:
    if methods.items == (MethodKind.KEEP,) and timing.at is not RefundAt.REQUEST:
        return ("refund.never_due", Severity.ERROR,
                "The buyer keeps the goods, so the refund waits for goods that never come.",
                "Write refund_at: {at: request, …} or another method.",
                "nothing is ever sent back")  # fmt: skip
    return None


def _refund_grades(timing: RefundTiming, grades: Grades) -> Problem | None:
    if timing.at is RefundAt.RECEIPT and any(share != 0 for _, share in grades.items):
        return ("refund.before_inspection", Severity.WARNING,
                "The refund is paid on receipt, before a grade is known; nothing can be deducted.",
                "Write refund_at: inspection, or remove the deductions.",
                "deductions come after the refund")  # fmt: skip
    return None


def _restocking_grades(restocking: int, grades: Grades) -> Problem | None:
    worst = max((share or 0 for _, share in grades.items), default=0)
    if restocking and restocking + worst > PPM:
        return ("fee.above_price", Severity.ERROR,
                "Restocking fee and deduction together take more than the price.",
                "Lower one of them.", "more than 100 % is taken off")  # fmt: skip
    return None


_PAIRS: Final[dict[tuple[str, str], Callable[[Any, Any], Problem | None]]] = {
    ("return_shipping", "methods"): _shipping_methods,
    ("methods", "refund_at"): _keep_refund,
    ("refund_at", "grades"): _refund_grades,
    ("restocking_fee", "grades"): _restocking_grades,
}
"""Pairs of terms that can contradict each other, whichever rules set them."""


def check(study: Study) -> None:
    """Report pairs of terms that contradict each other in some case."""
    for pair, problem in _PAIRS.items():
        _pairs(study, pair, problem)


def _pairs(
    study: Study, pair: tuple[str, str], problem: Callable[[Any, Any], Problem | None]
) -> None:
    one, two = pair
    for first in study.setters[one]:
        for second in study.setters[two]:
            found = problem(getattr(study.rules[first], one), getattr(study.rules[second], two))
            if found is None:
                continue
            part = study.alive_both({one: first, two: second})
            if part is None:
                continue
            code, severity, message, hint, shows = found
            later = max(first, second)
            term = one if later == first else two
            names = f"{study.rules[first].id} and {study.rules[second].id}"
            where = study.rules[first].id if first == second else names
            study.report(
                code, severity, f"{where}: {message}", ("rules", later, term), suggestion=hint,
                case=study.case(part), shows=shows,
            )  # fmt: skip
