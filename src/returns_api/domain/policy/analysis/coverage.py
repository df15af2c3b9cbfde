"""Dead rules and parts of rules, conditions that exclude each other, and gaps.

A term of a rule is dead where a rule above decides it in every case. A gap is a case that nobody
refuses and for which nobody sets a term that every return needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from returns_api.domain.policy.analysis.study import Study
from returns_api.domain.policy.axes import Clause
from returns_api.domain.policy.boxes import Box
from returns_api.domain.policy.conditions import Choice, SetChoice
from returns_api.domain.policy.document import Rule, When
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.vocabulary import Severity

REQUIRED: Final = (
    "resolutions", "return_shipping", "original_shipping", "methods", "approval", "ship_within",
    "inspect_within", "refund_at", "refund_within",
)  # fmt: skip
"""Terms that every accepted return needs from a rule."""

_SUGGEST: Final = {
    "resolutions": "resolutions: {refund: 30 days}",
    "return_shipping": "return_shipping: free",
    "original_shipping": "original_shipping: refund",
    "methods": "methods: [post]",
    "approval": "approval: auto",
    "ship_within": "ship_within: 14 days",
    "inspect_within": "inspect_within: 2 days",
    "refund_at": "refund_at: inspection",
    "refund_within": "refund_within: 5 days",
}

_CONDITIONS: Final = tuple(When.model_fields)


def check(study: Study) -> None:
    """Report dead rules, dead terms, dead choices, impossible conditions and gaps."""
    for number, rule in enumerate(study.rules):
        if not study.boxes[number]:
            _impossible(study, number, rule)
        elif not rule.terms():
            study.report(
                "rule.empty", Severity.WARNING, f"The rule {rule.id} sets nothing.",
                ("rules", number), suggestion="Give it a term or remove it.",
            )  # fmt: skip
        else:
            _dead(study, number, rule)
    _gaps(study)


def _dead(study: Study, number: int, rule: Rule) -> None:
    terms = list(rule.terms())
    live = [term for term in terms if study.deciding(number, term) is not None]
    if not live:
        _dead_rule(study, number, rule, terms[0])
        return
    for term in terms:
        if term not in live:
            case, above = _instead(study, number, term)
            study.report(
                "rule.dead_term", Severity.WARNING,
                f"{term} in {rule.id} never counts: {above.id} decides it first in every case.",
                ("rules", number, term),
                suggestion=f"Remove it, or move {rule.id} above {above.id}.",
                case=case, shows=f"{term} is set by {above.id}, not by {rule.id}",
            )  # fmt: skip
    for name, value, cut in _choices(study, rule):
        if all(study.deciding(number, term, cut) is None for term in live):
            _dead_choice(study, number, rule, name, value, cut, live[0])


def _dead_rule(study: Study, number: int, rule: Rule, term: str) -> None:
    case, above = _instead(study, number, term)
    study.report(
        "rule.dead", Severity.WARNING,
        f"The rule {rule.id} never decides anything: rules above it do in every case.",
        ("rules", number),
        suggestion=f"Move {rule.id} above {above.id}, or remove it.",
        case=case, shows=f"{rule.id} applies, but {term} is set by {above.id}",
    )  # fmt: skip


def _dead_choice(
    study: Study, number: int, rule: Rule, name: str, value: str, cut: Box, term: str
) -> None:
    case = study.case(cut)
    study.report(
        "rule.dead_choice", Severity.WARNING,
        f"“{value}” under {name} in {rule.id} never counts: rules above decide those cases.",
        ("rules", number, "when", name), suggestion=f"Remove {value}.",
        case=case, shows=f"{term} is not set by {rule.id}",
    )  # fmt: skip


def _instead(study: Study, number: int, term: str) -> tuple[Facts, Rule]:
    """A case in which the rule applies, and the rule above it that decides ``term`` there."""
    case = study.case(study.boxes[number][0])
    tier = study.policy.tiers.of(case.buyer)
    mask = study.policy.index.match(case, study.geometry.axes.tier.locate(tier))
    above = next(n for n in study.setters[term] if mask >> n & 1)
    return case, study.rules[above]


def _choices(study: Study, rule: Rule) -> Iterator[tuple[str, str, Box]]:
    """Each value of each condition that lists several, with what the rule takes by it alone."""
    number = study.rules.index(rule)
    for name in _CONDITIONS:
        condition = getattr(rule.when, name)
        if isinstance(condition, Choice) and not condition.negated and len(condition.values) > 1:
            for value in condition.values:
                yield from _only(study, number, name, value, Choice((value,)))
        if isinstance(condition, SetChoice) and len(condition.any) > 1:
            for tag in condition.any:
                only = SetChoice((tag,), condition.all, condition.none)
                yield from _only(study, number, name, tag, only)


def _only(
    study: Study, number: int, name: str, value: str, condition: Choice | SetChoice
) -> Iterator[tuple[str, str, Box]]:
    when = study.rules[number].when.model_copy(update={name: condition})
    for box in study.geometry.boxes_of(Clause(when))[:1]:
        yield name, value, box


def _impossible(study: Study, number: int, rule: Rule) -> None:
    """The conditions leave nothing: find the one that, left out, lets cases through."""
    asked = [name for name in _CONDITIONS if getattr(rule.when, name) is not None]
    for name in asked:
        when = rule.when.model_copy(update={name: None})
        boxes = study.geometry.boxes_of(Clause(when))
        if boxes:
            others = [other for other in asked if other != name]
            with_what = f"together with {', '.join(others)}" if others else "by itself"
            study.report(
                "rule.impossible", Severity.ERROR,
                f"No case can meet {name} in {rule.id} {with_what}.",
                ("rules", number, "when", name),
                suggestion=f"Change {name}, or remove the rule.",
                case=study.case(boxes[0]),
                shows=f"everything but {name} holds, so {rule.id} does not apply",
            )  # fmt: skip
            return
    study.report(
        "rule.impossible", Severity.ERROR, f"No case can meet the conditions of {rule.id}.",
        ("rules", number, "when"), suggestion="Remove a condition.",
        case=study.case(study.geometry.universe), shows=f"{rule.id} does not apply",
    )  # fmt: skip


def _gaps(study: Study) -> None:
    for term in REQUIRED:
        holes = study.holes(term, len(study.rules))
        part = study.accepted(study.geometry.universe, holes)
        if part is not None:
            study.report(
                "term.gap", Severity.ERROR, f"For some returns no rule sets {term}.", ("rules",),
                suggestion=f"Add to the last rule: {_SUGGEST[term]}",
                case=study.case(part), shows=f"{term} is set by no rule",
            )  # fmt: skip
