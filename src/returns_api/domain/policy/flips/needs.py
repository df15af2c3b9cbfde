"""What stands between one case and a wish: the first thing that any change has to put right.

Every case that falls short of a target does so for a nameable reason: a rule decides a term badly,
or a window is over. Whatever turns the outcome has to remove that rule, or bring in one that is
better, or ask earlier, or bring in a right of the law. Owns these reasons. Refuses to own which
rules and rights are good for which target (``cures``) and how they are brought in (``singles``,
``search``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.flips.cures import DEFAULT, Cures
from returns_api.domain.policy.flips.goals import is_open, wanted_kind
from returns_api.domain.policy.vocabulary import ResolutionKind
from returns_api.domain.policy.weighed import Weighed

KNOWN: Final = 4_096
"""Needs that are remembered, before they are forgotten."""

_TERMS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "return_freight": ("return_shipping", "methods"),
    "restocking_fee": ("restocking_fee",),
    "deduction": ("grades",),
    "original_shipping": ("original_shipping",),
}
"""The terms that decide what a target costs."""
_OF_WINDOWS: Final = ("resolutions", "starts", "extend_to")
"""The terms that decide what is open until when."""


@dataclass(frozen=True, slots=True)
class Way:
    """A term that is decided badly, and the rules that could decide it well.

    ``decider`` is the position of the deciding rule, ``DEFAULT`` where none sets the term; ``good``
    are bits of rules; ``by_default``: it can also be well where no rule sets the term.
    """

    term: str
    decider: int
    good: int
    by_default: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """Whatever reaches the target from here changes who decides one of the terms in ``ways``.

    ``late``: a window is over, so asking earlier may help as well.
    """

    ways: tuple[Way, ...]
    late: bool = False

    bad: int = field(init=False, default=0)
    """Bits of the rules that decide badly: one of them goes …"""
    good: int = field(init=False, default=0)
    """… or one of these comes. A rule below the one that decides helps only where that one goes."""
    graded: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        bad = good = 0
        for way in self.ways:
            decider = 1 << way.decider if way.decider != DEFAULT else 0
            bad |= decider
            good |= way.good & (decider - 1) if decider else way.good
        object.__setattr__(self, "bad", bad)
        object.__setattr__(self, "good", good)
        object.__setattr__(self, "graded", any(way.term == "grades" for way in self.ways))


class Needs:
    """The needs of cases under one policy."""

    def __init__(self, policy: Policy) -> None:
        self.cures = Cures(policy)
        self._policy = policy
        self._setters = policy.maker.setters
        self._met: dict[tuple[object, ...], Need] = {}

    def of(self, target: str, weighed: Weighed, mask: int, facts: Facts) -> Need | None:
        """What is lacking in a case that falls short of ``target``; None: the reason is unknown."""
        if not is_open(weighed, wanted_kind(target)):
            return self.opening(target, weighed, mask, facts)
        return self.worth(target, mask, facts)

    def opening(self, target: str, weighed: Weighed, mask: int, facts: Facts) -> Need | None:
        """Why the merchant offers nothing (of the wanted kind)."""
        if facts.reason not in self._policy.world.reasons:
            return None
        outcome = weighed.outcome
        if outcome.refusal is not None:
            good = self.cures.refusing_nothing()
            return Need((self._way("refuse", mask, good, by_default=True),))
        if facts.condition in outcome.refused_conditions:
            good = self.cures.accepting(facts.condition)
            return Need((self._way("grades", mask, good, by_default=True),))
        key = (target, *[self.decider(term, mask) for term in _OF_WINDOWS])
        return self._remembered(key, lambda: self._over(wanted_kind(target), weighed, mask))

    def _over(self, kind: ResolutionKind | None, weighed: Weighed, mask: int) -> Need:
        offers = self._way("resolutions", mask, self.cures.offering(kind))
        if not any(kind is None or w.kind is kind for w in weighed.outcome.plan.windows):
            return Need((offers,))
        times = [
            self._way(term, mask, self._setters[term], by_default=True)
            for term in ("starts", "extend_to")
        ]
        return Need((offers, *times), late=True)

    def worth(self, target: str, mask: int, facts: Facts) -> Need:
        """Why something is to be paid. A freight is a matter of its fee and of the methods."""
        about = facts.currency if target == "return_freight" else facts.condition
        deciders = [self.decider(term, mask) for term in _TERMS_OF[target]]
        key = (target, about, *deciders)
        return self._remembered(key, lambda: self._worth(target, mask, facts))

    def _remembered(self, key: tuple[object, ...], make: Callable[[], Need]) -> Need:
        need = self._met.get(key)
        if need is None:
            if len(self._met) >= KNOWN:
                self._met.clear()
            need = self._met[key] = make()
        return need

    def _worth(self, target: str, mask: int, facts: Facts) -> Need:
        if target == "return_freight":
            free = self.cures.free(facts.currency)
            return Need(
                (
                    self._way("return_shipping", mask, free, by_default=True),
                    self._way("methods", mask, self._setters["methods"], by_default=True),
                )
            )
        if target == "restocking_fee":
            none = self.cures.waiving_restocking()
            return Need((self._way(target, mask, none, by_default=True),))
        if target == "deduction":
            good = self.cures.sparing(facts.condition)
            spared = self.cures.spares(DEFAULT, facts.condition)
            return Need((self._way("grades", mask, good, by_default=spared),))
        paid = self.cures.refunding_shipping()
        return Need((self._way(target, mask, paid),))

    def _way(self, term: str, mask: int, good: int, *, by_default: bool = False) -> Way:
        return Way(term, self.decider(term, mask), good, by_default)

    def decider(self, term: str, mask: int) -> int:
        """The rule that decides a term; ``DEFAULT`` where none does."""
        setting = mask & self._setters[term]
        return (setting & -setting).bit_length() - 1
