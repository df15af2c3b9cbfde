"""The sound document that all others are made from, and what is said of one that is not sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from returns_api.domain.policy import Decision, Facts, Policy
from returns_api.domain.policy.findings import Finding

HEADER = """\
policy: returns-policy/v1
name: Planted
timezone: Europe/Berlin
currency: EUR
markets: [CH]
"""

HOUSE = """\
  - id: house
    resolutions: {refund: 30 days, exchange: 60 days}
    starts: [delivered, fulfilled + 7 days]
    return_shipping: free
    original_shipping: refund
    restocking_fee: 0%
    grades: {used_worn: 30%}
    evidence: none
    methods: [post, dropoff]
    approval: auto
    ship_within: 14 days
    inspect_within: 2 days
    refund_at: inspection
    refund_within: 5 days
"""

TIERS = "tiers:\n  - {tier: gold, orders_kept: {min: 5}}\n"

Shows = Callable[[Policy, Finding, Facts, Decision], bool]


@dataclass(frozen=True, slots=True)
class Planted:
    """A document, the code of the finding it must give, its place, and what its witness shows."""

    name: str
    text: str
    code: str
    path: str
    shows: Shows
    also: tuple[str, ...] = ()
    """Other findings that cannot be avoided beside the planted one."""


def doc(rules: str = "", *, header: str = "", house: str = HOUSE, market: str = "CH") -> str:
    """A document: ``rules`` stand above the house rule."""
    return f"{HEADER.replace('[CH]', f'[{market}]')}{header}rules:\n{rules}{house}"
