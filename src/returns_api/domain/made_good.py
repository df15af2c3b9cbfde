"""Units that somebody gave money back for in a dashboard, while they are on their way back here.

Owns which of the units of a line count as those. Refuses to own how many there are
(``db.made_good``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from returns_api.domain.settlement import Claim

ELSEWHERE: Final = "refunded_elsewhere"
"""What settled such a unit; nothing is due for it."""

Unit = tuple[str, int]
"""A line's external id and a unit number."""


def less_elsewhere(
    claims: Sequence[Claim], elsewhere: Mapping[str, int], given: Collection[Unit] = ()
) -> list[Claim]:
    """The same claims, of which as many of a line as were made good ``elsewhere`` count zero: those
    with the smallest deduction, since an empty box is not what somebody gave money back for, and
    none of those ``given``, for which the buyer had new goods before."""
    left, found = dict(elsewhere), dict[Claim, Claim]()
    for claim in sorted(claims, key=lambda each: (not each.came, each.deduction_ppm, -each.unit)):
        if left.get(claim.line, 0) > 0 and (claim.line, claim.unit) not in given:
            left[claim.line] -= 1
            found[claim] = replace(claim, settled_by=ELSEWHERE)
    return [found.get(claim, claim) for claim in claims]
