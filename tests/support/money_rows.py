"""Payments and transfers in memory, as plans see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.refunds import (
    TransferRecord,
)

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


DAY = timedelta(days=1)


def payment(number: int, captured: int, **more: Any) -> PaymentRecord:
    found = PaymentRecord(
        id=UUID(int=number),
        external_id=f"p{number}",
        position=number,
        gateway="card",
        provider="stripe",
        account="card",
        provider_payment_id=f"pi_{number}",
        currency="EUR",
        captured=captured,
        reserved=0,
        refunded=0,
        external=0,
        disputed=0,
    )
    return replace(found, **more)


def transfer(state: str = "queued", **more: Any) -> TransferRecord:
    values = {"attempt": 1, "lookups": 0, "first_sent_at": None, "amount_minor": 100} | more
    return TransferRecord(
        id=UUID(int=1),
        refund_id=UUID(int=2),
        payment_id=UUID(int=3),
        currency="EUR",
        state=state,
        **values,
    )
