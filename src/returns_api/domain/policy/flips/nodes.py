"""A part of the fact space that a search looks at, and its closest point.

Owns what is known of it. Refuses to own how it is cut and judged (``search``).
"""

from __future__ import annotations

from dataclasses import dataclass

from returns_api.domain.policy.boxes import Box
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.flips.changes import Option
from returns_api.domain.policy.weighed import Weighed


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the space, and what was settled for all points in it.

    ``carrier``: the right that carries the return, None for the merchant. ``giver``: the right that
    makes it free, None for the merchant. ``settled``: the rule that decides each term named there.
    ``earlier``: asked in time. ``moved``: placed earlier on the same part of the calendar.
    """

    box: Box
    carrier: int | None = None
    giver: int | None = None
    settled: tuple[tuple[str, int], ...] = ()
    earlier: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """The closest point of a node, as a case."""

    facts: Facts
    tier: str
    mask: int
    options: tuple[Option, ...]
    atoms: Box
    weighed: Weighed


Size = tuple[int, int, tuple[int, ...], tuple[int, ...]]
"""Of a closest point: its far changes, how many facts change, which, and how far each goes."""
