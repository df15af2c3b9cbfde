"""What may come back and what it would pay: eligibility per line and the binding quote, as plans.

Owns the one pure call from a request to a priced, explained quote. The final settlement runs the
same call on the same units, so a quote is kept to the minor unit. Refuses to own policy
(``policy``), the facts that it decides about (``order_facts``), which units are left
(``units_left``) and shares (``allocation``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from returns_api.domain import ids
from returns_api.domain.allocation import Certificate
from returns_api.domain.errors import DoesNotFit, NotEligible
from returns_api.domain.exchanges import REFUND, STORE_CREDIT
from returns_api.domain.goods_terms import BY_LINE, for_goods, no_money, repair_terms
from returns_api.domain.order_facts import AskedLine, policy_facts
from returns_api.domain.order_record import BuyerHistory, LineRecord, OrderRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.policy import Decision, Policy
from returns_api.domain.policy.explain import Explainer
from returns_api.domain.refunds import tenders
from returns_api.domain.refusals_in_words import (
    flips_in_words,
    not_offered_in_words,
    reasons_in_words,
)
from returns_api.domain.repair_prices import BY_REPAIR
from returns_api.domain.reviewing import opened_late, review_terms
from returns_api.domain.settlement import (
    Claim,
    FreightPayer,
    PartKind,
    QuotedFees,
    Settlement,
    Terms,
    plan_settlement,
)
from returns_api.domain.terms import (
    NOTHING_CAME,
    LineTerms,
    ReturnTerms,
    combine,
    freight_fee,
)
from returns_api.domain.units_left import nothing_left, units_left

QUOTE_LASTS: Final = timedelta(hours=72)
CARRIED_OUT: Final = frozenset({REFUND, STORE_CREDIT, *BY_LINE})
"""Resolutions that this service can carry out; a policy may offer more."""
GOODS_COME: Final = frozenset({"post", "dropoff", "pickup", "locker", "in_store"})
"""Methods by which goods come back: the money follows them."""


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A line of a quote with the unit numbers that it is about."""

    line: LineRecord
    asked: AskedLine
    units: tuple[int, ...]
    decision: Decision


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
) -> Quote:
    """Decide every line, choose terms, price it. ``explainer`` is called for a refusal only.

    Raises:
        DoesNotFit: an unknown line, a line named twice, a method or resolution that is not offered.
        NothingLeftToReturn: fewer units are left than asked.
        NotEligible: the policy refuses a line; names each with its reasons.
    """
    if len({item.line_id for item in asked}) != len(asked) or not asked:
        raise _unfit("lines", "Name each line once; add up its quantities.")
    lines = tuple(_decide(order, certificate, history, policy, item, now) for item in asked)
    _require_resolution(lines, resolution, now)
    _refuse_ineligible(lines, resolution, policy, explainer, order.locale or "en")
    chosen = _method(lines, method)
    terms = combine({item.line.id: item.decision for item in lines}, chosen)
    priced = settlement_terms(terms, shipping_refunded, quoting=True)
    if resolution in BY_LINE:
        if len(lines) > 1:
            raise _unfit("lines", "One line at a time: open a return for each.")
        terms, priced = for_goods(lines[0].decision, resolution, terms, priced)
    settlement = plan_settlement(
        certificate,
        [claim(item.line.external_id, unit, terms.of_line(item.line.id))
         for item in lines for unit in item.units],
        priced,
        tenders(order.payments),
    )  # fmt: skip
    repair = repair_terms(lines[0].decision, settlement) if resolution == BY_REPAIR else None
    settlement = settlement if repair is None else no_money(settlement)
    every = [item.decision for item in lines]
    pinned = replace(
        _pinned(terms, lines, resolution, settlement),
        certificate_version=order.certificate_version,
        repair=repair,
        review=review_terms(policy, every),
    )
    methods = tuple((name, freight_fee(every, name)) for name in _offered(lines))
    return Quote(lines, resolution, chosen, pinned, settlement, methods)


def _pinned(
    terms: ReturnTerms, lines: Sequence[QuotedLine], resolution: str, settlement: Settlement
) -> ReturnTerms:
    """The terms with what the buyer was told: a fee that they do not show is never charged."""
    return replace(
        terms,
        quoted_freight_minor=settlement.fees.return_freight_minor,
        quoted_restocking_minor=settlement.fees.restocking_minor,
        bonus_ppm=_bonus_ppm(lines, resolution),
        late=any(opened_late(item.decision, resolution) for item in lines),
    )


def claim(line: str, unit: int, terms: LineTerms, grade: str | None = None) -> Claim:
    """One unit under the terms of its line; ``grade`` is what the warehouse found."""
    return Claim(
        line=line,
        unit=unit,
        deduction_ppm=0 if grade is None else terms.deduction_ppm(grade),
        because=grade,
        restocking_ppm=terms.restocking_ppm,
        came=grade not in NOTHING_CAME,
    )


def settlement_terms(
    terms: ReturnTerms, shipping_refunded: Mapping[str, int], *, quoting: bool
) -> Terms:
    """The money side of the accepted terms; after the quote, its fees are caps.

    What belongs to one line (grades, restocking) comes with its claims, see ``claim``.
    """
    worst = max((line.worst_ppm for line in terms.lines.values()), default=0)
    restocking = max((line.restocking_ppm for line in terms.lines.values()), default=0)
    return Terms(
        freight_payer=FreightPayer(terms.freight_payer),
        return_freight_minor=terms.freight_fee_minor,
        max_deduction_ppm=worst,
        refund_original_shipping=terms.refund_original_shipping,
        shipping_refunded=shipping_refunded,
        quoted=None
        if quoting
        else QuotedFees(
            return_freight_minor=terms.quoted_freight_minor,
            restocking_minor=terms.quoted_restocking_minor,
            restocking_ppm=restocking,
            deduction_ppm=worst,
        ),
        rules={PartKind.RETURN_FREIGHT: "return_shipping", PartKind.RESTOCKING_FEE: "restocking"},
    )


def _decide(
    order: OrderRecord,
    certificate: Certificate,
    history: BuyerHistory,
    policy: Policy,
    item: AskedLine,
    now: datetime,
) -> QuotedLine:
    line = order.line(item.line_id)
    if line is None or line.kind is not LineKind.GOODS:
        shown = ids.encode("li", item.line_id)
        raise _unfit("lines", "The order has no such line to return.", shown)
    if item.quantity < 1:
        raise _unfit("lines", "Return at least one unit.", ids.encode("li", item.line_id))
    left = units_left(order, line, now)
    if len(left) < item.quantity:
        raise nothing_left(order, line, item.quantity, len(left), now)
    facts = policy_facts(order, line, certificate, history, item, now)
    return QuotedLine(line, item, left[: item.quantity], policy.decide(facts))


def _refuse_ineligible(
    lines: Sequence[QuotedLine],
    resolution: str,
    policy: Policy,
    explainer: Callable[[], Explainer],
    locale: str,
) -> None:
    """A line is refused that may not come back at all, or not any more for this resolution."""
    refused = [
        item
        for item in lines
        if resolution not in {offered.kind.value for offered in item.decision.resolutions}
    ]
    if refused:
        raise NotEligible(
            "The policy does not allow this return.",
            lines=[
                {
                    "line": ids.encode("li", item.line.id),
                    "reason": item.asked.reason,
                    "because": reasons_in_words(policy, item.decision, locale)
                    or [not_offered_in_words(resolution, locale)],
                    "flips_if": flips_in_words(
                        explainer(), item.decision, locale, f"resolution.{resolution}"
                    ),
                }
                for item in refused
            ],
        )


def _require_resolution(lines: Sequence[QuotedLine], resolution: str, now: datetime) -> None:
    """Only what can be carried out to its end is promised, whatever else a policy offers."""
    if resolution not in CARRIED_OUT:
        offered = offered_resolutions([item.decision for item in lines], now)
        open_ones = ", ".join(kind for kind in offered if kind in CARRIED_OUT) or "none"
        raise _unfit("resolution", f"Offered for these lines: {open_ones}.")


def offered_resolutions(decisions: Sequence[Decision], now: datetime) -> tuple[str, ...]:
    """What every line offers at this moment, in the order of the first."""
    sets = [
        {r.kind.value for r in d.resolutions if r.until is None or r.until >= now}
        for d in decisions
    ]
    common = set.intersection(*sets) if sets else set()
    return tuple(r.kind.value for r in decisions[0].resolutions if r.kind.value in common)


def _bonus_ppm(lines: Sequence[QuotedLine], resolution: str) -> int:
    """What the chosen resolution adds; of several lines the kindest."""
    return max(
        offered.bonus_ppm
        for item in lines
        for offered in item.decision.resolutions
        if offered.kind.value == resolution
    )


def _method(lines: Sequence[QuotedLine], method: str | None) -> str:
    """The asked method, or the first that every line offers."""
    common = _offered(lines)
    if method is None and common:
        return common[0]
    if method is None or method not in common:
        raise _unfit("method", f"Offered for these lines: {', '.join(common) or 'none'}.")
    return method


def _offered(lines: Sequence[QuotedLine]) -> list[str]:
    """The ways back that every line offers, in the policy's order."""
    return [
        m.kind.value
        for m in lines[0].decision.methods
        if m.kind.value in GOODS_COME
        and all(m.kind in {other.kind for other in item.decision.methods} for item in lines)
    ]


def _unfit(name: str, problem: str, value: Any = None) -> DoesNotFit:
    error = {"field": name, "problem": problem}
    return DoesNotFit(problem, errors=[error if value is None else {**error, "value": value}])
