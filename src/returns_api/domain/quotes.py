"""What may come back and what it would pay: the binding quote, as a plan.

Owns the one pure call from a request to a priced, explained quote. The final settlement runs the
same call on the same units, so a quote is kept to the minor unit. Refuses to own policy
(``policy``), what is asked and decided line by line (``quoted_lines``), what may be chosen
(``quote_choices``) and shares (``allocation``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from returns_api.domain.allocation import Certificate
from returns_api.domain.exchanges import IN_GOODS
from returns_api.domain.gifts import for_recipient
from returns_api.domain.goods_terms import (
    GOODS_COME_BACK,
    expecting,
    for_goods,
    no_money,
    repair_terms,
)
from returns_api.domain.order_facts import AskedLine
from returns_api.domain.order_record import BuyerHistory, OrderRecord
from returns_api.domain.policy import Policy
from returns_api.domain.policy.explain import Explainer
from returns_api.domain.quote_choices import (
    bonus_ppm,
    chosen_method,
    offered_methods,
    require_resolution,
)
from returns_api.domain.quoted_lines import QuotedLine, quoted_lines, refuse_ineligible
from returns_api.domain.refunds import tenders
from returns_api.domain.repair_prices import BY_REPAIR
from returns_api.domain.reviewing import opened_late, review_terms
from returns_api.domain.settlement import Claim, Settlement, Terms, plan_settlement
from returns_api.domain.settlement_terms import claim, settlement_terms
from returns_api.domain.terms import ReturnTerms, combine, freight_fee

QUOTE_LASTS: Final = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Quote:
    """A complete offer. ``settlement`` is what is paid if every unit comes back as claimed."""

    lines: tuple[QuotedLine, ...]
    resolution: str
    method: str
    terms: ReturnTerms
    settlement: Settlement
    methods: tuple[tuple[str, int], ...]
    """Every way back that all lines offer, the first one usual, and its fee (minor units)."""


def plan_quote(
    order: OrderRecord,
    certificate: Certificate,
    history: BuyerHistory,
    policy: Policy,
    explainer: Callable[[], Explainer],
    asked: Sequence[AskedLine],
    *,
    resolution: str,
    method: str | None,
    shipping_refunded: Mapping[str, int],
    now: datetime,
    gift: bool = False,
) -> Quote:
    """Decide every line, choose terms, price it. ``explainer`` is called for a refusal only;
    ``gift``: it is asked by whoever got the goods as one.

    Raises:
        DoesNotFit: an unknown line, a line named twice, a method or resolution that is not offered.
        NothingLeftToReturn: fewer units are left than asked.
        NotEligible: the policy refuses a line; names each with its reasons.
    """
    lines = quoted_lines(order, certificate, history, policy, asked, now)
    decisions = [item.decision for item in lines]
    require_resolution(decisions, resolution, now)
    refuse_ineligible(lines, resolution, policy, explainer, order.locale or "en")
    offered = offered_methods(decisions, gift=gift)
    chosen = chosen_method(offered, method)
    terms, priced = _terms(lines, resolution, chosen, shipping_refunded, gift=gift)
    settlement = plan_settlement(
        certificate, _claims(lines, terms), priced, tenders(order.payments, certificate.currency)
    )
    if priced.refund_original_shipping and not settlement.total_minor:
        # The way back eats it: it is not promised, and a later return may still get it.
        terms = replace(terms, refund_original_shipping=False)
    terms, settlement = _in_goods(lines, resolution, terms, settlement)
    pinned = replace(
        _told(terms, lines, resolution, settlement),
        certificate_version=order.certificate_version,
        review=review_terms(policy, decisions),
    )
    methods = tuple((name, freight_fee(decisions, name)) for name in offered)
    return Quote(lines, resolution, chosen, pinned, settlement, methods)


def _terms(
    lines: Sequence[QuotedLine],
    resolution: str,
    method: str,
    shipping_refunded: Mapping[str, int],
    *,
    gift: bool,
) -> tuple[ReturnTerms, Terms]:
    """The terms that hold for all lines together, and their money side."""
    decided = {item.line.id: item.decision for item in lines}
    terms = combine(decided, method)
    terms = for_recipient(terms) if gift else terms
    priced = settlement_terms(terms, shipping_refunded, quoting=True)
    if resolution in GOODS_COME_BACK:
        return for_goods(decided, resolution, terms, priced)
    return terms, priced


def _claims(lines: Sequence[QuotedLine], terms: ReturnTerms) -> list[Claim]:
    """Every unit, as it is claimed to come back."""
    return [
        claim(item.line.external_id, unit, terms.of_line(item.line.id))
        for item in lines
        for unit in item.units
    ]


def _in_goods(
    lines: Sequence[QuotedLine], resolution: str, terms: ReturnTerms, settlement: Settlement
) -> tuple[ReturnTerms, Settlement]:
    """Where goods go to the buyer: what each line counts for, or what its repair may cost."""
    if resolution == BY_REPAIR:
        repair = repair_terms(lines[0].decision, settlement)
        return replace(terms, repair=repair), no_money(settlement)
    if resolution in IN_GOODS:
        external = {item.line.id: item.line.external_id for item in lines}
        return expecting(terms, settlement, external), settlement
    return terms, settlement


def _told(
    terms: ReturnTerms, lines: Sequence[QuotedLine], resolution: str, settlement: Settlement
) -> ReturnTerms:
    """The terms with what the buyer was told: a fee that they do not show is never charged."""
    return replace(
        terms,
        quoted_freight_minor=settlement.fees.return_freight_minor,
        quoted_restocking_minor=settlement.fees.restocking_minor,
        bonus_ppm=bonus_ppm([item.decision for item in lines], resolution),
        late=any(opened_late(item.decision, resolution) for item in lines),
    )
