"""An order as the database has it: what quotes, decisions and pages are made from.

Owns the shape; refuses to own how it is read (``db.orders``) and what a platform said
(``domain.orders``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.domain.orders import LineKind
from returns_api.domain.refundable import overdrawn, refundable


@dataclass(frozen=True, slots=True)
class ParcelRecord:
    """One outbound parcel. ``quantities`` is units per line id."""

    id: UUID
    external_id: str
    carrier: str | None
    tracking_codes: tuple[str, ...]
    shipped_at: datetime | None
    delivered_at: datetime | None
    cancelled: bool
    quantities: Mapping[UUID, int]


@dataclass(frozen=True, slots=True)
class LineRecord:
    """One order line with every counter that binds what can come back."""

    id: UUID
    external_id: str
    position: int
    kind: LineKind
    title: str
    sku: str | None
    product_id: str | None
    variant_id: str | None
    vendor: str | None
    category: str | None
    tags: tuple[str, ...]
    weight_grams: int | None
    shippable: bool
    unit_price_minor: int
    discounted: bool
    ordered: int
    removed: int
    shipped: int
    delivered: int
    outside_returned: int
    claimed: int
    claimed_units: tuple[int, ...]
    """Numbers of the units that returns and cancellations hold, ascending."""
    first_fulfilled_at: datetime | None
    last_fulfilled_at: datetime | None
    last_delivered_at: datetime | None
    """The latest delivery among the line's parcels; see ``all_delivered``."""
    all_delivered: bool
    """Every parcel that carries units of this line was delivered, and there is one."""
    cancelled: int = 0
    """Units that are not to be sent, beside those that the platform took out."""
    outside_cancelled: int = 0
    """Units that were paid back elsewhere before they were sent."""

    @property
    def wanted(self) -> int:
        """Units that are bought for good, sent or to be sent, as far as anybody said."""
        return self.ordered - self.removed - self.cancelled - self.outside_cancelled

    @property
    def left(self) -> int:
        """Units that can still be claimed: what the database's guard will let through."""
        bound = min(self.wanted, self.shipped)
        return max(0, bound - self.outside_returned - self.claimed)


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """One tender and what became of its money, in minor units of ``currency``."""

    id: UUID
    external_id: str
    position: int
    gateway: str
    provider: str
    account: str
    provider_payment_id: str | None
    currency: str
    captured: int
    reserved: int
    refunded: int
    external: int
    disputed: int
    exchanged: int = 0
    """What new goods drew on: it stays with the shop and is not refundable."""

    @property
    def unconnected(self) -> bool:
        """Whether no payment account stands behind it: a shop platform told it, nobody else."""
        return self.provider == "shop" or self.provider_payment_id is None

    @property
    def refundable(self) -> int:
        """What may still be reserved; never negative, though outside facts may exceed captured."""
        held = self.reserved + self.exchanged
        return refundable(self.captured, held, self.refunded, self.external, self.disputed)

    @property
    def overdrawn(self) -> int:
        """By how much all that left, is promised or is blocked exceeds what was captured."""
        held = self.reserved + self.exchanged
        return overdrawn(self.captured, held, self.refunded, self.external, self.disputed)


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """A stored order at one moment (one statement, one snapshot)."""

    id: UUID
    source: str
    external_id: str
    number: str
    customer_key: bytes | None
    placed_at: datetime
    platform_updated_at: datetime
    currency: str
    taxes_included: bool
    total_minor: int
    tags: tuple[str, ...]
    flags: tuple[str, ...]
    channel: str | None
    country: str | None
    region: str | None
    locale: str | None
    financial_status: str | None
    cancelled_at: datetime | None
    returns_opened: int
    version: int
    created_at: datetime
    updated_at: datetime
    lines: tuple[LineRecord, ...]
    parcels: tuple[ParcelRecord, ...]
    payments: tuple[PaymentRecord, ...]
    certificate_version: int
    certificate_digest: str
    certificate: Mapping[str, Any]
    """The stored form of the newest certificate; ``domain.allocation.from_json`` reads it."""

    def line(self, line_id: UUID) -> LineRecord | None:
        return next((line for line in self.lines if line.id == line_id), None)


@dataclass(frozen=True, slots=True)
class BuyerHistory:
    """What the same customer did in this shop before ``before``, over the newest orders; what went
    wrong with their money, over all of them until now.

    Counts only; a person is known by a keyed hash. All zero when the order names no customer, and
    no place in roll-outs.
    """

    orders: int = 0
    orders_kept: int = 0
    """Orders without any return and without an outside return, not cancelled."""
    returns: int = 0
    units_bought: int = 0
    units_returned: int = 0
    chargebacks: int = 0
    clawbacks: int = 0
    """Fast refunds of which something had to be asked back, or was written off."""
    first_order_at: datetime | None = None
    rollout_ppm: int | None = None
    """See ``policy.facts.rollout_place``."""
    returns_1_day: int = 0
    returns_30_days: int = 0
    returned_value_30_days_minor: int = 0
    """These three: see ``policy.facts.BuyerHistory``; over all orders until now."""
    used_late: int = 0
    listed: str | None = None
    """The list of the shop that the buyer is on now, by either of their keyed hashes."""
