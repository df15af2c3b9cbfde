"""What stands between one case and a wish: the first thing that any change has to put right.

Every case that falls short of a target does so for a nameable reason: a rule decides a term badly,
or a window is over. Whatever turns the outcome has to remove that rule, or bring in one that is
better, or ask earlier, or bring in a right of the law. Owns these reasons, and which rules and
rights are good for which target. Refuses to own how a rule is brought in (``singles``, ``search``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from returns_api.domain.policy.document import Rule
from returns_api.domain.policy.evaluate import Policy, Weighed
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.flips.goals import is_open, wanted_kind
from returns_api.domain.policy.law import Right
from returns_api.domain.policy.merge import all_grades
from returns_api.domain.policy.outcome import DEFAULTS, NEVER
from returns_api.domain.policy.outcome_values import Purse, freight_of
from returns_api.domain.policy.space import bits
from returns_api.domain.policy.term_values import Methods, ReturnShipping
from returns_api.domain.policy.vocabulary import Grade, Payer, ResolutionKind

DEFAULT: Final = -1
"""Stands for "no rule" where a rule is named by its position."""


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
        self._policy = policy
        self._rules = policy.document.rules
        self._setters = policy.maker.setters
        self._tables: dict[tuple[object, ...], int] = {}
        self._met: dict[tuple[object, ...], Need] = {}
        self._shift = policy.rule_count

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
            return Need((self._way("refuse", mask, self._never(), by_default=True),))
        if facts.condition in outcome.refused_conditions:
            good = self.accepting(facts.condition)
            return Need((self._way("grades", mask, good, by_default=True),))
        key = (target, *[self.decider(term, mask) for term in _OF_WINDOWS])
        return self._remembered(key, lambda: self._over(wanted_kind(target), weighed, mask))

    def _over(self, kind: ResolutionKind | None, weighed: Weighed, mask: int) -> Need:
        offers = self._way("resolutions", mask, self.offering(kind))
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
            free = self.free(facts.currency)
            return Need(
                (
                    self._way("return_shipping", mask, free, by_default=True),
                    self._way("methods", mask, self._setters["methods"], by_default=True),
                )
            )
        if target == "restocking_fee":
            none = self._bits(target, lambda rule: rule.restocking_fee == 0)
            return Need((self._way(target, mask, none, by_default=True),))
        if target == "deduction":
            good = self.sparing(facts.condition)
            spared = self.spares(DEFAULT, facts.condition)
            return Need((self._way("grades", mask, good, by_default=spared),))
        paid = self._bits(target, lambda rule: rule.original_shipping == "refund")
        return Need((self._way(target, mask, paid),))

    def _way(self, term: str, mask: int, good: int, *, by_default: bool = False) -> Way:
        return Way(term, self.decider(term, mask), good, by_default)

    def decider(self, term: str, mask: int) -> int:
        """The rule that decides a term; ``DEFAULT`` where none does."""
        setting = mask & self._setters[term]
        return (setting & -setting).bit_length() - 1

    def rights(self, target: str, condition: str | None) -> int:
        """Bits of the rights that reach a target by themselves, as bits of ``Policy.index``."""
        key = ("rights", target, condition if target == "deduction" else None)
        found = self._tables.get(key)
        if found is None:
            helpful = partial(_helps, target, condition)
            found = sum(1 << n for n, right in enumerate(self._policy.rights) if helpful(right))
            self._tables[key] = found = found << self._shift
        return found

    def offering(self, kind: ResolutionKind | None) -> int:
        """Rules that offer something (of a kind)."""
        return self._bits(
            ("offering", kind),
            lambda rule: any(
                kind is None or item.kind is kind
                for item in (rule.resolutions.items if rule.resolutions else ())
            ),
        )

    def accepting(self, condition: str | None) -> int:
        """Rules about grades that do not refuse a condition."""
        return self._bits(
            ("accepting", condition),
            lambda rule: rule.grades is not None and not _refuses(rule, condition),
        )

    def sparing(self, condition: str | None) -> int:
        """Rules about grades that deduct nothing for a condition."""
        return self._bits(
            ("sparing", condition),
            lambda rule: (
                rule.grades is not None
                and (condition is None or all_grades(rule.grades)[Grade(condition)] == 0)
            ),
        )

    def accepts(self, number: int, condition: str | None) -> bool:
        """Whether the rule at ``number``, or no rule at all, takes a condition back."""
        return number == DEFAULT or not _refuses(self._rules[number], condition)

    def spares(self, number: int, condition: str | None) -> bool:
        """Whether the rule at ``number``, or no rule at all, deducts nothing for a condition."""
        grades = None if number == DEFAULT else self._rules[number].grades
        return condition is None or all_grades(grades)[Grade(condition)] == 0

    def conditions(self, number: int, *, sparing: bool) -> int:
        """Atoms of the conditions that a rule about grades (or none) takes back, or spares."""
        test = self.spares if sparing else self.accepts
        names = (None, *(grade.value for grade in Grade))
        return self._table(
            ("conditions", number, sparing),
            lambda: _sum(
                self._policy.index.axes.condition.locate(name)
                for name in names
                if test(number, name)
            ),
        )

    def given(self, right: Right, target: str) -> int:
        """Atoms of the conditions in which a right makes free what ``target`` names."""
        axis = self._policy.index.axes.condition
        if target == "eligible" or target.startswith("resolution."):
            return 0
        if target != "deduction":
            return axis.full if _helps(target, None, right) else 0
        return _sum(axis.locate(g.value) for g in Grade if _helps(target, g.value, right))

    def free_somewhere(self) -> int:
        """Rules about the way back that cost nothing in some currency with some methods."""
        found = 0
        for currency in (*self._policy.document.currency, ""):
            found |= self.free(currency)
        return found

    def _never(self) -> int:
        return self._bits("never", lambda rule: rule.refuse == NEVER)

    def free(self, currency: str) -> int:
        """Rules about the way back that cost nothing, at least with some of the methods."""
        return self._table(
            ("free", currency),
            lambda: _sum(
                n
                for n in bits(self._setters["return_shipping"])
                if any(
                    self.is_free(n, methods, currency)
                    for methods in (DEFAULT, *bits(self._setters["methods"]))
                )
            ),
        )

    def is_free(self, shipping: int, methods: int, currency: str) -> bool:
        """Whether the rules at two positions, one for each term, make the way back free."""
        fee = self._rules[shipping].return_shipping if shipping != DEFAULT else None
        ways = self._rules[methods].methods if methods != DEFAULT else None
        term: ReturnShipping = fee or DEFAULTS["return_shipping"]
        kinds: Methods = ways or DEFAULTS["methods"]
        purse = Purse(currency, self._policy.document.home_currency)
        return freight_of(term, purse.methods(kinds, term)).payer is Payer.MERCHANT

    def _bits(self, key: object, test: Callable[[Rule], bool]) -> int:
        return self._table(
            ("bits", key), lambda: _sum(n for n, rule in enumerate(self._rules) if test(rule))
        )

    def _table(self, key: tuple[object, ...], make: Callable[[], int]) -> int:
        found = self._tables.get(key)
        if found is None:
            found = self._tables[key] = make()
        return found


def _refuses(rule: Rule, condition: str | None) -> bool:
    items = rule.grades.items if rule.grades else ()
    return any(grade.value == condition and share is None for grade, share in items)


def _helps(target: str, condition: str | None, right: Right) -> bool:
    if target == "return_freight":
        return right.return_shipping == "free"
    if target == "restocking_fee":
        return right.restocking_fee == 0
    if target == "original_shipping":
        return right.original_shipping == "refund"
    if target == "deduction":
        shares = dict(right.grades.items) if right.grades else {}
        return condition is not None and shares.get(Grade(condition), 1) == 0
    kind = wanted_kind(target)
    items = right.resolutions.items if right.resolutions else ()
    return any(kind is None or item.kind is kind for item in items)


def _sum(positions: Iterable[int]) -> int:
    return sum(1 << n for n in positions)
