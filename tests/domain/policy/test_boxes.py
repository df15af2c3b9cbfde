"""The search for a point outside boxes, against trying every point."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.domain.policy.boxes import Box, Budget, TooLarge, find, meet, within

SIZES = (3, 2, 3)
_BOX = st.tuples(*(st.integers(1, (1 << size) - 1) for size in SIZES))


def points(box: Box) -> set[tuple[int, ...]]:
    axes = [
        [n for n in range(size) if mask >> n & 1] for mask, size in zip(box, SIZES, strict=True)
    ]
    return set(product(*axes))


@given(_BOX, st.lists(_BOX, max_size=6))
def test_a_part_is_found_exactly_when_there_is_one(box: Box, holes: list[Box]) -> None:
    left = points(box).difference(*(points(hole) for hole in holes))
    part = find(box, holes, Budget())
    assert (part is None) == (not left)
    if part is not None:
        assert points(part) <= left


@given(_BOX, _BOX)
def test_the_common_part_is_what_both_have(one: Box, other: Box) -> None:
    both = meet(one, other)
    assert (points(both) if both else set()) == points(one) & points(other)
    assert within(one, other) == (points(one) <= points(other))


def test_a_question_beyond_its_bound_is_not_answered() -> None:
    size = 20
    full = tuple([3] * size)
    holes = [(*full[:n], 1, *full[n + 1 : n + 2 and size]) for n in range(size)]
    holes = [tuple(hole) for hole in holes if len(hole) == size]
    with pytest.raises(TooLarge):
        find(full, holes, Budget(3))
    assert find(full, holes, Budget()) == tuple([2] * size)
