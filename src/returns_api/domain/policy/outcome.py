"""The part of a decision that depends only on which rules and rights apply.

Owns the choice of each term (first rule from the top that sets it), the defaults of terms that
nobody sets, the join with active rights, and the record of who set what. Refuses to own dates: the
ends of windows are computed per case (``evaluate``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from returns_api.domain.policy.decisions import (
    Advance,
    Approval,
    Because,
    Deadlines,
    Evidence,
    ExchangeFirst,
    Floor,
    Freight,
    Insurance,
    Keep,
    Method,
    RefundDue,
    SetBy,
    Term,
)
from returns_api.domain.policy.document import TERM_NAMES, PolicyDocument, Rule
from returns_api.domain.policy.law import LAW_TERMS, Right
from returns_api.domain.policy.merge import JOINS, all_grades
from returns_api.domain.policy.offers import Plan, WindowTerm
from returns_api.domain.policy.outcome_values import (
    Purse,
    approval_of,
    clocks_of,
    freight_of,
    judged_approval_of,
)
from returns_api.domain.policy.signals import REVIEWED, review_of, slow
from returns_api.domain.policy.space import bits
from returns_api.domain.policy.term_values import (
    DEFAULT_STARTS,
    ApprovalTerm,
    Deadline,
    EvidenceTerm,
    Grades,
    KeepItem,
    Methods,
    RefundTiming,
    Resolutions,
    ReturnShipping,
)
from returns_api.domain.policy.tiers import HISTORY
from returns_api.domain.policy.used_facts import facts_of
from returns_api.domain.policy.values import write_ppm
from returns_api.domain.policy.vocabulary import (
    Grade,
    MethodKind,
    RefundAt,
)

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
class Outcome:
    """Everything about a decision but its dates."""

    refusal: Because | None
    refused_conditions: frozenset[str]
    plan: Plan
    methods: tuple[Method, ...]
    freight: Freight
    restocking_ppm: int
    refund_original_shipping: bool
    evidence: tuple[Evidence, ...]
    approval: Approval
    deadlines: Deadlines
    refund_at: RefundAt
    refund_due: tuple[RefundDue, ...]
    grades: Mapping[Grade, int | None]
    advance: Advance | None
    exchange_first: ExchangeFirst | None
    insurance: Insurance | None
    keep: Keep
    send_to: str
    law: tuple[str, ...]
    remarks: tuple[Because, ...]
    terms: tuple[Term, ...]
    setters: Mapping[str, str]
    """The id of the rule that set each term, before the law."""
    judged_approval: Approval
    """The way to approve where nothing but a matter of judgement carries the return."""
    signals: tuple[str, ...] = ()
    review_within_seconds: int | None = None
    """See ``Decision``."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The values of all terms for one set of rules and rights, before they become a decision."""

    values: dict[str, Any]
    rules: dict[str, Rule]
    by_law: dict[str, str]
    floors: dict[str, Floor]
    slowed: set[str] = field(default_factory=set)
    """Terms that a signal took from the rules."""


class OutcomeMaker:
    """Makes outcomes for one document and law."""

    def __init__(
        self,
        document: PolicyDocument,
        rights: Sequence[Right],
        lines: Mapping[str, int],
        tiers: Sequence[str],
    ) -> None:
        self._document = document
        self._rights = tuple(rights)
        self._lines = lines
        self._tiers = tuple(tiers)
        self.setters = {
            name: sum(
                1 << n for n, rule in enumerate(document.rules) if getattr(rule, name) is not None
            )
            for name in TERM_NAMES
        }
        self._review = review_of(document)
        self._facts = {rule.id: facts_of(rule.when) for rule in document.rules}

    def make(
        self, rules: int, active: int, tier: str, currency: str, signals: tuple[str, ...] = ()
    ) -> Outcome:
        """The outcome where the rules in ``rules`` apply, the rights in ``active`` bind and
        ``signals`` hold."""
        rights = [self._rights[n] for n in bits(active)]
        chosen = self._choose(rules, rights, slowed=bool(signals))
        return self._outcome(chosen, rights, tier, currency, signals)

    def _choose(self, rules: int, rights: Sequence[Right], *, slowed: bool) -> _Chosen:
        chosen = _Chosen(dict(DEFAULTS), {}, {}, {})
        for name in TERM_NAMES:
            setting = rules & self.setters[name]
            if setting:
                rule = self._document.rules[(setting & -setting).bit_length() - 1]
                chosen.rules[name] = rule
                chosen.values[name] = getattr(rule, name)
        chosen.values["grades"] = _whole(chosen.values["grades"])
        if slowed:
            chosen.slowed.update(slow(chosen.values, self._review))
        for right in rights:
            for name in LAW_TERMS:
                demanded = getattr(right, name)
                if demanded is not None and name in JOINS:
                    _bind(chosen, name, demanded, right.id)
        return chosen

    def _set_by(self, chosen: _Chosen, name: str) -> SetBy:
        if name in chosen.by_law:
            return SetBy(law=chosen.by_law[name])
        if name in chosen.slowed:
            return SetBy(rule=REVIEWED)
        rule = chosen.rules.get(name)
        return SetBy(rule.id, self._lines.get(rule.id)) if rule else SetBy()

    def _outcome(
        self,
        chosen: _Chosen,
        rights: Sequence[Right],
        tier: str,
        currency: str,
        signals: tuple[str, ...],
    ) -> Outcome:
        values = chosen.values
        money = Purse(currency, self._document.home_currency)
        foreign = currency not in self._document.currency
        approval: ApprovalTerm = values["approval"]
        methods = money.methods(values["methods"], values["return_shipping"])
        due = clocks_of(values, rights)
        resolutions: Resolutions | None = values.get("resolutions")
        set_by = self._set_by(chosen, "resolutions")
        grades: Grades = values["grades"]
        explicit = chosen.rules["grades"].grades if "grades" in chosen.rules else None
        return Outcome(
            refusal=_refusal(chosen),
            refused_conditions=_refused(explicit),
            plan=Plan(values["starts"], window_terms(resolutions, set_by), values.get("extend_to")),
            methods=methods,
            freight=freight_of(values["return_shipping"], methods),
            restocking_ppm=values["restocking_fee"],
            refund_original_shipping=values["original_shipping"] == "refund",
            evidence=tuple(Evidence(kind, n) for kind, n in values["evidence"].items),
            approval=approval_of(approval, foreign=foreign),
            deadlines=Deadlines(
                values["ship_within"].seconds,
                values["inspect_within"].seconds,
                values["refund_within"].seconds,
            ),
            refund_at=values["refund_at"].at,
            refund_due=due,
            grades=dict(grades.items),
            advance=money.advance(values["refund_at"]),
            exchange_first=money.exchange_first(values.get("exchange_at")),
            insurance=money.insurance(values.get("freight_insurance")),
            keep=Keep(values["keep_item"].always, values["keep_item"].label_over_ppm),
            send_to=values["send_to"],
            law=tuple(right.id for right in rights),
            remarks=(Because("currency_unknown", None, (("currency", currency),)),)
            if foreign
            else (),
            terms=tuple(self._terms(chosen, rights, tier)),
            setters={name: rule.id for name, rule in chosen.rules.items()},
            judged_approval=judged_approval_of(approval, rights),
            signals=signals,
            review_within_seconds=self._within(chosen),
        )

    def _within(self, chosen: _Chosen) -> int | None:
        by_law = "approval" in chosen.by_law and chosen.values["approval"].auto
        within = self._review.respond_within
        return None if by_law or within is None else within.seconds

    def _terms(self, chosen: _Chosen, rights: Sequence[Right], tier: str) -> list[Term]:
        found = []
        if self._document.tiers:
            found.append(self._tier_term(tier))
        for name in TERM_NAMES:
            if name == "resolutions" or (name not in chosen.values):
                continue
            set_by = self._set_by(chosen, name)
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


def window_terms(resolutions: Resolutions | None, set_by: SetBy) -> tuple[WindowTerm, ...]:
    """The windows of ``resolutions``, set by one rule or right."""
    return tuple(
        WindowTerm(
            item.kind,
            item.window,
            item.bonus_ppm,
            item.cost,
            set_by,
            item.window.written(),
            f"window.{item.kind.value}",
        )
        for item in (resolutions.items if resolutions else ())
    )


def _whole(grades: Grades) -> Grades:
    return Grades(tuple(all_grades(grades).items()))


def _bind(chosen: _Chosen, name: str, demanded: Any, law: str) -> None:
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


def _refusal(chosen: _Chosen) -> Because | None:
    code = chosen.values.get("refuse")
    if code is None or code == NEVER:
        return None
    return Because(code, chosen.rules["refuse"].id)


def _refused(grades: Grades | None) -> frozenset[str]:
    """Conditions that a document names as not taken back."""
    return frozenset(
        grade.value for grade, share in (grades.items if grades else ()) if share is None
    )
