"""What may come back and what it would pay: eligibility per line and the binding quote, as plans.

Owns how an order's facts become policy facts, which units are left, and the one pure call from a
request to a priced, explained quote. The final settlement runs the same call on the same units, so
a quote is kept to the minor unit. Refuses to own policy (``policy``) and shares (``allocation``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.domain.allocation import Certificate
from returns_api.domain.errors import Invalid, NotEligible, NothingLeftToReturn
from returns_api.domain.order_record import BuyerHistory, LineRecord, OrderRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.policy import BuyerHistory as PolicyHistory
from returns_api.domain.policy import Decision, Facts, Policy
from returns_api.domain.refunds import tenders
from returns_api.domain.settlement import (
    Claim,
    FreightPayer,
    PartKind,
    QuotedFees,
    Settlement,
    Terms,
    plan_settlement,
)
from returns_api.domain.terms import ReturnTerms, combine

QUOTE_LASTS: Final = timedelta(hours=72)
PRESUMED_DELIVERED_AFTER: Final = timedelta(days=7)
"""Units of a parcel that never got a delivery scan count as delivered this long after dispatch."""
PPM: Final = 1_000_000


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
            chargebacks=history.chargebacks,
            account_days=0
            if history.first_order_at is None
            else max((now - history.first_order_at).days, 0),
        ),
        fulfilled_at=line.last_fulfilled_at,
        delivered_at=line.last_delivered_at if line.all_delivered else None,
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
    count = arrived(order, line, now) - line.outside_returned
    taken = set(line.claimed_units)
    return tuple(unit for unit in range(1, max(count, 0) + 1) if unit not in taken)


def plan_quote(
    order: OrderRecord,
    certificate: Certificate,
    history: BuyerHistory,
    policy: Policy,
    asked: Sequence[AskedLine],
    *,
    resolution: str,
    method: str | None,
    shipping_refunded: Mapping[str, int],
    now: datetime,
) -> Quote:
    """Decide every line, choose terms, price it.

    Raises:
        Invalid: an unknown line, a line named twice, a method or resolution that is not offered.
        NothingLeftToReturn: fewer units are left than asked.
        NotEligible: the policy refuses a line; names each with its reasons.
    """
    if len({item.line_id for item in asked}) != len(asked):
        raise _invalid("lines", "A line is named twice; add up the quantities.")
    lines = tuple(_decide(order, certificate, history, policy, item, now) for item in asked)
    _refuse_ineligible(lines)
    _require_resolution(lines, resolution, now)
    chosen = _method(lines, method)
    terms = combine({item.line.id: item.decision for item in lines}, chosen)
    settlement = plan_settlement(
        certificate,
        [Claim(item.line.external_id, unit) for item in lines for unit in item.units],
        settlement_terms(terms, shipping_refunded, quoting=True),
        tenders(order.payments),
    )
    return Quote(lines, resolution, chosen, terms, settlement)


def settlement_terms(
    terms: ReturnTerms, shipping_refunded: Mapping[str, int], *, quoting: bool
) -> Terms:
    """The money side of the accepted terms; after the quote, its fees are caps."""
    worst = max((line.worst_ppm for line in terms.lines.values()), default=0)
    restocking = max((line.restocking_ppm for line in terms.lines.values()), default=0)
    return Terms(
        freight_payer=FreightPayer(terms.freight_payer),
        return_freight_minor=terms.freight_fee_minor,
        restocking_ppm=restocking,
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
        raise _invalid("lines", "The order has no such line to return.", str(item.line_id))
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
        line_id=str(line.id),
        delivered=delivered,
        claimed=line.claimed,
        returned_elsewhere=line.outside_returned,
        left=left,
    )


def _refuse_ineligible(lines: Sequence[QuotedLine]) -> None:
    refused = [item for item in lines if not item.decision.eligible]
    if refused:
        raise NotEligible(
            "The policy does not allow this return.",
            lines=[
                {
                    "line_id": str(item.line.id),
                    "reason": item.asked.reason,
                    "because": [
                        {"code": b.code, "rule": b.rule, "args": dict(b.args)}
                        for b in item.decision.because
                    ],
                }
                for item in refused
            ],
        )


def _require_resolution(lines: Sequence[QuotedLine], resolution: str, now: datetime) -> None:
    offered = offered_resolutions([item.decision for item in lines], now)
    if resolution not in offered:
        raise _invalid("resolution", f"Offered for these lines: {', '.join(offered) or 'none'}.")


def offered_resolutions(decisions: Sequence[Decision], now: datetime) -> tuple[str, ...]:
    """What every line offers at this moment, in the order of the first."""
    sets = [
        {r.kind.value for r in d.resolutions if r.until is None or r.until >= now}
        for d in decisions
    ]
    common = set.intersection(*sets) if sets else set()
    return tuple(r.kind.value for r in decisions[0].resolutions if r.kind.value in common)


def _method(lines: Sequence[QuotedLine], method: str | None) -> str:
    """The asked method, or the first that every line offers."""
    common = [
        m.kind.value
        for m in lines[0].decision.methods
        if all(m.kind in {other.kind for other in item.decision.methods} for item in lines)
    ]
    if method is None and common:
        return common[0]
    if method is None or method not in common:
        raise _invalid("method", f"Offered for these lines: {', '.join(common) or 'none'}.")
    return method


def _first_unit(certificate: Certificate, line: LineRecord) -> int:
    if not certificate.has_line(line.external_id) or not certificate.line_units(line.external_id):
        return 0
    return certificate.unit_paid(line.external_id, 1)


def _invalid(name: str, problem: str, value: Any = None) -> Invalid:
    error = {"field": name, "problem": problem}
    return Invalid(problem, errors=[error if value is None else {**error, "value": value}])
