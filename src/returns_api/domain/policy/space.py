"""The space of facts, cut along every line that a set of rules draws.

Each fact is an axis; the conditions of all rules cut it into finitely many *atoms* within which no
rule can tell two values apart. A condition is then a set of atoms (the bits of an integer), a rule
a box of such sets, and matching, analysis and explanation are exact set arithmetic over one and the
same cut. Owns the axes: where a value falls, which atoms a condition takes, and a sample value for
an atom. Refuses to own rules (``index``) and questions about them (``analysis``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from returns_api.domain.calendars import day_end
from returns_api.domain.policy.conditions import Choice, DateRange, Range
from returns_api.domain.policy.values import Amount

HIGHEST: Final = 10**15
"""Largest number a fact can be (see ``money.MAX_MINOR``)."""


def bits(mask: int) -> list[int]:
    """The positions of the set bits, lowest first."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


class WordAxis:
    """An axis of names. Atoms: each name that is mentioned, each beginning, and all the rest (0).

    Beginnings (``JKT-*``) form a tree, so the atom of a value is its longest match. A missing value
    falls into the rest. ``closed`` axes know all their values beforehand.
    """

    __slots__ = ("_atoms", "_lengths", "_words", "size")

    def __init__(self, mentioned: Iterable[str]) -> None:
        words = sorted(set(mentioned))
        self._words = words
        self._atoms = {word: position for position, word in enumerate(words, start=1)}
        stems = {len(word) for word in words if word.endswith("*")}
        self._lengths = sorted(stems, reverse=True)
        self.size = len(words) + 1

    @staticmethod
    def of(choices: Iterable[Choice]) -> WordAxis:
        """The axis cut by ``choices``."""
        return WordAxis(value for choice in choices for value in choice.values)

    def locate(self, value: str | None) -> int:
        """The atom that ``value`` falls into."""
        if value is None:
            return 0
        atom = self._atoms.get(value)
        if atom is not None and not value.endswith("*"):
            return atom
        for length in self._lengths:
            atom = self._atoms.get(f"{value[: length - 1]}*") if len(value) >= length - 1 else None
            if atom is not None:
                return atom
        return 0

    def mask(self, choice: Choice) -> int:
        """The atoms that ``choice`` takes."""
        taken = 0
        for value in choice.values:
            if value.endswith("*"):
                for word, atom in self._atoms.items():
                    if word.startswith(value[:-1]):
                        taken |= 1 << atom
            else:
                taken |= 1 << self._atoms[value]
        return self.full & ~taken if choice.negated else taken

    @property
    def full(self) -> int:
        """All atoms."""
        return (1 << self.size) - 1

    def sample(self, atom: int) -> str | None:
        """A value of ``atom``; None for the rest, as the missing value belongs there."""
        if atom == 0:
            return None
        word = self._words[atom - 1]
        if not word.endswith("*"):
            return word
        value = word[:-1] or "x"
        while self.locate(value) != atom:
            value += "x"
        return value


class NumberAxis:
    """An axis of whole numbers from 0, cut at thresholds. Atom n is [cuts[n-1], cuts[n])."""

    __slots__ = ("cuts", "size")

    def __init__(self, cuts: Iterable[int]) -> None:
        self.cuts = sorted({cut for cut in cuts if 0 < cut <= HIGHEST})
        self.size = len(self.cuts) + 1

    def locate(self, value: int) -> int:
        """The atom that ``value`` falls into."""
        return bisect_right(self.cuts, value)

    def mask(self, low: int, high: int) -> int:
        """The atoms from ``low`` to ``high``, both included. Both must be cuts of this axis."""
        if high < low:
            return 0
        first, last = bisect_right(self.cuts, low), bisect_right(self.cuts, high)
        return ((1 << (last - first + 1)) - 1) << first

    @property
    def full(self) -> int:
        """All atoms."""
        return (1 << self.size) - 1

    def bounds(self, atom: int) -> tuple[int, int]:
        """The lowest and highest number of ``atom``."""
        low = self.cuts[atom - 1] if atom else 0
        high = self.cuts[atom] - 1 if atom < len(self.cuts) else HIGHEST
        return low, high


def limits(found: Range, currency: str, home: str) -> tuple[int, int] | None:
    """A range as whole numbers from low to high; None where it names no amount in ``currency``."""
    low, high = 0, HIGHEST
    if found.low is not None:
        bound = _number(found.low, currency, home)
        if bound is None:
            return None
        low = bound if found.low_included else bound + 1
    if found.high is not None:
        bound = _number(found.high, currency, home)
        if bound is None:
            return None
        high = bound if found.high_included else bound - 1
    return low, high


def _number(bound: int | Amount, currency: str, home: str) -> int | None:
    return bound.minor(currency, home) if isinstance(bound, Amount) else bound


class PlaceAxis:
    """An axis of places. Atoms: each region that is mentioned, (the rest of) each country, others.

    ``groups`` are names for several countries.
    """

    __slots__ = ("_countries", "_groups", "_regions", "_tokens", "size")

    def __init__(self, mentioned: Iterable[str], groups: Mapping[str, Sequence[str]]) -> None:
        tokens = {token for name in mentioned for token in groups.get(name, (name,))}
        tokens |= {token.split("-")[0] for token in tokens}
        self._groups = groups
        self._tokens = sorted(tokens)
        atoms = {token: position for position, token in enumerate(self._tokens, start=1)}
        self._countries = {token: atom for token, atom in atoms.items() if "-" not in token}
        self._regions = {token: atom for token, atom in atoms.items() if "-" in token}
        self.size = len(atoms) + 1

    def locate(self, country: str | None, region: str | None) -> int:
        """The atom of a country and the region in it (``CA`` or ``US-CA``)."""
        if country is None:
            return 0
        if region and self._regions:
            token = region if region.startswith(f"{country}-") else f"{country}-{region}"
            atom = self._regions.get(token)
            if atom is not None:
                return atom
        return self._countries.get(country, 0)

    def mask(self, choice: Choice) -> int:
        """The atoms that ``choice`` takes. A country takes its regions."""
        taken = 0
        for name in choice.values:
            for token in self._groups.get(name, (name,)):
                taken |= self._token_mask(token)
        return self.full & ~taken if choice.negated else taken

    def _token_mask(self, token: str) -> int:
        if "-" in token:
            return 1 << self._regions[token]
        taken = 1 << self._countries[token]
        for region, atom in self._regions.items():
            if region.startswith(f"{token}-"):
                taken |= 1 << atom
        return taken

    @property
    def full(self) -> int:
        """All atoms."""
        return (1 << self.size) - 1

    def sample(self, atom: int) -> tuple[str | None, str | None]:
        """A country and region of ``atom``; atom 0 is a place that nobody mentions."""
        if atom == 0:
            return None, None
        country, _, region = self._tokens[atom - 1].partition("-")
        return country, region or None


class DayAxis:
    """An axis of instants, cut at the ends of local days of the shop's zone."""

    __slots__ = ("_days", "_zone", "cuts", "size")

    def __init__(self, ranges: Iterable[DateRange], zone: ZoneInfo) -> None:
        days: set[date] = set()
        for found in ranges:
            if found.first is not None and found.first > date.min:
                days.add(found.first - timedelta(days=1))
            if found.last is not None:
                days.add(found.last)
        ends = [(end.over, day) for day in sorted(days) if (end := day_end(day, zone)) is not None]
        self._zone = zone
        self.cuts: list[datetime] = [over for over, _ in ends]
        self._days = [day for _, day in ends]
        self.size = len(self.cuts) + 1

    def locate(self, instant: datetime) -> int:
        """The atom that ``instant`` falls into."""
        return bisect_right(self.cuts, instant)

    def mask(self, found: DateRange) -> int:
        """The atoms of the days in ``found``."""
        first, last = 0, self.size - 1
        if found.first is not None and found.first > date.min:
            before = found.first - timedelta(days=1)
            first = self._days.index(before) + 1 if before in self._days else self.size
        if found.last is not None and found.last in self._days:
            last = self._days.index(found.last)
        return ((1 << (last - first + 1)) - 1) << first if last >= first else 0

    @property
    def full(self) -> int:
        """All atoms."""
        return (1 << self.size) - 1

    def bounds(self, atom: int) -> tuple[datetime | None, datetime | None]:
        """The first instant of ``atom`` and the first after it; None at the open sides."""
        low = self.cuts[atom - 1] if atom else None
        high = self.cuts[atom] if atom < len(self.cuts) else None
        return low, high
