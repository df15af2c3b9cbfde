"""Where an order and its quotes stand in their lifecycle tables, read from what is stored.

Neither has a column for it: an order's state follows from the counters of its lines, a quote's from
its return and the time. Refuses to own what is asked (``quotes``, ``cancelled_units`` …).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from returns_api.domain.cancelled_units import sent_units, unsent_units
from returns_api.domain.order_record import LineRecord, OrderRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.units_left import units_left

QUOTE_EXPIRED: Final = "expired"


def state_of(order: OrderRecord) -> str:
    """A state of ``lifecycle.orders``."""
    if any(unsent_units(line) for line in order.lines):
        return "to_send"
    return "sent" if any(_kept(line) for line in order.lines) else "ended"


def holds_of(order: OrderRecord, now: datetime) -> frozenset[str]:
    """The conditions of ``lifecycle.orders`` that are met."""
    found = {
        "units_here": any(_is_goods(line) and units_left(order, line, now) for line in order.lines),
        "units_to_stop": any(unsent_units(line) for line in order.lines) or _on_a_parcel(order),
        "units_kept": any(_kept(line) for line in order.lines),
        "money_left": any(payment.refundable > 0 for payment in order.payments),
    }
    return frozenset(name for name, met in found.items() if met)


def quote_state(return_id: UUID | None, expires_at: datetime, now: datetime) -> str:
    """A state of ``lifecycle.quotes``."""
    if return_id is not None:
        return "accepted"
    return QUOTE_EXPIRED if expires_at <= now else "offered"


def _is_goods(line: LineRecord) -> bool:
    return line.kind is LineKind.GOODS


def _kept(line: LineRecord) -> bool:
    """Whether a unit of it is bought for good as far as anybody said."""
    return _is_goods(line) and line.wanted > line.outside_returned + line.claimed


def _on_a_parcel(order: OrderRecord) -> bool:
    sent = [each for each in order.parcels if each.shipped_at is not None and not each.cancelled]
    return any(sent_units(line, parcel) for line in order.lines for parcel in sent)
