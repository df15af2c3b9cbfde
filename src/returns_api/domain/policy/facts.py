"""The facts a decision is made from: one order line, one reason, one moment.

Owns the record and its JSON form; a stored form gives the same facts back, for ever. Refuses to own
where facts come from. No personal data: the buyer is a history of numbers, the place a country and
a region.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from returns_api.domain.errors import Invalid
from returns_api.domain.policy.vocabulary import PPM


@dataclass(frozen=True, slots=True)
class BuyerHistory:
    """What a shop knows about a buyer, as of the decision. ``return_rate_ppm``: returned / kept."""

    orders_kept: int = 0
    returns: int = 0
    return_rate_ppm: int = 0
    clawbacks: int = 0
    chargebacks: int = 0
    account_days: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a rule or a law may look at.

    ``condition`` is the grade that the buyer claims. Amounts are minor units of ``currency``:
    ``unit_paid_minor`` for one unit of the line after discounts, ``order_paid_minor`` for all of
    the order. ``delivered_at`` is the delivery of the last parcel of the line. ``region`` is the
    part after the country of an ISO 3166-2 code (``CA`` in ``US-CA``). ``informed`` is False where
    the shop cannot show that the buyer was told of the right to withdraw or of the return terms.
    ``rollout_ppm`` is the buyer's fixed place in roll-outs (``rollout_place``), None for a guest.
    """

    reason: str
    currency: str
    placed_at: datetime
    asked_at: datetime
    condition: str | None = None
    sku: str | None = None
    category: str | None = None
    vendor: str | None = None
    tags: frozenset[str] = frozenset()
    unit_paid_minor: int = 0
    order_paid_minor: int = 0
    discounted: bool = False
    country: str | None = None
    region: str | None = None
    channel: str | None = None
    buyer: BuyerHistory = field(default_factory=BuyerHistory)
    fulfilled_at: datetime | None = None
    delivered_at: datetime | None = None
    buyer_timezone: str | None = None
    informed: bool = True
    rollout_ppm: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data; ``from_json`` gives equal facts back (times in UTC)."""
        found: dict[str, Any] = {}
        for item in fields(self):
            found[item.name] = fact_json(getattr(self, item.name))
        return found

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Facts:
        """Facts from stored or uploaded data. Raises ``Invalid`` naming the first bad field."""
        if not data.keys() <= _READERS.keys():
            raise _bad(str(next(name for name in data if name not in _READERS)), "is not a fact")
        values: dict[str, Any] = {
            name: None if value is None and name in _NULLABLE else _READERS[name](name, value)
            for name, value in data.items()
        }
        for name in _NEEDED:
            if name not in values:
                raise _bad(name, "is missing")
        return Facts(**values)


def fact_json(value: object) -> Any:
    """One fact as plain data."""
    if isinstance(value, datetime):
        return time_json(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, BuyerHistory):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    return value


def time_json(value: datetime) -> str:
    """An instant in UTC: ``2026-11-21T09:12:44Z``, with fractions only where there are some."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def rollout_place(shop_salt: str, buyer_key: str) -> int:
    """A buyer's place in all roll-outs of a shop, 0 to 999 999; the same for ever.

    A rule with ``rollout: 25%`` takes the places below 250 000, so raising the share only adds
    buyers. ``buyer_key`` should be a keyed hash, not an address.
    """
    digest = sha256(f"returns-policy/rollout\0{shop_salt}\0{buyer_key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % PPM


_NEEDED: Final = ("reason", "currency", "placed_at", "asked_at")
_NULLABLE: Final = frozenset(
    {"condition", "sku", "category", "vendor", "country", "region", "channel", "fulfilled_at",
     "delivered_at", "buyer_timezone", "rollout_ppm"}
)  # fmt: skip


def _text(name: str, value: Any) -> str:
    if isinstance(value, str) and len(value) <= 500:
        return value
    raise _bad(name, "is not a text")


def _count(name: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**15:
        return value
    raise _bad(name, "is not a whole number from 0")


def _flag(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _bad(name, "is not true or false")


def _tags(name: str, value: Any) -> frozenset[str]:
    if isinstance(value, list | tuple | frozenset) and all(isinstance(t, str) for t in value):
        return frozenset(value)
    raise _bad(name, "is not a list of texts")


def _time(name: str, value: Any) -> datetime:
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise _bad(name, "has no time zone; write 2026-11-21T09:12:44Z")
        return found if found.tzinfo is UTC else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _bad(name, "is not a time such as 2026-11-21T09:12:44Z") from None


_OF_BUYER: Final = frozenset(item.name for item in fields(BuyerHistory))


def _history(name: str, value: Any) -> BuyerHistory:
    if isinstance(value, BuyerHistory):
        return value
    if not isinstance(value, Mapping) or not value.keys() <= _OF_BUYER:
        raise _bad(name, f"is not an object with {', '.join(sorted(_OF_BUYER))}")
    for part, number in value.items():
        if type(number) is not int or not 0 <= number <= 10**15:
            _count(f"{name}.{part}", number)
    return BuyerHistory(**value)


_READERS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    **dict.fromkeys((item.name for item in fields(Facts)), _text),
    **dict.fromkeys(("placed_at", "fulfilled_at", "delivered_at", "asked_at"), _time),
    **dict.fromkeys(("unit_paid_minor", "order_paid_minor", "rollout_ppm"), _count),
    **dict.fromkeys(("discounted", "informed"), _flag),
    "tags": _tags,
    "buyer": _history,
}
"""How each fact is read from plain data."""


def _bad(name: str, what: str) -> Invalid:
    detail = f"The fact {name[:60]} {what}."
    return Invalid(detail, errors=[{"field": f"facts.{name[:60]}", "message": detail}])
