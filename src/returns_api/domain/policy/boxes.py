"""Exact questions about boxes: is there a point inside this one and outside all of those?

A box has, for every axis, the set of atoms it takes, as the bits of an integer. Every question the
analysis asks comes down to ``find``: a part of one box that no other box touches. The search splits
the box along one of the others, so each part is smaller than the last and the answer is exact. Its
work is counted; a question that would cost more than is left is answered by ``TooLarge`` and never
by a guess. Refuses to own what the axes mean (``geometry``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Box = tuple[int, ...]
"""Per axis the atoms taken. A box with an empty axis takes nothing."""

STEPS: Final = 400_000
"""Parts of boxes that one analysis may look at."""


class TooLarge(Exception):
    """The question needs more work than its bound allows."""


@dataclass(slots=True)
class Budget:
    """Work that is left, in parts of boxes looked at."""

    steps: int = STEPS

    def spend(self) -> None:
        """Count one part. Raises ``TooLarge`` when nothing is left."""
        self.steps -= 1
        if self.steps < 0:
            raise TooLarge


def meet(one: Box, other: Box) -> Box | None:
    """The common part of two boxes, or None where they do not touch."""
    found = tuple(a & b for a, b in zip(one, other, strict=True))
    return None if 0 in found else found


def within(inner: Box, outer: Box) -> bool:
    """Whether ``outer`` takes all of ``inner``."""
    return not any(a & ~b for a, b in zip(inner, outer, strict=True))


def find(box: Box, holes: Sequence[Box], budget: Budget) -> Box | None:
    """A part of ``box`` outside all ``holes``, or None when they cover it.

    Exact. Raises ``TooLarge`` when ``budget`` runs out first.
    """
    if 0 in box:
        return None
    stack: list[tuple[Box, Sequence[Box]]] = [(box, holes)]
    while stack:
        part, candidates = stack.pop()
        budget.spend()
        touching = [hole for hole in candidates if _touch(part, hole)]
        if not touching:
            return part
        hole, cuts = _fewest_cuts(part, touching)
        if not cuts:
            continue
        parts = []
        rest = list(part)
        for axis in cuts:
            outside = rest[axis] & ~hole[axis]
            parts.append((*rest[:axis], outside, *rest[axis + 1 :]))
            rest[axis] &= hole[axis]
        # The first part is looked at first: it is the largest.
        stack.extend((piece, touching) for piece in reversed(parts))
    return None


def _touch(one: Box, other: Box) -> bool:
    return all(a & b for a, b in zip(one, other, strict=True))


def _fewest_cuts(part: Box, holes: Sequence[Box]) -> tuple[Box, list[int]]:
    """The hole that leaves the fewest pieces, and the axes along which it is to be cut out."""
    best: tuple[Box, list[int]] | None = None
    for hole in holes:
        cuts = [n for n, (a, b) in enumerate(zip(part, hole, strict=True)) if a & ~b]
        if best is None or len(cuts) < len(best[1]):
            best = (hole, cuts)
            if len(cuts) <= 1:
                break
    assert best is not None
    return best
