"""Signals: what of a buyer makes a person look before a return is approved or paid early.

Owns which signals hold for a buyer, how many further returns bring the next one, and all that a
signal can do: a person says yes instead of nobody, and nothing goes out before the goods. Refuses
to own refusals, fees and windows: no signal touches one, and silence approves. A law that demands
more is joined afterwards (``outcome``), so it holds against a signal as against every rule.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from returns_api.domain.policy.conditions import Range
from returns_api.domain.policy.document import PolicyDocument, SignalRule
from returns_api.domain.policy.facts import BuyerHistory
from returns_api.domain.policy.space import limits
from returns_api.domain.policy.term_values import ApprovalTerm, RefundTiming
from returns_api.domain.policy.values import Duration, read_elapsed
from returns_api.domain.policy.vocabulary import Listed, OnSilence, RefundAt

BLOCK_LIST: Final = "block_list"
"""The signal that needs no document: the buyer is on the shop's block list."""
REVIEWED: Final = "review.person"
"""Who set a term that a signal slowed. It names no signal: buyers read it."""
REVIEW_WITHIN: Final[Duration] = read_elapsed("3 days")
"""How long a person may take where the document does not say."""

_ASKED: Final = tuple(name for name in SignalRule.model_fields if name != "signal")
_ATTRIBUTES: Final = {
    "return_rate": "return_rate_ppm",
    "returned_value_30_days": "returned_value_30_days_minor",
}
_COUNTS: Final = frozenset({"returns_1_day", "returns_30_days"})
"""What every further return adds one to."""
_EARLY: Final = frozenset({RefundAt.REQUEST, RefundAt.FIRST_SCAN})

_Parts = tuple[tuple[str, int, int], ...]


class Signals:
    """The signals of a document, compiled; all that hold are a buyer's."""

    def __init__(self, document: PolicyDocument) -> None:
        rules = document.review.when if document.review else ()
        self._rules = {
            currency: _compiled(rules, currency, document.home_currency)
            for currency in (*document.currency, "")
        }
        """By currency; under the empty one, no amount is known and no signal asks for one."""

    def of(self, buyer: BuyerHistory, currency: str) -> tuple[str, ...]:
        """The names of the signals that hold; none for a buyer on the allow list."""
        if buyer.listed is Listed.ALLOW:
            return ()
        listed = (BLOCK_LIST,) if buyer.listed is Listed.BLOCK else ()
        rules = self._of(currency)
        return (*listed, *(name for name, parts in rules if _holds(parts, buyer)))

    def told(self, buyer: BuyerHistory, currency: str) -> tuple[dict[str, Any], ...]:
        """The signals that hold, each with the facts that it looked at, for staff."""
        parts = dict(self._of(currency))
        return tuple(
            {
                "signal": name,
                "because": {each: getattr(buyer, each) for each, _, _ in parts[name]}
                if name in parts
                else {"listed": Listed.BLOCK.value},
            }
            for name in self.of(buyer, currency)
        )

    def room(self, buyer: BuyerHistory, currency: str) -> tuple[int, tuple[str, ...]] | None:
        """After how many further returns another signal holds, and which; None: after none."""
        now, rules = set(self.of(buyer, currency)), self._of(currency)
        steps = {
            low - getattr(buyer, name)
            for _, parts in rules
            for name, low, _ in parts
            if name in _COUNTS
        }
        for more in sorted(step for step in steps if step > 0):
            later = replace(buyer, **{name: getattr(buyer, name) + more for name in _COUNTS})
            found = tuple(name for name in self.of(later, currency) if name not in now)
            if found:
                return more, found
        return None

    def _of(self, currency: str) -> tuple[tuple[str, _Parts], ...]:
        return self._rules.get(currency) or self._rules[""]


def _compiled(
    rules: tuple[SignalRule, ...], currency: str, home: str
) -> tuple[tuple[str, _Parts], ...]:
    found = []
    for rule in rules:
        parts = parts_of(rule, currency, home)
        if parts is not None:
            found.append((rule.signal, parts))
    return tuple(found)


def parts_of(rule: SignalRule, currency: str, home: str) -> _Parts | None:
    """What a signal asks for, as (fact, lowest, highest); None where it names an amount in other
    currencies only: nobody is slowed by what is not known."""
    parts = []
    for name in _ASKED:
        asked: Range | None = getattr(rule, name)
        if asked is None:
            continue
        edges = limits(asked, currency, home)
        if edges is None:
            return None
        parts.append((_ATTRIBUTES.get(name, name), *edges))
    return tuple(parts)


def _holds(parts: _Parts, buyer: BuyerHistory) -> bool:
    return all(low <= getattr(buyer, name) <= high for name, low, high in parts)


def review_of(document: PolicyDocument) -> ApprovalTerm:
    """The way to approve where a signal holds."""
    within = document.review.respond_within if document.review else None
    return ApprovalTerm(respond_within=within or REVIEW_WITHIN, on_silence=OnSilence.APPROVE)


def slow(values: dict[str, Any], review: ApprovalTerm) -> list[str]:
    """Let a person approve, and money and new goods wait for the old ones; the terms changed."""
    changed = []
    if values["approval"].auto:
        values["approval"] = review
        changed.append("approval")
    for name in ("refund_at", "exchange_at"):
        timing: RefundTiming | None = values.get(name)
        if timing is not None and timing.at in _EARLY:
            after = RefundAt.INSPECTION if timing.otherwise in _EARLY else timing.otherwise
            values[name] = RefundTiming(after)
            changed.append(name)
    return changed
