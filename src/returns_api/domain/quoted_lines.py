"""The lines that a quote is asked about: their units, what the policy decides, why one is refused.

Refuses to own what is chosen of what the policy offers (``quote_choices``) and what it pays
(``quotes``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from returns_api.domain import ids
from returns_api.domain.allocation import Certificate
from returns_api.domain.errors import NotEligible
from returns_api.domain.order_facts import AskedLine, policy_facts
from returns_api.domain.order_record import BuyerHistory, LineRecord, OrderRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.policy import Decision, Policy
from returns_api.domain.policy.explain import Explainer
from returns_api.domain.quote_choices import unfit
from returns_api.domain.refusals_in_words import (
    flips_in_words,
    not_offered_in_words,
    reasons_in_words,
)
from returns_api.domain.units_left import nothing_left, units_left


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A line of a quote with the unit numbers that it is about."""

    line: LineRecord
    asked: AskedLine
    units: tuple[int, ...]
    decision: Decision


def quoted_lines(
    order: OrderRecord,
    certificate: Certificate,
    history: BuyerHistory,
    policy: Policy,
    asked: Sequence[AskedLine],
    now: datetime,
) -> tuple[QuotedLine, ...]:
    """Choose the units and decide every line.

    Raises:
        DoesNotFit: an unknown line, or one that is named twice.
        NothingLeftToReturn: fewer units are left than asked.
    """
    if len({item.line_id for item in asked}) != len(asked) or not asked:
        raise unfit("lines", "Name each line once; add up its quantities.")
    return tuple(_decide(order, certificate, history, policy, item, now) for item in asked)


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
        raise unfit("lines", "The order has no such line to return.", shown)
    if item.quantity < 1:
        raise unfit("lines", "Return at least one unit.", ids.encode("li", item.line_id))
    left = units_left(order, line, now)
    if len(left) < item.quantity:
        raise nothing_left(order, line, item.quantity, len(left), now)
    facts = policy_facts(order, line, certificate, history, item, now)
    return QuotedLine(line, item, left[: item.quantity], policy.decide(facts))


def refuse_ineligible(
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
