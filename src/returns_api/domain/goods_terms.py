"""The terms of a return whose buyer gets goods, others or the same ones mended; pure.

Owns what such a return is settled as if no goods come of it, and what a repair may cost. Refuses to
own which resolutions a policy offers (``policy``) and the price list (``repair_prices``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from returns_api.domain import ids
from returns_api.domain.errors import DoesNotFit
from returns_api.domain.exchange_money import share_out
from returns_api.domain.exchanges import EXCHANGE_KIND, IN_GOODS, REFUND, REPLACEMENT, STORE_CREDIT
from returns_api.domain.policy import Decision
from returns_api.domain.policy.vocabulary import RepairCost, ResolutionKind
from returns_api.domain.repair_prices import BY_REPAIR
from returns_api.domain.settlement import Settlement, Terms
from returns_api.domain.terms import AdvanceTerms, RepairTerms, ReturnTerms, tightest

GOODS_COME_BACK: Final = frozenset({*IN_GOODS, BY_REPAIR})
"""Resolutions by which the buyer has goods in the end."""
NOT_THE_BUYERS: Final = frozenset({"merchant", "carrier"})
"""Faults for which the same goods are sent again without a price."""


def for_goods(
    decisions: Mapping[UUID, Decision], resolution: str, terms: ReturnTerms, priced: Terms
) -> tuple[ReturnTerms, Terms]:
    """Judged before any money goes out, and without the outbound shipping, which is owed only for
    lines that end in a refund after all. What each line falls back to is its own, so that no line
    reopens the window of another. Goods that go back to the buyer are owed no money that nobody
    offered.

    Raises:
        DoesNotFit: a replacement for what is nobody's fault but the buyer's, or several repairs.
    """
    _require_fit(decisions, resolution)
    falls = {line: _fallback(decision, resolution) for line, decision in decisions.items()}
    common = set(falls.values())
    lines = {
        str(line): replace(terms.of_line(line), fallback=fallback)
        for line, fallback in falls.items()
    }
    pinned = replace(
        terms,
        refund_at="inspection",
        advance=_goods_first([*decisions.values()]) if resolution == EXCHANGE_KIND else None,
        fallback=common.pop() if len(common) == 1 else None,
        lines=lines,
    )
    return pinned, replace(priced, refund_original_shipping=False)


def expecting(
    terms: ReturnTerms, settlement: Settlement, external: Mapping[UUID, str]
) -> ReturnTerms:
    """The terms with what each line counts for by the quote; ``external`` are the lines' external
    ids."""
    shares = share_out(settlement.parts)
    lines = {
        str(line): replace(terms.of_line(line), expected_minor=shares.of(name))
        for line, name in external.items()
    }
    return replace(terms, lines=lines)


def _require_fit(decisions: Mapping[UUID, Decision], resolution: str) -> None:
    if resolution == BY_REPAIR and len(decisions) > 1:
        detail = "One line at a time: open a repair for each."
        raise DoesNotFit(detail, errors=[{"field": "lines", "problem": detail}])
    theirs = [line for line, each in decisions.items() if each.fault.value not in NOT_THE_BUYERS]
    if resolution == REPLACEMENT and theirs:
        detail = "Only faulty or wrong goods are replaced without a price."
        found = [
            {"field": "resolution", "line": ids.encode("li", line), "problem": detail}
            for line in theirs
        ]
        raise DoesNotFit(detail, errors=found)


def _fallback(decision: Decision, resolution: str) -> str | None:
    offered = {each.kind.value for each in decision.resolutions}
    fallback = REFUND if REFUND in offered else STORE_CREDIT
    return None if resolution == BY_REPAIR and fallback not in offered else fallback


def _goods_first(decisions: Sequence[Decision]) -> AdvanceTerms | None:
    """When, and up to which limits, new goods go out before the old ones are seen; only where that
    holds for every line."""
    found = [each.exchange_first for each in decisions]
    first = [(each.at.value, each) for each in found if each is not None]
    return tightest(first) if len(first) == len(found) else None


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
