"""Cases and documents that the policy tests share."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from returns_api.domain.policy import (
    BuyerHistory,
    Decision,
    Facts,
    LoadedPolicy,
    Policy,
    load_policy,
)
from returns_api.domain.policy import compile_policy as compile_

EXAMPLES = Path(__file__).parents[3] / "examples" / "policies"

HEADER = """\
policy: returns-policy/v1
name: Test
timezone: Europe/Berlin
currency: EUR
"""

HOUSE = """\
  - id: house
    resolutions: {refund: 30 days}
    return_shipping: free
    original_shipping: refund
    methods: [post]
    approval: auto
    ship_within: 14 days
    inspect_within: 2 days
    refund_at: inspection
    refund_within: 5 days
"""

BASE = Facts(
    reason="changed_mind",
    currency="EUR",
    placed_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
    fulfilled_at=datetime(2026, 3, 3, 9, tzinfo=UTC),
    delivered_at=datetime(2026, 3, 10, 12, tzinfo=UTC),
    asked_at=datetime(2026, 3, 20, 12, tzinfo=UTC),
    unit_paid_minor=8_900,
    order_paid_minor=12_900,
    buyer=BuyerHistory(),
)


def facts(**changes: Any) -> Facts:
    """The base case with changes."""
    return replace(BASE, **changes)


def document(rules: str = "", header: str = "", house: str = HOUSE) -> str:
    """A document: ``rules`` above the house rule, more header lines below the first ones."""
    return f"{HEADER}{header}rules:\n{rules}{house}"


def loaded(rules: str = "", header: str = "", house: str = HOUSE) -> LoadedPolicy:
    """A document that was read."""
    return load_policy(document(rules, header, house))


def policy(rules: str = "", header: str = "", house: str = HOUSE) -> Policy:
    """A compiled document."""
    return compile_(loaded(rules, header, house))


def utc(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0
) -> datetime:
    """An instant in UTC."""
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def kinds(decision: Decision) -> list[str]:
    return [resolution.kind.value for resolution in decision.resolutions]
