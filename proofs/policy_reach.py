"""Whether any facts at all reach a target: asked of the analysis, not of the search for changes.

``possible`` goes through every choice of deciding rules (or rights of the law) that would reach it,
and asks ``boxes.find`` for a part of the fact space where exactly these decide. That is exact: the
same set arithmetic that proves rules dead. It shares the boxes of rules with the search for changes
and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from returns_api.domain.policy import LoadedPolicy
from returns_api.domain.policy.analysis.study import Study
from returns_api.domain.policy.boxes import Box, Budget, find, meet
from returns_api.domain.policy.chosen_terms import DEFAULTS
from returns_api.domain.policy.geometry import SCALARS
from returns_api.domain.policy.law import Right
from returns_api.domain.policy.outcome_values import Purse, freight_of
from returns_api.domain.policy.vocabulary import Payer

STEPS = 4_000_000


class Reach:
    """One document; ``possible`` says whether a target can be reached within its markets."""

    def __init__(self, loaded: LoadedPolicy) -> None:
        self._study = Study(loaded, Budget(STEPS))
        self._document = loaded.document
        self._met: dict[object, bool] = {}

    def possible(self, target: str, country: str | None, region: str | None) -> bool:
        """Whether facts exist that reach ``target``, at a market or at the place of the case."""
        place = self._study.geometry.axes.place.locate(country, region)
        key = (target, place)
        if key not in self._met:
            self._met[key] = any(self._parts(target, self._space(place)))
        return self._met[key]

    def _space(self, place: int) -> Box:
        geometry = self._study.geometry
        names = list(geometry.universe)
        names[SCALARS.index("place")] |= 1 << place
        return tuple(names)

    def _parts(self, target: str, space: Box) -> Iterator[bool]:
        """One answer for each choice of who decides."""
        for code in self._document.currency:
            part = self._in_currency(space, code)
            for unset, decided in self._choices(target, code):
                yield from self._carried(target.partition(".")[2], decided, unset, part)
        yield from self._given(target, space)

    def _carried(
        self, kind: str, decided: dict[str, int], unset: tuple[str, ...], space: Box
    ) -> Iterator[bool]:
        """By an offer of the merchant, or by a right."""
        for offer in self._offers(kind):
            yield self._somewhere({**decided, "resolutions": offer}, unset, space, None)
        for number, right in enumerate(self._study.policy.rights):
            if _grants(right, kind):
                yield self._somewhere(decided, unset, space, number)

    def _given(self, target: str, space: Box) -> Iterator[bool]:
        """By a right that itself demands what is wanted."""
        for number, right in enumerate(self._study.policy.rights):
            if _gives(right, target) and any(
                meet(space, box) for box in self._study.right_boxes[number]
            ):
                if right.resolutions is not None:
                    yield True
                for offer in self._offers(""):
                    yield self._somewhere({"resolutions": offer}, (), space, number)

    def _in_currency(self, space: Box, code: str) -> Box:
        atoms = self._study.geometry.money.atoms
        mask = sum(1 << n for n, (currency, _, _) in enumerate(atoms) if currency == code)
        money = SCALARS.index("money")
        return (*space[:money], space[money] & mask, *space[money + 1 :])

    def _choices(self, target: str, code: str) -> Iterator[tuple[tuple[str, ...], dict[str, int]]]:
        """The terms that must have no rule, and the rules that decide the others."""
        if target == "eligible" or target.startswith("resolution."):
            yield (), {}
            return
        terms = {"return_freight": ("return_shipping", "methods"), "deduction": ("grades",)}.get(
            target, (target,)
        )
        setters = self._study.setters
        for picked in product(*((None, *setters[term]) for term in terms)):
            values = [
                getattr(self._study.rules[n], term) if n is not None else DEFAULTS[term]
                for term, n in zip(terms, picked, strict=True)
            ]
            if _good(target, values, code, self._document.home_currency):
                pairs = list(zip(terms, picked, strict=True))
                yield (
                    tuple(term for term, n in pairs if n is None),
                    {term: n for term, n in pairs if n is not None},
                )

    def _offers(self, kind: str) -> list[int]:
        found = []
        for number in self._study.setters["resolutions"]:
            items = self._study.rules[number].resolutions
            if items and any(kind in {"", item.kind.value} for item in items.items):
                found.append(number)
        return found

    def _somewhere(
        self, decided: dict[str, int], unset: tuple[str, ...], space: Box, right: int | None
    ) -> bool:
        study = self._study
        holes = [box for term, n in decided.items() for box in study.holes(term, n)]
        holes += [box for term in unset for box in study.holes(term, len(study.rules))]
        parts = [space]
        sources = [study.boxes[n] for n in decided.values()]
        if right is not None:
            sources.append(study.right_boxes[right])
        for boxes in sources:
            parts = [met for part in parts for box in boxes if (met := meet(part, box))]
        if right is not None:
            return any(find(part, holes, study.budget) for part in parts)
        return any(study.accepted(part, holes) for part in parts)


def _grants(right: Right, kind: str) -> bool:
    items = right.resolutions.items if right.resolutions else ()
    return any(kind in {"", item.kind.value} for item in items)


def _gives(right: Right, target: str) -> bool:
    tests: dict[str, Callable[[], Any]] = {
        "return_freight": lambda: right.return_shipping == "free",
        "restocking_fee": lambda: right.restocking_fee == 0,
        "original_shipping": lambda: right.original_shipping == "refund",
        "deduction": lambda: right.grades and any(share == 0 for _, share in right.grades.items),
    }
    return bool(tests.get(target, lambda: False)())


def _good(target: str, values: list[Any], currency: str, home: str) -> bool:
    if target == "return_freight":
        methods = Purse(currency, home).methods(values[1], values[0])
        return freight_of(values[0], methods).payer is Payer.MERCHANT
    if target == "restocking_fee":
        return bool(values[0] == 0)
    if target == "original_shipping":
        return bool(values[0] == "refund")
    return True  # a buyer who says nothing about the condition is deducted nothing beforehand
