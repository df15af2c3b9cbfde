"""A return of the past as a back-test reads it: from a file or from what the service stored.

Owns the record and its form in a history file, one JSON object a line. Refuses to own files.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from returns_api.domain.errors import Invalid
from returns_api.domain.policy import Facts
from returns_api.domain.policy.vocabulary import Grade, ResolutionKind

NONE: Final = "(none)"
LINES_MAX: Final = 1_000
QUANTITY_MAX: Final = 100_000
MONEY_MAX: Final = 10**12


@dataclass(frozen=True, slots=True)
class PastLine:
    """One line of a return: the facts it was judged by, and how many units.

    ``found``: the grades that the warehouse gave, with units; it may not have seen them all.
    ``decision``: what was decided then, as plain data, where the history tells (``recorded``).
    """

    facts: Facts
    quantity: int = 1
    found: tuple[tuple[Grade, int], ...] = ()
    decision: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PastReturn:
    """A return as it was asked for. ``shipping_minor``: original shipping still to be refunded."""

    name: str
    lines: tuple[PastLine, ...]
    resolution: str = ResolutionKind.REFUND.value
    method: str | None = None
    shipping_minor: int = 0

    @staticmethod
    def from_json(data: object) -> PastReturn:
        """One line of a history file, as ``docs`` describe it. Raises ``Invalid``."""
        given = _object(data, "The line")
        _only(given, _OF_RETURN | _OF_LINE, "here")
        lines = given.get("lines")
        if lines is None:
            lines = [{name: given[name] for name in _OF_LINE if name in given}]
        elif not _OF_LINE.isdisjoint(given):
            raise _invalid("Give lines, or the facts of one line, not both.")
        if not isinstance(lines, list) or not 0 < len(lines) <= LINES_MAX:
            raise _invalid(f"lines is not a list of 1 to {LINES_MAX} lines.")
        return PastReturn(
            _text(given, "return", NONE) or NONE,
            tuple(_line(line) for line in lines),
            _text(given, "resolution", ResolutionKind.REFUND.value) or "",
            _text(given, "method", None),
            _count(given, "shipping_minor", 0, 0, MONEY_MAX),
        )


_OF_LINE: Final = frozenset({"facts", "quantity", "found", "decision"})
_OF_RETURN: Final = frozenset({"return", "lines", "resolution", "method", "shipping_minor"})
_GRADES: Final = {grade.value: grade for grade in Grade}


def _line(data: object) -> PastLine:
    given = _object(data, "A line")
    _only(given, _OF_LINE, "in a line")
    facts = Facts.from_json(_object(given.get("facts"), "facts"))
    if facts.condition is not None and facts.condition not in _GRADES:
        raise _invalid("The fact condition is not a grade.")
    quantity = _count(given, "quantity", 1, 1, QUANTITY_MAX)
    found = _found(given.get("found") or {})
    if sum(count for _, count in found) > quantity:
        raise _invalid("found counts more units than quantity.")
    decision = given.get("decision")
    return PastLine(
        facts, quantity, found, None if decision is None else _object(decision, "decision")
    )


def _found(data: object) -> tuple[tuple[Grade, int], ...]:
    """``{"used_worn": 1}``: units by the grade that the warehouse gave. Raises ``Invalid``."""
    given = _object(data, "found")
    for name in given:
        if name not in _GRADES:
            raise _invalid(f"found: {name[:60]} is not a grade.")
    return tuple((_GRADES[name], _count(given, name, 1, 1, QUANTITY_MAX)) for name in given)


def _only(given: Mapping[str, Any], known: Set[str], where: str) -> None:
    if not given.keys() <= known:
        raise _invalid(f"{min(given.keys() - known)[:60]} is not known {where}.")


def _object(data: object, what: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise _invalid(f"{what} is not an object.")
    return data


def _text(given: Mapping[str, Any], name: str, default: str | None) -> str | None:
    value = given.get(name, default)
    if value is not None and not (isinstance(value, str) and len(value) <= 200):
        raise _invalid(f"{name} is not a text of at most 200 characters.")
    return value


def _count(given: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = given.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _invalid(f"{name} is not a whole number from {low} to {high}.")
    return value


def _invalid(problem: str) -> Invalid:
    return Invalid(problem, errors=[{"field": "history", "problem": problem}])
