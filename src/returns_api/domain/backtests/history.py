"""A return of the past as a back-test reads it: from a file or from what the service stored.

Owns the record and its form in a history file, one JSON object a line. Refuses to own files.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """One line of a return: the facts it was judged by, and how many units."""

    facts: Facts
    quantity: int = 1


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
        known = {"return", "lines", "facts", "quantity", "resolution", "method", "shipping_minor"}
        unknown = sorted(given.keys() - known)
        if unknown:
            raise _invalid(f"{unknown[0][:60]} is not known here.")
        lines = given.get("lines")
        if lines is None:
            lines = [{name: given[name] for name in ("facts", "quantity") if name in given}]
        if not isinstance(lines, list) or not 0 < len(lines) <= LINES_MAX:
            raise _invalid(f"lines is not a list of 1 to {LINES_MAX} lines.")
        return PastReturn(
            _text(given, "return", NONE) or NONE,
            tuple(_line(line) for line in lines),
            _text(given, "resolution", ResolutionKind.REFUND.value) or "",
            _text(given, "method", None),
            _count(given, "shipping_minor", 0, 0, MONEY_MAX),
        )


def _line(data: object) -> PastLine:
    given = _object(data, "A line")
    unknown = sorted(given.keys() - {"facts", "quantity"})
    if unknown:
        raise _invalid(f"{unknown[0][:60]} is not known in a line.")
    facts = Facts.from_json(_object(given.get("facts"), "facts"))
    if facts.condition is not None and facts.condition not in set(Grade):
        raise _invalid("The fact condition is not a grade.")
    return PastLine(facts, _count(given, "quantity", 1, 1, QUANTITY_MAX))


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
