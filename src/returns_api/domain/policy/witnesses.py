"""Boxes back as concrete cases: facts that lie in a given part of the space and look real.

Owns the choice of a witness. Refuses to own the space (``geometry``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from returns_api.domain.policy.boxes import Box
from returns_api.domain.policy.facts import BuyerHistory, Facts
from returns_api.domain.policy.geometry import SCALARS, Geometry
from returns_api.domain.policy.space import DayAxis, NumberAxis, bits
from returns_api.domain.policy.vocabulary import DEFAULT_TIER, PPM

_A_MOMENT: Final = datetime(2026, 3, 2, 10, tzinfo=UTC)
"""When witnesses order, unless a rule asks for another day."""


def witness(geometry: Geometry, box: Box) -> Facts:
    """A case in ``box``: the plainest value on every axis, delivered and asked for in time."""
    axes = geometry.axes
    first = {name: _plainest(geometry.mask(box, name), name) for name in SCALARS}
    currency, unit, order = geometry.money.sample(first["money"])
    country, region = axes.place.sample(first["place"])
    placed = _moment(axes.day, first["day"])
    reason = axes.reason.sample(first["reason"])
    return Facts(
        reason=reason or "",
        currency=currency,
        placed_at=placed,
        asked_at=placed + timedelta(days=5),
        fulfilled_at=placed + timedelta(days=1),
        delivered_at=placed + timedelta(days=3),
        condition=axes.condition.sample(first["condition"]),
        sku=axes.words["sku"].sample(first["sku"]),
        category=axes.words["category"].sample(first["category"]),
        vendor=axes.words["vendor"].sample(first["vendor"]),
        tags=geometry.tags_of(box),
        unit_paid_minor=unit,
        order_paid_minor=order,
        discounted=first["discounted"] == 1,
        country=country,
        region=region,
        channel=axes.channel.sample(first["channel"]),
        buyer=geometry.histories.of_tier(
            axes.tier.sample(first["tier"]) or DEFAULT_TIER, BuyerHistory()
        ),
        informed=first["informed"] == 1,
        rollout_ppm=_rollout(axes.rollout, first["rollout"]),
    )


def _rollout(axis: NumberAxis, atom: int) -> int | None:
    low = axis.bounds(atom)[0]
    return low if low < PPM else None


def _moment(axis: DayAxis, atom: int) -> datetime:
    low, high = axis.bounds(atom)
    if (low is None or low <= _A_MOMENT) and (high is None or high > _A_MOMENT):
        return _A_MOMENT
    if low is not None:
        return low
    assert high is not None
    return high - timedelta(days=1)


def _plainest(mask: int, name: str) -> int:
    """The atom that makes the plainest case: informed, a place if any, otherwise the first."""
    found = bits(mask)
    if name == "informed":
        return found[-1]
    if name == "place":
        return next((atom for atom in found if atom), 0)
    if name == "rollout":
        return found[-1]
    return found[0]
