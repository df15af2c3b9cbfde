"""Merchant and law: for each term, the kinder value for the buyer holds.

Owns the order "kinder than" on every term that a law can speak of. A join is never worse for the
buyer than either side; ``tests`` and ``proofs/policy_floors`` check that. Refuses to own windows:
they are compared by the instant they end (``windows``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from returns_api.domain.policy.term_values import (
    ApprovalTerm,
    Deadline,
    EvidenceTerm,
    Grades,
    ReturnShipping,
)
from returns_api.domain.policy.values import Duration
from returns_api.domain.policy.vocabulary import REFUSED_BY_NATURE, Grade, OnSilence


def all_grades(grades: Grades | None) -> dict[Grade, int | None]:
    """The share taken off by grade for every grade; None = not taken back.

    A grade that the document does not name costs nothing, except where what came back is not what
    was sold (``REFUSED_BY_NATURE``).
    """
    found: dict[Grade, int | None] = {
        grade: None if grade in REFUSED_BY_NATURE else 0 for grade in Grade
    }
    found.update(dict(grades.items) if grades else {})
    return found


def join_shipping(merchant: ReturnShipping, law: str) -> ReturnShipping:
    """A law can only demand that the way back is free."""
    return ReturnShipping(free=True) if law == "free" else merchant


def join_original(merchant: str, law: str) -> str:
    """A law can only demand that standard outbound shipping is paid back."""
    return "refund" if law == "refund" else merchant


def join_grades(merchant: Grades, law: Grades) -> Grades:
    """The smaller deduction; any deduction is kinder than a refusal."""
    ours, floor = dict(merchant.items), dict(law.items)
    found = []
    for grade in Grade:
        if grade not in ours:
            continue
        share = ours[grade]
        if grade in floor:
            caps = [value for value in (share, floor[grade]) if value is not None]
            share = min(caps) if caps else None
        found.append((grade, share))
    return Grades(tuple(found))


def join_evidence(merchant: EvidenceTerm, law: EvidenceTerm) -> EvidenceTerm:
    """The fewer proofs of each kind."""
    most = dict(law.items)
    kept = ((kind, min(number, most.get(kind, 0))) for kind, number in merchant.items)
    return EvidenceTerm(tuple((kind, number) for kind, number in kept if number))


def join_approval(merchant: ApprovalTerm, law: ApprovalTerm) -> ApprovalTerm:
    """Automatic before reviewed; the shorter wait; silence that approves."""
    if merchant.auto or law.auto:
        return ApprovalTerm(auto=True)
    waits = [wait for wait in (merchant.respond_within, law.respond_within) if wait]
    shortest: Duration | None = min(waits, key=lambda wait: wait.seconds) if waits else None
    approves = OnSilence.APPROVE in (merchant.on_silence, law.on_silence)
    silence = OnSilence.APPROVE if approves else merchant.on_silence
    return ApprovalTerm(respond_within=shortest, on_silence=silence)


def join_longer(merchant: Deadline, law: Deadline) -> Deadline:
    """The longer time for the buyer."""
    if merchant.seconds is None or law.seconds is None:
        return Deadline(None)
    return merchant if merchant.seconds >= law.seconds else law


JOINS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "return_shipping": join_shipping,
    "original_shipping": join_original,
    "restocking_fee": min,
    "grades": join_grades,
    "evidence": join_evidence,
    "approval": join_approval,
    "ship_within": join_longer,
}
"""Per term: the merchant's value and the law's in, the kinder one out."""
