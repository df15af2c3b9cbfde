"""Term values turned into what a decision says: fees, limits, clocks and the way to approve.

Owns the step from an author's value to minor units and seconds. Refuses to own which value holds
(``outcome``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from returns_api.domain.policy.decisions import (
    Advance,
    Approval,
    Deadlines,
    ExchangeFirst,
    Freight,
    Insurance,
    Method,
    RefundDue,
)
from returns_api.domain.policy.law import RefundDueTerm, Right
from returns_api.domain.policy.merge import join_approval
from returns_api.domain.policy.term_values import (
    ApprovalTerm,
    InsuranceTerm,
    Methods,
    RefundTiming,
    ReturnShipping,
)
from returns_api.domain.policy.values import Amount
from returns_api.domain.policy.vocabulary import MethodKind, Payer, RefundAt

NO_FREIGHT: Final = frozenset({MethodKind.IN_STORE, MethodKind.KEEP})
"""Ways back without a parcel; they cost only what the document asks for them by name."""


def approval_of(term: ApprovalTerm, *, foreign: bool) -> Approval:
    """In a currency the policy does not know, a person looks at the request."""
    if term.auto and not foreign:
        return Approval(auto=True)
    within = term.respond_within.seconds if term.respond_within else None
    return Approval(False, within, term.on_silence)


def judged_approval_of(merchant: ApprovalTerm, rights: Sequence[Right]) -> Approval:
    """A person decides, in the way that the rights say; ``auto`` of the merchant is for others."""
    term = ApprovalTerm() if merchant.auto else merchant
    for right in rights:
        if right.judgement and right.approval is not None:
            term = join_approval(term, right.approval)
    return approval_of(term, foreign=True)


def clocks_of(values: Mapping[str, Any], rights: Sequence[Right]) -> tuple[RefundDue, ...]:
    """The merchant's promise and the law's; the first to end counts."""
    found = []
    seconds = values["refund_within"].seconds
    if seconds is not None:
        found.append(RefundDue(values["refund_at"].at, seconds))
    for right in rights:
        term: RefundDueTerm | None = right.refund_due
        if term is not None:
            clock = RefundDue(term.after, term.within.seconds, term.not_before)
            if clock not in found:
                found.append(clock)
    return tuple(found)


def deadlines_of(values: Mapping[str, Any]) -> Deadlines:
    return Deadlines(
        values["ship_within"].seconds,
        values["inspect_within"].seconds,
        values["refund_within"].seconds,
    )


def freight_of(shipping: ReturnShipping, methods: tuple[Method, ...]) -> Freight:
    if shipping.own_cost:
        return Freight(Payer.BUYER, 0, own_label=True)
    fee = methods[0].fee_minor
    charged = any(method.fee_minor for method in methods)
    return Freight(Payer.BUYER if charged else Payer.MERCHANT, fee)


@dataclass(frozen=True, slots=True)
class Purse:
    """Amounts of the document in the currency of a case; an amount that is not named is no fee."""

    currency: str
    home: str

    def minor(self, amount: Amount | None) -> int:
        return (amount.minor(self.currency, self.home) or 0) if amount else 0

    def limit(self, amount: Amount | None) -> int:
        """A limit that is not named in the currency is a limit of nothing."""
        return self.minor(amount)

    def methods(self, methods: Methods, shipping: ReturnShipping) -> tuple[Method, ...]:
        by_name = dict(shipping.by_method)
        flat = self.minor(shipping.fee)
        return tuple(
            Method(
                kind,
                self.minor(by_name[kind]) if kind in by_name else 0 if kind in NO_FREIGHT else flat,
            )
            for kind in methods.items
        )

    def advance(self, timing: RefundTiming) -> Advance | None:
        if timing.at not in {RefundAt.REQUEST, RefundAt.FIRST_SCAN}:
            return None
        return Advance(
            self.limit(timing.per_buyer) if timing.per_buyer else None,
            self.limit(timing.per_day) if timing.per_day else None,
            timing.recover_within.seconds if timing.recover_within else None,
            timing.otherwise,
        )

    def exchange_first(self, timing: RefundTiming | None) -> ExchangeFirst | None:
        limits = None if timing is None else self.advance(timing)
        if timing is None or limits is None:
            return None
        return ExchangeFirst(
            timing.at, limits.per_buyer_minor, limits.per_day_minor, limits.recover_within_seconds
        )

    def insurance(self, term: InsuranceTerm | None) -> Insurance | None:
        return Insurance(self.minor(term.cover), self.minor(term.excess)) if term else None
