"""What an entry can be about: the rows whose facts the books tell, by their ids and currency."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Captured:
    """How much more (or, below zero, less) of a payment is captured than was known."""

    payment_id: UUID
    delta_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Moved:
    """How much more (or less) of a payment an outside fact takes than it did before.

    ``kind`` is ``refund`` or ``dispute``.
    """

    fact_id: UUID
    order_id: UUID | None
    payment_id: UUID
    kind: str
    delta_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class RefundRef:
    """The refund that an entry is about."""

    id: UUID
    order_id: UUID
    kind: str
    currency: str


@dataclass(frozen=True, slots=True)
class RecoveryRef:
    """The recovery that an entry is about."""

    id: UUID
    order_id: UUID
    currency: str


@dataclass(frozen=True, slots=True)
class ReturnRef:
    """The return that an entry is about."""

    id: UUID
    order_id: UUID
    currency: str


@dataclass(frozen=True, slots=True)
class ExchangeRef:
    """The exchange that an entry is about."""

    id: UUID
    order_id: UUID
    currency: str


@dataclass(frozen=True, slots=True)
class RepairRef:
    """The repair that an entry is about."""

    id: UUID
    order_id: UUID
    currency: str


@dataclass(frozen=True, slots=True)
class ClaimRef:
    """The transport claim that an entry is about."""

    id: UUID
    order_id: UUID
    currency: str
