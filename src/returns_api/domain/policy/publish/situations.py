"""What a policy means before purchase: situations a buyer can be in, for one market and product.

Owns the one source of all publications: reasons grouped by what the policy decides for each, by the
same ``decide`` that judges real returns. Text, JSON-LD and data are written from these situations,
so they cannot disagree. Refuses to own wording and vocabularies of others.

The case behind a situation is an ordinary one: delivered today, asked today, a buyer of the default
tier, no claim about the condition, outside every roll-out. Rules that need more than that appear in
the full text only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from returns_api.domain.policy.decisions import Decision, decision_to_json
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.facts import Facts

USUAL_PRICE_MINOR: Final = 5_000
"""The price of a product that is not named; rules about prices appear in the full text."""

_LEFT_OUT: Final = ("terms", "because", "tier", "fault")


@dataclass(frozen=True, slots=True)
class Product:
    """What is known of a product before it is bought."""

    sku: str | None = None
    category: str | None = None
    vendor: str | None = None
    tags: frozenset[str] = frozenset()
    price_minor: int = USUAL_PRICE_MINOR
    discounted: bool = False


@dataclass(frozen=True, slots=True)
class Market:
    """Where and how the buyer buys. ``currency`` None is the policy's first."""

    country: str | None = None
    region: str | None = None
    currency: str | None = None
    channel: str | None = None

    @property
    def name(self) -> str:
        """``US-CA``, ``DE``, or nothing."""
        return "-".join(part for part in (self.country, self.region) if part)


@dataclass(frozen=True, slots=True)
class Situation:
    """Reasons for which the policy decides alike, and that decision."""

    reasons: tuple[str, ...]
    decision: Decision


def case_of(policy: Policy, market: Market, product: Product, at: datetime) -> Facts:
    """The ordinary case of ``product`` in ``market`` for an order placed at ``at``."""
    noon = datetime.combine(at.astimezone(UTC).date(), time(12), UTC)
    return Facts(
        reason="",
        currency=market.currency or policy.document.home_currency,
        placed_at=at,
        fulfilled_at=noon,
        delivered_at=noon + timedelta(minutes=1),
        asked_at=noon + timedelta(minutes=2),
        sku=product.sku,
        category=product.category,
        vendor=product.vendor,
        tags=product.tags,
        unit_paid_minor=product.price_minor,
        order_paid_minor=product.price_minor,
        discounted=product.discounted,
        country=market.country,
        region=market.region,
        channel=market.channel,
    )


def situations(
    policy: Policy, market: Market, product: Product, at: datetime
) -> tuple[Situation, ...]:
    """All reasons of the catalogue, those with the same outcome together, in catalogue order."""
    base = case_of(policy, market, product, at)
    found: dict[str, tuple[list[str], Decision]] = {}
    for code in policy.world.reasons:
        decision = policy.decide(replace(base, reason=code))
        found.setdefault(repr(_felt(decision)), ([], decision))[0].append(code)
    return tuple(Situation(tuple(reasons), decision) for reasons, decision in found.values())


def _felt(decision: Decision) -> dict[str, Any]:
    """The parts of a decision that a reader of the policy would notice."""
    data = decision_to_json(decision)
    codes = [(because["code"], because["rule"]) for because in data["because"]]
    felt = {name: value for name, value in data.items() if name not in _LEFT_OUT}
    windows = [term["value"] for term in data["terms"] if term["term"].startswith("window.")]
    return {**felt, "codes": codes, "windows": windows}
