"""Single changes of a case: what an explanation is made of.

Owns ``Change``, which carries the new facts as data so that anybody can apply it, and the order in
which changes count as small. Refuses to own which changes help (``singles``, ``search``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from returns_api.domain.policy.axes import PRODUCT_WORDS
from returns_api.domain.policy.facts import Facts, fact_json

AXES: Final = (
    "asked_at", "reason", "condition", "tier", "order_paid_minor", "unit_paid_minor", "discounted",
    "tags", *PRODUCT_WORDS, "channel", "placed_at", "rollout_ppm", "place", "currency", "informed",
)  # fmt: skip
"""The order in which changes count as small: the buyer's doing, then the goods, then the place."""

RANK: Final = {axis: number for number, axis in enumerate(AXES)}
BUYERS: Final = frozenset({"asked_at", "reason", "condition", "tier"})
GOODS: Final = frozenset({"tags", *PRODUCT_WORDS})

_NAMES: Final = tuple(field.name for field in fields(Facts))
_ALL: Final = attrgetter(*_NAMES)
_INDEX: Final = {name: position for position, name in enumerate(_NAMES)}
_LATER: Final = ("fulfilled_at", "delivered_at", "asked_at")


@dataclass(frozen=True, slots=True)
class Change:
    """One change: ``facts`` are the facts it sets, as plain data.

    ``key`` names the phrase for it and ``shown`` is the value in that phrase, before translation.
    """

    axis: str
    facts: Mapping[str, Any]
    key: str
    shown: str

    @property
    def kind(self) -> str:
        """Whose doing it is: ``buyer``, ``order`` or ``item``."""
        return "buyer" if self.axis in BUYERS else "item" if self.axis in GOODS else "order"


@dataclass(frozen=True, slots=True)
class Option:
    """Another part of one axis of the fact space, entered by the closest value in it.

    ``axes`` are the axes (``AXES``) that change, ``data`` the facts as values, ``parts`` the phrase
    and its value for each of ``axes``. ``far``: only where nothing else helps. ``until`` is the end
    of the part, for an order that is placed later.
    """

    atom: int
    axes: tuple[str, ...]
    data: Mapping[str, Any]
    parts: tuple[tuple[str, str], ...]
    far: int = 0
    until: datetime | None = None

    @property
    def size(self) -> tuple[int, int, list[int]]:
        """How small the change is, apart from closeness."""
        return self.far, len(self.axes), sorted(RANK[axis] for axis in self.axes)


def changed(facts: Facts, values: Mapping[str, Any]) -> Facts:
    """A copy with other values; quicker than ``dataclasses.replace``."""
    found = list(_ALL(facts))
    for name, value in values.items():
        found[_INDEX[name]] = value
    return Facts(*found)


def placed_on(facts: Facts, placed: datetime) -> dict[str, Any]:
    """The facts of an order that was placed at another time; nothing happens before that."""
    data: dict[str, Any] = {"placed_at": placed}
    for name in _LATER:
        instant: datetime | None = getattr(facts, name)
        if instant is not None and instant < placed:
            data[name] = placed
    return data


def written(options: Sequence[Option], facts: Facts) -> tuple[Change, ...]:
    """Options as changes, in the order of ``AXES``. ``facts`` are those after all of them.

    A fact that several options set has its last value in each of them.
    """
    found = []
    for option in options:
        for axis, (key, shown) in zip(option.axes, option.parts, strict=True):
            names = [name for name in option.data if _belongs(name, axis, option)]
            plain = {name: fact_json(getattr(facts, name)) for name in names}
            found.append(Change(axis, plain, key, shown))
    return tuple(sorted(found, key=lambda change: RANK[change.axis]))


def written_one(option: Option) -> tuple[Change, ...]:
    """A change of one fact."""
    plain = {name: fact_json(value) for name, value in option.data.items()}
    key, shown = option.parts[0]
    return (Change(option.axes[0], plain, key, shown),)


def _belongs(name: str, axis: str, option: Option) -> bool:
    """Whether the fact ``name`` is set by the change on ``axis`` of an option with several."""
    lifted = axis == "unit_paid_minor" and name == "order_paid_minor"
    return len(option.axes) == 1 or name == axis or (lifted and name not in option.axes)
