"""What a buyer may choose of what the policy offers all lines together: resolution and way back.

Refuses to own what the policy offers (``policy``) and what a choice pays (``quotes``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from returns_api.domain.errors import DoesNotFit
from returns_api.domain.exchanges import REFUND, STORE_CREDIT
from returns_api.domain.gifts import NOT_THEIRS
from returns_api.domain.goods_terms import GOODS_COME_BACK
from returns_api.domain.policy import Decision

CARRIED_OUT: Final = frozenset({REFUND, STORE_CREDIT, *GOODS_COME_BACK})
"""Resolutions that this service can carry out; a policy may offer more."""
GOODS_COME: Final = frozenset({"post", "dropoff", "pickup", "locker", "in_store"})
"""Methods by which goods come back: the money follows them."""


def require_resolution(decisions: Sequence[Decision], resolution: str, now: datetime) -> None:
    """Only what can be carried out to its end is promised, whatever else a policy offers.

    Raises:
        DoesNotFit.
    """
    if resolution not in CARRIED_OUT:
        offered = offered_resolutions(decisions, now)
        open_ones = ", ".join(kind for kind in offered if kind in CARRIED_OUT) or "none"
        raise unfit("resolution", f"Offered for these lines: {open_ones}.")


def offered_resolutions(decisions: Sequence[Decision], now: datetime) -> tuple[str, ...]:
    """What every line offers at this moment, in the order of the first."""
    sets = [
        {r.kind.value for r in d.resolutions if r.until is None or r.until >= now}
        for d in decisions
    ]
    common = set.intersection(*sets) if sets else set()
    return tuple(r.kind.value for r in decisions[0].resolutions if r.kind.value in common)


def bonus_ppm(decisions: Sequence[Decision], resolution: str) -> int:
    """What the chosen resolution adds; of several lines the kindest."""
    return max(
        offered.bonus_ppm
        for decision in decisions
        for offered in decision.resolutions
        if offered.kind.value == resolution
    )


def offered_methods(decisions: Sequence[Decision], *, gift: bool) -> list[str]:
    """The ways back that every line offers, in the policy's order; ``gift``: to its recipient."""
    return [
        m.kind.value
        for m in decisions[0].methods
        if m.kind.value in GOODS_COME
        and all(m.kind in {other.kind for other in each.methods} for each in decisions)
        and not (gift and m.kind.value in NOT_THEIRS)
    ]


def chosen_method(common: Sequence[str], method: str | None) -> str:
    """The asked method, or the first that every line offers. Raises: DoesNotFit."""
    if method is None and common:
        return common[0]
    if method is None or method not in common:
        raise unfit("method", f"Offered for these lines: {', '.join(common) or 'none'}.")
    return method


def unfit(name: str, problem: str, value: Any = None) -> DoesNotFit:
    """The refusal of what was asked under ``name``; ``value`` is what of it does not fit."""
    error = {"field": name, "problem": problem}
    return DoesNotFit(problem, errors=[error if value is None else {**error, "value": value}])
