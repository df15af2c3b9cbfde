"""Random policy documents and cases, small enough to enumerate and mean enough to find bugs.

Documents are plain data, as an author would write them; nothing here imports the engine but its
vocabulary. The same seed gives the same document and case for ever. Conditions use few names, so
that rules overlap, shadow and exclude each other often.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

REASONS = ("changed_mind", "defective", "damaged_in_transit", "size_too_small")
CONDITIONS = ("sealed", "opened_unused", "used_worn", "damaged_buyer")
PLACES = ("DE", "FR", "GB", "US", "US-CA", "CN", "KR", "BR", "AU", "JP", "TW", "US-NY", "CH")
TAGS = ("final-sale", "hygiene", "engraved")
CATEGORIES = ("Shoes", "Shoes/Boots", "Gift Cards", "Shirts")
PATTERNS = ("Shoes*", "Shoes/Boots", "Gift*", "Shirts")
CHANNELS = ("web", "app", "store")
PRICES = (0, 1, 499, 999, 1000, 4999, 5000, 20000, 50000)
MONEY = ("10.00", "50.00", "200.00")
FIRST_DAY = datetime(2025, 12, 20, tzinfo=UTC)

Plain = dict[str, Any]


def document(
    random: Random,
    rules: int | None = None,
    *,
    complete: bool = False,
    axes: tuple[str, ...] | None = None,
) -> Plain:
    """A random document. ``complete`` ends it with a rule that sets every term.

    ``axes`` are the only conditions that rules use; None for all.
    """
    tiers = _tiers(random)
    found: Plain = {
        "policy": "returns-policy/v1",
        "name": "Random",
        "timezone": random.choice(("Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC")),
        "day_ends": random.choice(("shop", "shop", "buyer")),
        "currency": random.choice((["EUR"], ["EUR"], ["EUR", "USD"])),
        "tiers": tiers,
        "goods": {
            "gift": {"category": ["Gift*"]},
            "custom_made": {"tags": ["engraved"]},
            "sealed_hygiene": {"tags": ["hygiene"], "category": ["Shirts"]},
            "sealed_media": {"category": ["Shoes/Boots"]},
        },
    }
    count = random.randint(2, 7) if rules is None else rules
    names = [tier["tier"] for tier in tiers] + ["standard"]
    found["rules"] = [_rule(random, n, names, found["currency"], axes) for n in range(count)]
    if complete:
        found["rules"].append({"id": "house", **_all_terms(random, found["currency"])})
    return found


def _tiers(random: Random) -> list[Plain]:
    found: list[Plain] = []
    for name in ("gold", "silver")[: random.randint(0, 2)]:
        tier: Plain = {"tier": name}
        if random.random() < 0.7:
            tier["orders_kept"] = {"min": random.choice((1, 3, 5))}
        if random.random() < 0.5:
            tier["return_rate"] = {"max": random.choice(("10%", "25%"))}
        if random.random() < 0.3:
            tier["clawbacks"] = {"max": 0}
        found.append(tier)
    return found


def _rule(
    random: Random,
    number: int,
    tiers: list[str],
    currencies: list[str],
    axes: tuple[str, ...] | None,
) -> Plain:
    rule: Plain = {"id": f"r{number}"}
    when = _when(random, tiers, axes)
    if when:
        rule["when"] = when
    terms = _all_terms(random, currencies)
    for name in random.sample(sorted(terms), random.randint(1, 4)):
        rule[name] = terms[name]
    if random.random() < 0.25:
        rule.pop("resolutions", None)
        rule["refuse"] = random.choice(("final_sale", "no_returns", "never"))
    return rule


def _some(random: Random, words: tuple[str, ...] | list[str]) -> Any:
    picked = random.sample(list(words), random.randint(1, min(2, len(words))))
    return {"not": picked} if random.random() < 0.2 else picked


def _set(random: Random, words: tuple[str, ...]) -> Any:
    picked = random.sample(words, random.randint(1, 2))
    return random.choice((picked, {"none": picked}, {"all": picked}, {"any": picked[:1]}))


def _range(random: Random) -> Plain:
    low, high = sorted(random.sample(range(len(MONEY)), 2))
    return random.choice(
        (
            {"min": MONEY[low]},
            {"below": MONEY[high]},
            {"above": MONEY[low], "max": MONEY[high]},
            {"max": MONEY[low]},
        )
    )


def _when(random: Random, tiers: list[str], axes: tuple[str, ...] | None) -> Plain:
    makers: dict[str, Any] = {
        "reason": lambda: _some(random, REASONS),
        "fault": lambda: _some(random, ("buyer", "merchant", "carrier")),
        "condition": lambda: _some(random, (*CONDITIONS, "unknown")),
        "goods": lambda: _set(random, ("gift", "custom_made", "sealed_hygiene")),
        "tags": lambda: _set(random, TAGS),
        "category": lambda: _some(random, PATTERNS),
        "unit_price": lambda: _range(random),
        "order_value": lambda: _range(random),
        "place": lambda: _some(random, (*PLACES, "EU")),
        "channel": lambda: _some(random, CHANNELS),
        "tier": lambda: _some(random, tiers),
        "placed": lambda: _days(random),
        "discounted": lambda: random.random() < 0.5,
        "rollout": lambda: random.choice(("25%", "50%")),
    }
    allowed = sorted(makers if axes is None else axes)
    wanted = random.choice((0, 1, 1, 1, 2, 2, 3))
    names = random.sample(allowed, min(wanted, len(allowed)))
    return {name: makers[name]() for name in names}


def _days(random: Random) -> Plain:
    return random.choice(
        (
            {"from": "2026-01-01"},
            {"until": "2025-12-31"},
            {"from": "2025-12-24", "until": "2026-01-06"},
        )
    )


def _amount(random: Random, currencies: list[str]) -> Any:
    text = random.choice(("4.90", "0.00", "12.50"))
    return text if len(currencies) == 1 else dict.fromkeys(currencies, text)


def _window(random: Random) -> str:
    return random.choice(
        ("5 days", "7 days", "10 business days", "30 days", "2 months", "1 year", "unlimited",
         "until 2026-01-31")
    )  # fmt: skip


def _all_terms(random: Random, currencies: list[str]) -> Plain:
    resolutions = {"refund": _window(random)}
    if random.random() < 0.5:
        resolutions["exchange"] = _window(random)
    if random.random() < 0.3:
        resolutions["repair"] = _window(random)
    shares = ("full", "10%", "30%", "100%", "refused")
    fees = {kind: _amount(random, currencies) for kind in ("post", "pickup")}
    limits = {kind: _amount(random, currencies) for kind in ("per_buyer", "per_day")}
    advance = {"at": "first_scan", **limits, "recover_within": "21 days"}
    slow = {"respond_within": "30 days", "on_silence": "reject"}
    quick = {"respond_within": "48 hours", "on_silence": "approve"}
    choices: Plain = {
        "starts": (["delivered", "fulfilled + 7 days"], ["placed"], ["delivered"],
                   ["fulfilled", "placed + 3 days"]),
        "extend_to": ("2026-01-31", "2026-02-15"),
        "return_shipping": ("free", "own_cost", _amount(random, currencies), fees),
        "original_shipping": ("refund", "keep"),
        "restocking_fee": ("0%", "10%", "15%"),
        "evidence": ("none", {"photo": 1}, {"photo": 2, "video": 1}),
        "methods": (["post"], ["post", "pickup"], ["in_store", "post"]),
        "approval": ("auto", quick, slow),
        "ship_within": ("7 days", "14 days", "21 days"),
        "inspect_within": ("2 days", "5 days"),
        "refund_at": ("inspection", "receipt", advance),
        "refund_within": ("2 days", "5 days", "20 days"),
    }  # fmt: skip
    grades = {grade: random.choice(shares) for grade in random.sample(CONDITIONS, 2)}
    picked = {name: random.choice(values) for name, values in choices.items()}
    return {"resolutions": resolutions, "grades": grades, **picked}


def case(random: Random, currencies: tuple[str, ...] = ("EUR",)) -> Plain:
    """A random case as plain facts, often at an edge of something."""
    placed = FIRST_DAY + timedelta(days=random.randint(0, 20), hours=random.randint(0, 23))
    fulfilled = placed + timedelta(days=random.randint(0, 3)) if random.random() < 0.95 else None
    delivered = None
    if fulfilled is not None and random.random() < 0.9:
        delivered = fulfilled + timedelta(
            days=random.randint(0, 9), minutes=random.randint(0, 1439)
        )
    last = delivered or fulfilled or placed
    waited = random.choice(
        (0, 1, 5, 6, 7, 8, 10, 13, 14, 15, 20, 29, 30, 31, 60, 90, 200, 364, 500)
    )
    asked = last + timedelta(days=waited, minutes=random.randint(0, 1439))
    unit = random.choice(PRICES)
    place = random.choice((*PLACES, None))
    country, _, region = (place or "").partition("-")
    return {
        "reason": random.choice(REASONS),
        "currency": random.choice(currencies),
        "placed_at": placed.isoformat(),
        "asked_at": asked.isoformat(),
        "condition": random.choice((None, None, *CONDITIONS)),
        "category": random.choice((None, *CATEGORIES)),
        "tags": sorted(random.sample(TAGS, random.choice((0, 0, 1, 2)))),
        "unit_paid_minor": unit,
        "order_paid_minor": max(unit, random.choice(PRICES)),
        "discounted": random.random() < 0.5,
        "country": country or None,
        "region": region or None,
        "channel": random.choice((None, *CHANNELS)),
        "buyer": {
            "orders_kept": random.choice((0, 1, 2, 3, 5, 9)),
            "return_rate_ppm": random.choice((0, 100_000, 100_001, 250_000, 900_000)),
            "clawbacks": random.choice((0, 0, 1)),
        },
        "fulfilled_at": fulfilled.isoformat() if fulfilled else None,
        "delivered_at": delivered.isoformat() if delivered else None,
        "buyer_timezone": random.choice((None, "Asia/Tokyo", "America/Los_Angeles", "No/Where")),
        "informed": random.random() < 0.8,
        "rollout_ppm": random.choice((None, 0, 249_999, 250_000, 500_000, 999_999)),
    }
