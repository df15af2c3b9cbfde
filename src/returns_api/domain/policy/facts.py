"""The facts a decision is made from: one order line, one reason, one moment.

Owns the record and its JSON form; a stored form gives the same facts back, for ever. Refuses to own
where facts come from. No personal data: the buyer is a history of numbers, the place a country and
a region.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from returns_api.domain.errors import Invalid
from returns_api.domain.policy.vocabulary import PPM, Listed


@dataclass(frozen=True, slots=True)
class BuyerHistory:
    """What a shop knows about a buyer, as of the decision. ``return_rate_ppm``: returned / kept.

    ``orders`` are all that were placed before. ``returns_1_day`` and ``returns_30_days`` were
    opened in the 24 hours and 30 days before the question, neither rejected, canceled nor expired;
    ``returned_value_30_days_minor`` is what the latter promised, in the currency of the case.
    ``used_late`` are returns from the last third of their window whose goods came back used.
    """

    orders_kept: int = 0
    returns: int = 0
    return_rate_ppm: int = 0
    clawbacks: int = 0
    chargebacks: int = 0
    account_days: int = 0
    orders: int = 0
    returns_1_day: int = 0
    returns_30_days: int = 0
    returned_value_30_days_minor: int = 0
    used_late: int = 0
    listed: Listed | None = None

    def unburdened(self) -> BuyerHistory:
        """The same buyer as if nothing had come back and nothing gone wrong."""
        return replace(self, returns=0, return_rate_ppm=0, clawbacks=0, chargebacks=0)

    def to_json(self) -> dict[str, Any]:
        """Plain data. What signals look at stands there only where it says something."""
        more = {name: value for name in _OF_SIGNALS if (value := getattr(self, name))}
        listed = {} if self.listed is None else {"listed": self.listed.value}
        return {**told(self), **more, **listed}


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
        found["buyer"] = self.buyer.to_json()
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
        return told(value)
    return value


def told(buyer: BuyerHistory) -> dict[str, int]:
    """What a decision tells of a buyer: what tiers are made from, and no signal."""
    return {name: getattr(buyer, name) for name in TOLD}


def for_the_buyer(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Stored facts of one line without what is for the shop's staff alone: its signals."""
    buyer = stored.get("buyer", {})
    return {**stored, "buyer": {name: buyer[name] for name in TOLD if name in buyer}}


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


TOLD: Final = (
    "orders_kept", "returns", "return_rate_ppm", "clawbacks", "chargebacks", "account_days",
)  # fmt: skip
_OF_SIGNALS: Final = tuple(item.name for item in fields(BuyerHistory) if item.name not in TOLD)
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
        if part != "listed" and (type(number) is not int or not 0 <= number <= 10**15):
            _count(f"{name}.{part}", number)
    return BuyerHistory(**{**value, "listed": _listed(f"{name}.listed", value.get("listed"))})


def _listed(name: str, value: Any) -> Listed | None:
    try:
        return None if value is None else Listed(value)
    except ValueError:
        raise _bad(name, "is not one of: allow, block") from None


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
