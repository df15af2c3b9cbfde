"""What a buyer could want to be otherwise, and how to tell that it is.

Owns the targets of an explanation. Refuses to own how they are reached (``needs``, ``search``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from returns_api.domain.policy.decisions import Decision
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.vocabulary import Grade, Payer, ResolutionKind
from returns_api.domain.policy.weighed import Weighed

Goal = Callable[[Weighed, Facts], bool]


def targets(weighed: Weighed, facts: Facts, decision: Decision) -> list[str]:
    """The refusal, or each fee and lapsed resolution. ``weighed`` is the case that was decided."""
    if not decision.eligible:
        return ["eligible"]
    found = []
    if decision.because == ():
        offered = weighed.outcome.plan.windows
        if len(offered) > len(decision.resolutions):
            still = {resolution.kind for resolution in decision.resolutions}
            found += [f"resolution.{w.kind.value}" for w in offered if w.kind not in still]
    if decision.freight.payer is Payer.BUYER:
        found.append("return_freight")
    if decision.restocking_ppm:
        found.append("restocking_fee")
    if facts.condition is not None and decision.grades.get(Grade(facts.condition)):
        found.append("deduction")
    if not decision.refund_original_shipping:
        found.append("original_shipping")
    return found


def wanted_kind(target: str) -> ResolutionKind | None:
    """The one resolution that a target is about; None where any will do."""
    name, _, kind = target.partition(".")
    return ResolutionKind(kind) if name == "resolution" else None


def goal_of(target: str) -> Goal:
    """The test for a target: whether a case is free of what the target names."""
    return _GOALS[target]


def is_open(weighed: Weighed, kind: ResolutionKind | None) -> bool:
    """Whether something (or this very resolution) is open to the buyer."""
    found = weighed.standing.resolutions
    return bool(found) if kind is None else any(r.kind is kind for r in found)


def _no_deduction(weighed: Weighed, facts: Facts) -> bool:
    if facts.condition is None:
        return weighed.eligible
    return weighed.eligible and weighed.outcome.grades[Grade(facts.condition)] == 0


def _opens(kind: ResolutionKind) -> Goal:
    return lambda weighed, _: is_open(weighed, kind)


_GOALS: Final[dict[str, Goal]] = {
    "eligible": lambda w, _: w.eligible,
    "return_freight": lambda w, _: w.eligible and w.outcome.freight.payer is Payer.MERCHANT,
    "restocking_fee": lambda w, _: w.eligible and not w.outcome.restocking_ppm,
    "deduction": _no_deduction,
    "original_shipping": lambda w, _: w.eligible and w.outcome.refund_original_shipping,
    **{f"resolution.{kind.value}": _opens(kind) for kind in ResolutionKind},
}
