"""Which value each term has where certain rules apply and certain rights bind, and who set it.

Owns the choice (the first rule from the top that sets a term), the defaults of terms that nobody
sets, the join with active rights, and the record of it. Refuses to own what a value comes to in a
decision (``outcome``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from returns_api.domain.policy.decisions import Because, Floor, SetBy, Term
from returns_api.domain.policy.document import TERM_NAMES, PolicyDocument, Rule
from returns_api.domain.policy.law import LAW_TERMS, Right
from returns_api.domain.policy.merge import JOINS, all_grades
from returns_api.domain.policy.signals import REVIEWED, review_of, slow
from returns_api.domain.policy.term_values import (
    DEFAULT_STARTS,
    ApprovalTerm,
    Deadline,
    EvidenceTerm,
    Grades,
    KeepItem,
    Methods,
    RefundTiming,
    ReturnShipping,
)
from returns_api.domain.policy.tiers import HISTORY
from returns_api.domain.policy.used_facts import facts_of
from returns_api.domain.policy.values import write_ppm
from returns_api.domain.policy.vocabulary import MethodKind, RefundAt

NEVER: Final = "never"
"""Value of ``refuse`` that lets goods pass which a rule below would refuse."""

DEFAULTS: Final[Mapping[str, Any]] = {
    "starts": DEFAULT_STARTS,
    "return_shipping": ReturnShipping(free=True),
    "original_shipping": "keep",
    "restocking_fee": 0,
    "grades": Grades(()),
    "evidence": EvidenceTerm(()),
    "methods": Methods((MethodKind.POST,)),
    "approval": ApprovalTerm(),
    "ship_within": Deadline(None),
    "inspect_within": Deadline(None),
    "refund_at": RefundTiming(RefundAt.INSPECTION),
    "refund_within": Deadline(None),
    "keep_item": KeepItem(),
    "send_to": "warehouse",
}
"""What holds where no rule speaks: never a fee that nobody wrote down, and a person approves."""


@dataclass(frozen=True, slots=True)
class ChosenTerms:
    """The values of all terms for one set of rules and rights, before they become a decision."""

    values: dict[str, Any]
    rules: dict[str, Rule]
    by_law: dict[str, str]
    floors: dict[str, Floor]
    slowed: set[str] = field(default_factory=set)
    """Terms that a signal took from the rules."""

    @property
    def refusal(self) -> Because | None:
        """Why nothing is taken back, where a rule says so."""
        code = self.values.get("refuse")
        if code is None or code == NEVER:
            return None
        return Because(code, self.rules["refuse"].id)

    @property
    def refused_conditions(self) -> frozenset[str]:
        """Conditions that the document names as not taken back."""
        grades = self.rules["grades"].grades if "grades" in self.rules else None
        return frozenset(
            grade.value for grade, share in (grades.items if grades else ()) if share is None
        )


class TermChooser:
    """Chooses the terms of one document; ``lines`` are those of its rules in the source."""

    def __init__(self, document: PolicyDocument, lines: Mapping[str, int]) -> None:
        self._document = document
        self._lines = lines
        self.setters = {
            name: sum(
                1 << n for n, rule in enumerate(document.rules) if getattr(rule, name) is not None
            )
            for name in TERM_NAMES
        }
        self._review = review_of(document)
        self._facts = {rule.id: facts_of(rule.when) for rule in document.rules}

    def choose(self, rules: int, rights: Sequence[Right], *, slowed: bool) -> ChosenTerms:
        """The terms where ``rules`` apply, as bits, and ``rights`` bind; ``slowed``: a signal
        holds."""
        chosen = ChosenTerms(dict(DEFAULTS), {}, {}, {})
        for name in TERM_NAMES:
            setting = rules & self.setters[name]
            if setting:
                rule = self._document.rules[(setting & -setting).bit_length() - 1]
                chosen.rules[name] = rule
                chosen.values[name] = getattr(rule, name)
        chosen.values["grades"] = Grades(tuple(all_grades(chosen.values["grades"]).items()))
        if slowed:
            chosen.slowed.update(slow(chosen.values, self._review))
        for right in rights:
            for name in LAW_TERMS:
                demanded = getattr(right, name)
                if demanded is not None and name in JOINS:
                    _bind(chosen, name, demanded, right.id)
        return chosen

    def set_by(self, chosen: ChosenTerms, name: str) -> SetBy:
        """Who set a term."""
        if name in chosen.by_law:
            return SetBy(law=chosen.by_law[name])
        if name in chosen.slowed:
            return SetBy(rule=REVIEWED)
        rule = chosen.rules.get(name)
        return SetBy(rule.id, self._lines.get(rule.id)) if rule else SetBy()

    def review_within(self, chosen: ChosenTerms) -> int | None:
        """Seconds that a person may take who looks at it; None where a law grants it at once."""
        by_law = "approval" in chosen.by_law and chosen.values["approval"].auto
        within = self._review.respond_within
        return None if by_law or within is None else within.seconds

    def record(self, chosen: ChosenTerms, rights: Sequence[Right], tier: str) -> list[Term]:
        """Each term with its value as an author writes it, who set it and what mattered."""
        found = []
        if self._document.tiers:
            found.append(self._tier_term(tier))
        for name in TERM_NAMES:
            if name == "resolutions" or (name not in chosen.values):
                continue
            set_by = self.set_by(chosen, name)
            used = self._facts.get(set_by.rule or "", ()) if set_by.law is None else ("country",)
            value = _write(chosen.values[name])
            found.append(Term(name, value, set_by, used, chosen.floors.get(name)))
        for right in rights:
            if right.refund_due is not None:
                value = right.refund_due.written()
                found.append(Term("refund_due", value, SetBy(law=right.id), ("country",)))
        return found

    def _tier_term(self, tier: str) -> Term:
        asked = {name for rule in self._document.tiers for name in HISTORY if getattr(rule, name)}
        names = (
            "return_rate_ppm" if name == "return_rate" else name
            for name in HISTORY
            if name in asked
        )
        set_by = SetBy(rule=f"tiers.{tier}")
        return Term("tier", tier, set_by, tuple(f"buyer.{name}" for name in names))


def _bind(chosen: ChosenTerms, name: str, demanded: Any, law: str) -> None:
    """Join one demand of a right into the values, and keep it as the floor of the term."""
    before = chosen.values[name]
    after = JOINS[name](before, demanded)
    if after != before:
        chosen.values[name] = after
        chosen.by_law[name] = law
    kinder = "law" if name in chosen.by_law else "merchant"
    chosen.floors[name] = Floor(law, _write(demanded), kinder)


def _write(value: Any) -> Any:
    """A term value as an author writes it; bare integers are percentages."""
    if isinstance(value, int):
        return write_ppm(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.written() if hasattr(value, "written") else value
