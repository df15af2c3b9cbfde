"""The payments of an order as tenders: how a sum is drained over them, one after the other.

Refuses to own their order (``refunds.tenders``) and what is left of each (``refundable``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tender:
    """A payment and what is left of it, in minor units."""

    id: str
    refundable_minor: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money to send back along one tender."""

    tender: str
    amount_minor: int


def drain(amount_minor: int, tenders: Sequence[Tender]) -> tuple[tuple[Transfer, ...], int]:
    """Take ``amount_minor`` from the tenders in order; the second value is what none covers."""
    transfers = []
    for tender in tenders:
        taken = min(amount_minor, max(tender.refundable_minor, 0))
        if taken > 0:
            transfers.append(Transfer(tender.id, taken))
            amount_minor -= taken
    return tuple(transfers), amount_minor
