"""The part of a decision that depends only on which rules and rights apply.

Owns what the chosen terms come to. Refuses to own the choice (``chosen_terms``) and dates: the ends
of windows are computed per case (``evaluate``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from returns_api.domain.policy.chosen_terms import ChosenTerms, TermChooser
from returns_api.domain.policy.decisions import (
    Advance,
    Approval,
    Because,
    Deadlines,
    Evidence,
    ExchangeFirst,
    Freight,
    Insurance,
    Keep,
    Method,
    RefundDue,
    SetBy,
    Term,
)
from returns_api.domain.policy.document import PolicyDocument
from returns_api.domain.policy.law import Right
from returns_api.domain.policy.offers import Plan, WindowTerm
from returns_api.domain.policy.outcome_values import (
    Purse,
    approval_of,
    clocks_of,
    deadlines_of,
    freight_of,
    judged_approval_of,
)
from returns_api.domain.policy.space import bits
from returns_api.domain.policy.term_values import (
    ApprovalTerm,
    Resolutions,
)
from returns_api.domain.policy.vocabulary import (
    Grade,
    RefundAt,
)


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


class OutcomeMaker:
    """Makes outcomes for one document and law."""

    def __init__(
        self,
        document: PolicyDocument,
        rights: Sequence[Right],
        lines: Mapping[str, int],
    ) -> None:
        self._document = document
        self._rights = tuple(rights)
        self._chooser = TermChooser(document, lines)
        self.setters = self._chooser.setters

    def make(
        self, rules: int, active: int, tier: str, currency: str, signals: tuple[str, ...] = ()
    ) -> Outcome:
        """The outcome where the rules in ``rules`` apply, the rights in ``active`` bind and
        ``signals`` hold."""
        rights = [self._rights[n] for n in bits(active)]
        chosen = self._chooser.choose(rules, rights, slowed=bool(signals))
        return self._outcome(chosen, rights, tier, currency, signals)

    def _outcome(
        self,
        chosen: ChosenTerms,
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
        resolutions: Resolutions | None = values.get("resolutions")
        set_by = self._chooser.set_by(chosen, "resolutions")
        return Outcome(
            refusal=chosen.refusal,
            refused_conditions=chosen.refused_conditions,
            plan=Plan(values["starts"], window_terms(resolutions, set_by), values.get("extend_to")),
            methods=methods,
            freight=freight_of(values["return_shipping"], methods),
            restocking_ppm=values["restocking_fee"],
            refund_original_shipping=values["original_shipping"] == "refund",
            evidence=tuple(Evidence(kind, n) for kind, n in values["evidence"].items),
            approval=approval_of(approval, foreign=foreign),
            deadlines=deadlines_of(values),
            refund_at=values["refund_at"].at,
            refund_due=clocks_of(values, rights),
            grades=dict(values["grades"].items),
            advance=money.advance(values["refund_at"]),
            exchange_first=money.exchange_first(values.get("exchange_at")),
            insurance=money.insurance(values.get("freight_insurance")),
            keep=Keep(values["keep_item"].always, values["keep_item"].label_over_ppm),
            send_to=values["send_to"],
            law=tuple(right.id for right in rights),
            remarks=_unknown(currency) if foreign else (),
            terms=tuple(self._chooser.record(chosen, rights, tier)),
            setters={name: rule.id for name, rule in chosen.rules.items()},
            judged_approval=judged_approval_of(approval, rights),
            signals=signals,
            review_within_seconds=self._chooser.review_within(chosen),
        )


def _unknown(currency: str) -> tuple[Because, ...]:
    return (Because("currency_unknown", None, (("currency", currency),)),)


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
