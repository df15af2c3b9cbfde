"""What may come back and what it would pay: eligibility per line and the binding quote, as plans.

Owns how an order's facts become policy facts, which units are left, and the one pure call from a
request to a priced, explained quote. The final settlement runs the same call on the same units, so
a quote is kept to the minor unit. Refuses to own policy (``policy``) and shares (``allocation``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain import ids
from returns_api.domain.allocation import Certificate
from returns_api.domain.errors import DoesNotFit, NotEligible, NothingLeftToReturn
from returns_api.domain.exchanges import REFUND, STORE_CREDIT
from returns_api.domain.goods_terms import BY_LINE, for_goods, no_money, repair_terms
from returns_api.domain.order_record import BuyerHistory, LineRecord, OrderRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.policy import BuyerHistory as PolicyHistory
from returns_api.domain.policy import Decision, Facts, Policy, texts
from returns_api.domain.policy.explain import Explainer, because_text
from returns_api.domain.policy.vocabulary import Listed
from returns_api.domain.refunds import tenders
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

QUOTE_LASTS: Final = timedelta(hours=72)
PRESUMED_DELIVERED_AFTER: Final = timedelta(days=7)
"""Units of a parcel that never got a delivery scan count as delivered this long after dispatch."""
PPM: Final = 1_000_000
CARRIED_OUT: Final = frozenset({REFUND, STORE_CREDIT, *BY_LINE})
"""Resolutions that this service can carry out; a policy may offer more."""
GOODS_COME: Final = frozenset({"post", "dropoff", "pickup", "locker", "in_store"})
"""Methods by which goods come back: the money follows them."""


@dataclass(frozen=True, slots=True)
class AskedLine:
    """One line that the buyer wants to send back, and why."""

    line_id: UUID
    quantity: int
    reason: str
    condition: str | None = None


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


def policy_facts(
    order: OrderRecord,
    line: LineRecord,
    certificate: Certificate,
    history: BuyerHistory,
    asked: AskedLine,
    now: datetime,
) -> Facts:
    """The facts of one line and one reason. The window runs from the line's last parcel (O6)."""
    sold = max(history.units_bought, 1)
    return Facts(
        reason=asked.reason,
        condition=asked.condition,
        currency=order.currency,
        placed_at=order.placed_at,
        asked_at=now,
        sku=line.sku,
        category=line.category,
        vendor=line.vendor,
        tags=frozenset(line.tags) | frozenset(order.tags),
        unit_paid_minor=_first_unit(certificate, line),
        order_paid_minor=certificate.paid_minor,
        discounted=line.discounted,
        country=order.country,
        region=order.region,
        channel=order.channel,
        buyer=PolicyHistory(
            orders_kept=history.orders_kept,
            returns=history.returns,
            return_rate_ppm=min(history.units_returned * PPM // sold, PPM),
            clawbacks=history.clawbacks,
            chargebacks=history.chargebacks,
            account_days=0
            if history.first_order_at is None
            else max((now - history.first_order_at).days, 0),
            orders=history.orders,
            returns_1_day=history.returns_1_day,
            returns_30_days=history.returns_30_days,
            returned_value_30_days_minor=history.returned_value_30_days_minor,
            used_late=history.used_late,
            listed=None if history.listed is None else Listed(history.listed),
        ),
        fulfilled_at=line.last_fulfilled_at,
        delivered_at=line.last_delivered_at if line.all_delivered else None,
        rollout_ppm=history.rollout_ppm,
    )


def arrived(order: OrderRecord, line: LineRecord, now: datetime) -> int:
    """Units of the line that the buyer has: delivered, or sent so long ago that they must be."""
    presumed = now - PRESUMED_DELIVERED_AFTER
    here = sum(
        parcel.quantities.get(line.id, 0)
        for parcel in order.parcels
        if not parcel.cancelled
        and (
            parcel.delivered_at is not None
            or (parcel.shipped_at is not None and parcel.shipped_at <= presumed)
        )
    )
    return min(here, line.ordered - line.removed)


def units_left(order: OrderRecord, line: LineRecord, now: datetime) -> tuple[int, ...]:
    """The unit numbers that can still come back, lowest first.

    What was returned elsewhere takes the highest numbers, since nobody named units there.
    """
    here = arrived(order, line, now)
    taken = set(line.claimed_units)
    free = [unit for unit in range(1, here + 1) if unit not in taken]
    return tuple(free[: max(here - line.outside_returned - line.claimed, 0)])


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
        terms,
        quoted_freight_minor=settlement.fees.return_freight_minor,
        quoted_restocking_minor=settlement.fees.restocking_minor,
        certificate_version=order.certificate_version,
        bonus_ppm=_bonus_ppm(lines, resolution),
        repair=repair,
        review=review_terms(policy, every),
        late=any(opened_late(each, resolution) for each in every),
    )
    methods = tuple((name, freight_fee(every, name)) for name in _offered(lines))
    return Quote(lines, resolution, chosen, pinned, settlement, methods)


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


def nothing_left(
    order: OrderRecord, line: LineRecord, asked: int, left: int, now: datetime
) -> NothingLeftToReturn:
    """The refusal that adds up: delivered, returned elsewhere, claimed, left."""
    delivered = arrived(order, line, now)
    return NothingLeftToReturn(
        f"{asked} asked, {left} left: {delivered} delivered, {line.claimed} in returns,"
        f" {line.outside_returned} returned elsewhere.",
        line=ids.encode("li", line.id),
        delivered=delivered,
        claimed=line.claimed,
        returned_elsewhere=line.outside_returned,
        left=left,
    )


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
                    or [_not_offered(resolution, locale)],
                    "flips_if": flips_in_words(
                        explainer(), item.decision, locale, f"resolution.{resolution}"
                    ),
                }
                for item in refused
            ],
        )


def _not_offered(resolution: str, locale: str) -> dict[str, Any]:
    language = texts.language_of(locale)
    name = texts.say(f"resolution.{resolution}", language)
    return {
        "code": "resolution_not_offered",
        "rule": None,
        "args": {"resolution": resolution},
        "text": texts.say("because.resolution_not_offered", language, resolution=name),
    }


def reasons_in_words(policy: Policy, decision: Decision, locale: str) -> list[dict[str, Any]]:
    """Why a line may not come back, as data and as a sentence in the buyer's language."""
    return [
        {
            "code": because.code,
            "rule": because.rule,
            "args": dict(because.args),
            "text": because_text(policy, because, locale),
        }
        for because in decision.because
    ]


def flips_in_words(
    explainer: Explainer, decision: Decision, locale: str, wanted: str = "eligible"
) -> list[dict[str, Any]]:
    """The smallest changes that would turn a refusal, as data and as sentences.

    For what may come back in another way, ``wanted`` is the target that was missed.
    """
    flips = explainer.flips(decision.facts, decision, locale)
    return [flip.as_json() for flip in flips if flip.target in {"eligible", wanted}]


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


def _first_unit(certificate: Certificate, line: LineRecord) -> int:
    if not certificate.has_line(line.external_id) or not certificate.line_units(line.external_id):
        return 0
    return certificate.unit_paid(line.external_id, 1)


def _unfit(name: str, problem: str, value: Any = None) -> DoesNotFit:
    error = {"field": name, "problem": problem}
    return DoesNotFit(problem, errors=[error if value is None else {**error, "value": value}])
