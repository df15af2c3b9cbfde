"""How a witness shows a defect: predicates over the policy, the finding, the facts, the decision.

Each looks at the decision alone, never at how the analysis came to its finding.
"""

from __future__ import annotations

from datetime import timedelta

from proofs.policy_planted.documents import Shows

from returns_api.domain.policy import Decision, Facts, Policy
from returns_api.domain.policy.findings import Finding
from returns_api.domain.policy.vocabulary import Grade, RefundAt


def set_by(decision: Decision, term: str) -> str | None:
    """The id of the rule or law that set ``term``."""
    found = next(t for t in decision.terms if t.term == term)
    return found.set_by.law or found.set_by.rule


def not_set_by(rule: str, *terms: str) -> Shows:
    """No term of ``terms`` is decided by ``rule`` although it applies."""
    return lambda _p, _f, _c, d: all(
        set_by(d, term) != rule for term in terms if any(t.term == term for t in d.terms)
    )


def silence(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    a = d.approval
    return not a.auto and (a.respond_within_seconds is None or a.on_silence is None)


def gap(term: str) -> Shows:
    if term == "resolutions":
        return lambda _p, _f, _c, d: [b.code for b in d.because] == ["no_rule"]
    return lambda _p, _f, _c, d: d.eligible and set_by(d, term) is None


def unknown(_p: Policy, finding: Finding, case: Facts, d: Decision) -> bool:
    """The name reaches nothing: no such reason is accepted, nobody has the tier."""
    if finding.code == "name.unknown_reason":
        return case.reason == "changed_minds" and not d.eligible
    return d.tier != "platinum" and "“" in finding.message


def late(_p: Policy, _f: Finding, case: Facts, d: Decision) -> bool:
    return case.asked_at - case.placed_at < timedelta(days=30) and not d.eligible


def open_for_ever(_p: Policy, _f: Finding, case: Facts, d: Decision) -> bool:
    waited = case.asked_at - case.placed_at > timedelta(days=3_000)
    return waited and case.delivered_at is None and d.eligible


def eaten(_p: Policy, _f: Finding, case: Facts, d: Decision) -> bool:
    price = case.unit_paid_minor
    fee = max(method.fee_minor for method in d.methods)
    return fee * 1_000_000 + price * d.restocking_ppm > price * 1_000_000 and price > 0


def above_price(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    return d.restocking_ppm + max(share or 0 for share in d.grades.values()) > 1_000_000


def no_tier(tier: str) -> Shows:
    def shows(policy: Policy, finding: Finding, case: Facts, d: Decision) -> bool:
        return d.tier != tier and tier in finding.message

    return shows


def law(term: str, law: str) -> Shows:
    def shows(_p: Policy, finding: Finding, _c: Facts, d: Decision) -> bool:
        if term.startswith("refuse"):
            return law in d.law and d.eligible and law in finding.message
        if term == "window":
            return set_by(d, "window.refund") == law
        if term == "refund_within":
            return len(d.refund_due) > 1 and law in d.law
        return set_by(d, term) == law

    return shows


def fee_is(minor: int) -> Shows:
    return lambda _p, _f, _c, d: d.freight.fee_minor == minor


def deadline(name: str, seconds: int | None) -> Shows:
    return lambda _p, _f, _c, d: getattr(d.deadlines, f"{name}_seconds") == seconds


def unbounded(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    a = d.advance
    return a is not None and None in (a.per_buyer_minor, a.per_day_minor, a.recover_within_seconds)


def unbounded_goods(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    f = d.exchange_first
    return f is not None and None in (f.per_buyer_minor, f.per_day_minor, f.recover_within_seconds)


def otherwise(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    early = {RefundAt.REQUEST, RefundAt.FIRST_SCAN}
    return d.advance is not None and d.advance.otherwise in early


def no_advance(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    return d.advance is None


def keeps(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    return [m.kind.value for m in d.methods] == ["keep"] and d.refund_at is not RefundAt.REQUEST


def too_early(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    return d.refund_at is RefundAt.RECEIPT and any(
        share != 0 for grade, share in d.grades.items() if grade is Grade.USED_WORN
    )


def refused(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    return not d.eligible


def free_method(name: str) -> Shows:
    return lambda _p, _f, _c, d: any(m.kind.value == name and m.fee_minor == 0 for m in d.methods)


def insured(_p: Policy, _f: Finding, _c: Facts, d: Decision) -> bool:
    return d.insurance is not None and all(method.fee_minor == 0 for method in d.methods)


def zone(name: str) -> Shows:
    return lambda _p, _f, _c, d: d.resolutions[0].until_local.endswith(name)


def message(*words: str) -> Shows:
    """For defects of wording, which no case can show: the message names them."""
    return lambda _p, finding, _c, _d: all(word in finding.message for word in words)


def named(rule: str) -> Shows:
    return lambda _p, _f, _c, d: any(term.set_by.rule == rule for term in d.terms)
