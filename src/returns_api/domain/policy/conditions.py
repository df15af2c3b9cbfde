"""Conditions: what a rule may ask of one fact. Every condition is a set of values of one axis.

That is the whole of the matching language: a rule applies where *all* its conditions hold, and each
condition looks at one fact only. There is no "or" between facts and no arithmetic, so the facts a
rule takes form a box and everything about a document can be decided exactly. Owns the shapes and
how they are written; refuses to own evaluation (``space``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from returns_api.domain.policy.places import meant
from returns_api.domain.policy.values import (
    Amount,
    BadValue,
    closest,
    one_of,
    read_amount,
    read_date,
    read_ppm,
    write_ppm,
)

MAX_CHOICES: Final = 2_000
SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
PLACE: Final = re.compile(r"[A-Z]{2,8}(-[A-Z0-9]{1,3})?")
MAX_NUMBER: Final = 10**9


@dataclass(frozen=True, slots=True)
class Choice:
    """One of ``values``, or none of them when ``negated``."""

    values: tuple[str, ...]
    negated: bool = False

    def written(self) -> object:
        """As an author writes it."""
        return {"not": list(self.values)} if self.negated else list(self.values)


@dataclass(frozen=True, slots=True)
class SetChoice:
    """For facts that are sets: at least one of ``any``, all of ``all``, none of ``none``."""

    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()

    def holds(self, present: frozenset[str]) -> bool:
        """Whether a product with ``present`` is taken."""
        return (
            (not self.any or not present.isdisjoint(self.any))
            and present.issuperset(self.all)
            and present.isdisjoint(self.none)
        )

    @property
    def values(self) -> tuple[str, ...]:
        """All names that are mentioned."""
        return (*self.any, *self.all, *self.none)

    def written(self) -> object:
        """As an author writes it."""
        parts = (("any", self.any), ("all", self.all), ("none", self.none))
        return {name: list(words) for name, words in parts if words}


Bound = int | Amount


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from ``low`` (or above it) to ``high`` (or below it); None leaves a side open.

    ``kind`` says what the numbers are: money, a plain count, or parts per million.
    """

    kind: Literal["amount", "count", "ppm"]
    low: Bound | None
    low_included: bool
    high: Bound | None
    high_included: bool

    def written(self) -> object:
        """As an author writes it."""
        parts: dict[str, object] = {}
        if self.low is not None:
            parts["min" if self.low_included else "above"] = _write_bound(self.kind, self.low)
        if self.high is not None:
            parts["max" if self.high_included else "below"] = _write_bound(self.kind, self.high)
        return parts


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days from ``first`` to ``last``, both included, in the shop's zone."""

    first: date | None
    last: date | None

    def written(self) -> object:
        """As an author writes it."""
        parts = (("from", self.first), ("until", self.last))
        return {name: day.isoformat() for name, day in parts if day is not None}


def _write_bound(kind: str, bound: Bound) -> object:
    if isinstance(bound, Amount):
        return bound.written()
    return write_ppm(bound) if kind == "ppm" else bound


def read_slug(raw: object) -> str:
    """A name such as ``final-sale``. Raises ``BadValue``."""
    if isinstance(raw, str) and SLUG.fullmatch(raw):
        return raw
    text = re.sub(r"[^a-z0-9_-]+", "-", str(raw).lower()).strip("-_")[:64]
    raise BadValue(
        f"“{str(raw)[:60]}” is not a name.",
        f"Use small letters, digits, - and _: {text or 'final-sale'}.",
    )


def read_text(raw: object) -> str:
    """Any word or phrase of up to 200 characters. Raises ``BadValue``."""
    if isinstance(raw, str) and len(raw.strip()) > 0 and len(raw) <= 200:
        return raw
    if isinstance(raw, bool | int) or raw is None:
        raise BadValue(f"“{raw}” is read as something else than text.", "Put it in quotes.")
    raise BadValue(f"“{str(raw)[:60]}” is not a name.", "Write a text of 1 to 200 characters.")


def read_pattern(raw: object) -> str:
    """A name, or the beginning of names with a star at its end: ``JKT-*``. Raises ``BadValue``."""
    text = read_text(raw)
    if "*" in text[:-1]:
        raise BadValue(f"“{text[:60]}” has a star inside.", "A star may only stand at the end.")
    return text


def read_place(raw: object) -> str:
    """A country, a region or a group of them: ``DE``, ``US-CA``, ``EU``. Raises ``BadValue``."""
    if isinstance(raw, str) and PLACE.fullmatch(raw):
        return raw
    upper = str(raw).upper()
    guess = meant(upper) or (upper if PLACE.fullmatch(upper) else "DE")
    raise BadValue(f"“{str(raw)[:60]}” is not a place.", f"Write {guess}, US-CA or EU.")


def word_of(known: tuple[str, ...], what: str) -> Callable[[object], str]:
    """A reader for one of ``known``."""
    return lambda raw: one_of(raw, known, what)


def choice_of(read: Callable[[object], str]) -> Callable[[Any], Choice]:
    """A reader for ``word``, ``[word, …]`` or ``{not: [word, …]}``."""

    def reader(raw: Any) -> Choice:
        if isinstance(raw, Choice):
            return raw
        negated = isinstance(raw, Mapping)
        if negated:
            only_keys(raw, ("not",))
            raw = raw.get("not")
        words = _words(raw, read)
        return Choice(words, negated)

    return reader


def _words(raw: Any, read: Callable[[object], str]) -> tuple[str, ...]:
    items = raw if isinstance(raw, list | tuple) else [raw]
    if not items:
        raise BadValue("The list is empty.", "Name at least one, or remove the condition.")
    if len(items) > MAX_CHOICES:
        raise BadValue(f"The list has {len(items)} entries; at most {MAX_CHOICES}.")
    words = [read(item) for item in items]
    double = next((word for position, word in enumerate(words) if word in words[:position]), None)
    if double is not None:
        raise BadValue(f"“{double}” stands here twice.", "Keep one.")
    return tuple(words)


def only_keys(raw: Mapping[Any, Any], known: tuple[str, ...]) -> None:
    """Raises ``BadValue`` for the first key that is not in ``known``, or when there is none."""
    if not raw:
        raise BadValue("Nothing stands here.", f"Use {' or '.join(known)}.")
    for key in raw:
        if key not in known:
            guess = closest(str(key), known)
            hint = f"Did you mean {guess}?" if guess else f"Use {', '.join(known)}."
            raise BadValue(f"“{str(key)[:60]}” is not known here.", hint)


def set_of(read: Callable[[object], str]) -> Callable[[Any], SetChoice]:
    """A reader for ``[clearance, outlet]`` (any of them) or ``{any: …, all: …, none: …}``."""

    def reader(raw: Any) -> SetChoice:
        if isinstance(raw, SetChoice):
            return raw
        if not isinstance(raw, Mapping):
            return SetChoice(any=_words(raw, read))
        only_keys(raw, ("any", "all", "none"))
        return SetChoice(**{str(name): _words(words, read) for name, words in raw.items()})

    return reader


def read_count(raw: object) -> int:
    """A plain count. Raises ``BadValue``."""
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= MAX_NUMBER:
        raise BadValue(f"“{str(raw)[:60]}” is not a count.", f"Write 0 to {MAX_NUMBER}.")
    return raw


_BOUNDS: Final[Mapping[str, Callable[[object], Bound]]] = {
    "amount": read_amount,
    "count": read_count,
    "ppm": read_ppm,
}


def range_of(kind: Literal["amount", "count", "ppm"]) -> Callable[[Any], Range]:
    """A reader for ``{min: …, max: …}`` or ``{above: …, below: …}``."""
    read = _BOUNDS[kind]

    def reader(raw: Any) -> Range:
        if isinstance(raw, Range):
            return raw
        if not isinstance(raw, Mapping):
            raise BadValue("A range is due here.", "Write {min: 5} or {max: 10}.")
        only_keys(raw, ("min", "max", "above", "below"))
        if {"min", "above"} <= set(raw) or {"max", "below"} <= set(raw):
            raise BadValue("A side has two bounds.", "Keep min or above, and max or below.")
        low_key, high_key = (
            ("min" if "min" in raw else "above"),
            ("max" if "max" in raw else "below"),
        )
        low = read(raw[low_key]) if low_key in raw else None
        high = read(raw[high_key]) if high_key in raw else None
        return Range(kind, low, low_key == "min", high, high_key == "max")

    return reader


def read_dates(raw: Any) -> DateRange:
    """``{from: 2026-11-01, until: 2026-12-25}``, both days included."""
    if isinstance(raw, DateRange):
        return raw
    if not isinstance(raw, Mapping):
        raise BadValue("A range of days is due here.", "Write {from: 2026-11-01}.")
    only_keys(raw, ("from", "until"))
    first = read_date(raw["from"]) if "from" in raw else None
    last = read_date(raw["until"]) if "until" in raw else None
    if first and last and last < first:
        raise BadValue("The last day lies before the first.", "Swap the two.")
    return DateRange(first, last)
