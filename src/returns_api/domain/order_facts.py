"""How what is known of an order and its buyer becomes the facts that a policy decides about.

Refuses to own what facts mean (``policy.facts``) and which units are left (``units_left``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from returns_api.domain.allocation import Certificate
from returns_api.domain.order_record import BuyerHistory, LineRecord, OrderRecord
from returns_api.domain.policy import BuyerHistory as PolicyHistory
from returns_api.domain.policy import Facts
from returns_api.domain.policy.vocabulary import Listed

PPM: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class AskedLine:
    """One line that the buyer wants to send back, and why."""

    line_id: UUID
    quantity: int
    reason: str
    condition: str | None = None


def policy_facts(
    order: OrderRecord,
    line: LineRecord,
    certificate: Certificate,
    history: BuyerHistory,
    asked: AskedLine,
    now: datetime,
) -> Facts:
    """The facts of one line and one reason. The window runs from the line's last parcel (O6)."""
    sold = max(history.units_bought, 1)
    return Facts(
        reason=asked.reason,
        condition=asked.condition,
        currency=order.currency,
        placed_at=order.placed_at,
        asked_at=now,
        sku=line.sku,
        category=line.category,
        vendor=line.vendor,
        tags=frozenset(line.tags) | frozenset(order.tags),
        unit_paid_minor=_first_unit(certificate, line),
        order_paid_minor=certificate.paid_minor,
        discounted=line.discounted,
        country=order.country,
        region=order.region,
        channel=order.channel,
        buyer=PolicyHistory(
            orders_kept=history.orders_kept,
            returns=history.returns,
            return_rate_ppm=min(history.units_returned * PPM // sold, PPM),
            clawbacks=history.clawbacks,
            chargebacks=history.chargebacks,
            account_days=0
            if history.first_order_at is None
            else max((now - history.first_order_at).days, 0),
            orders=history.orders,
            returns_1_day=history.returns_1_day,
            returns_30_days=history.returns_30_days,
            returned_value_30_days_minor=history.returned_value_30_days_minor,
            used_late=history.used_late,
            listed=None if history.listed is None else Listed(history.listed),
        ),
        fulfilled_at=line.last_fulfilled_at,
        delivered_at=line.last_delivered_at if line.all_delivered else None,
        rollout_ppm=history.rollout_ppm,
    )


def _first_unit(certificate: Certificate, line: LineRecord) -> int:
    if not certificate.has_line(line.external_id) or not certificate.line_units(line.external_id):
        return 0
    return certificate.unit_paid(line.external_id, 1)
