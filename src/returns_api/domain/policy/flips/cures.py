"""What is good for a target: the rules of a policy, and the rights of the law, that reach it.

Answers are bits of rules, bits of rights or atoms of conditions; each is computed once per policy.
Owns which rules and rights are good for which target. Refuses to own what stands between a case and
its target (``needs``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from returns_api.domain.policy.chosen_terms import DEFAULTS, NEVER
from returns_api.domain.policy.document import Rule
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.flips.goals import wanted_kind
from returns_api.domain.policy.law import Right
from returns_api.domain.policy.merge import all_grades
from returns_api.domain.policy.outcome_values import Purse, freight_of
from returns_api.domain.policy.space import bits
from returns_api.domain.policy.term_values import Methods, ReturnShipping
from returns_api.domain.policy.vocabulary import Grade, Payer, ResolutionKind

DEFAULT: Final = -1
"""Stands for "no rule" where a rule is named by its position."""


class Cures:
    """The rules and rights of one policy that are good for a target."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._rules = policy.document.rules
        self._setters = policy.maker.setters
        self._tables: dict[tuple[object, ...], int] = {}
        self._shift = policy.rule_count

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

    def refusing_nothing(self) -> int:
        """Rules that say that nothing is refused."""
        return self._bits("never", lambda rule: rule.refuse == NEVER)

    def waiving_restocking(self) -> int:
        """Rules by which restocking costs nothing."""
        return self._bits("restocking_fee", lambda rule: rule.restocking_fee == 0)

    def refunding_shipping(self) -> int:
        """Rules that give the shipping of the order back."""
        return self._bits("original_shipping", lambda rule: rule.original_shipping == "refund")

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
