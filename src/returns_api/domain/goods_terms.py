"""The terms of a return whose buyer gets goods, others or the same ones mended; pure.

Owns what such a return is settled as if no goods come of it, and what a repair may cost. Refuses to
own which resolutions a policy offers (``policy``) and the price list (``repair_prices``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from returns_api.domain.errors import unfit
from returns_api.domain.exchanges import EXCHANGE_KIND, IN_GOODS, REFUND, REPLACEMENT, STORE_CREDIT
from returns_api.domain.policy import Decision
from returns_api.domain.policy.vocabulary import RepairCost, ResolutionKind
from returns_api.domain.repair_prices import BY_REPAIR
from returns_api.domain.settlement import Settlement, Terms
from returns_api.domain.terms import AdvanceTerms, RepairTerms, ReturnTerms

BY_LINE: Final = frozenset({*IN_GOODS, BY_REPAIR})
"""Resolutions that one answer of the shop and one choice of the buyer decide: for one line."""
NOT_THE_BUYERS: Final = frozenset({"merchant", "carrier"})
"""Faults for which the same goods are sent again without a price."""


def for_goods(
    decision: Decision, resolution: str, terms: ReturnTerms, priced: Terms
) -> tuple[ReturnTerms, Terms]:
    """Judged before any money goes out, and without the outbound shipping, which is owed only if it
    ends in a refund after all. Goods that go back to the buyer are owed no money that nobody
    offered.

    Raises:
        DoesNotFit: a replacement for what is nobody's fault but the buyer's.
    """
    if resolution == REPLACEMENT and decision.fault.value not in NOT_THE_BUYERS:
        raise unfit("resolution", "Only faulty or wrong goods are replaced without a price.")
    offered = {each.kind.value for each in decision.resolutions}
    fallback: str | None = REFUND if REFUND in offered else STORE_CREDIT
    if resolution == BY_REPAIR and fallback not in offered:
        fallback = None
    first = _goods_first(decision) if resolution == EXCHANGE_KIND else None
    pinned = replace(terms, refund_at="inspection", advance=first, fallback=fallback)
    return pinned, replace(priced, refund_original_shipping=False)


def _goods_first(decision: Decision) -> AdvanceTerms | None:
    """When, and up to which limits, new goods go out before the old ones are seen."""
    first = decision.exchange_first
    if first is None:
        return None
    return AdvanceTerms(
        first.at.value, first.per_buyer_minor, first.per_day_minor, first.recover_within_seconds
    )


def repair_terms(decision: Decision, settlement: Settlement) -> RepairTerms:
    """Whether a repair is free, ways included. What declining costs besides the way to the repair
    point follows from the shop's price list."""
    offered = {each.kind.value for each in decision.resolutions}
    replaceable = REPLACEMENT in offered and decision.fault.value in NOT_THE_BUYERS
    free = any(
        each.kind is ResolutionKind.REPAIR and each.cost is RepairCost.FREE
        for each in decision.resolutions
    )
    freight = 0 if free else settlement.fees.return_freight_minor
    return RepairTerms(free, freight, freight, replaceable)


def no_money(settlement: Settlement) -> Settlement:
    """The offer of a repair: nobody refunds goods that go back to the buyer. A restocking fee that
    the buyer was not shown is not charged if it ends in money after all."""
    return replace(
        settlement,
        total_minor=0,
        parts=(),
        transfers=(),
        uncovered_minor=0,
        fees=replace(settlement.fees, restocking_minor=0),
    )
