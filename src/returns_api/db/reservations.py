"""What an order's payments still hold for refunds: locked, read, reserved, counted.

Every write that moves a payment's ``reserved`` and ``refunded`` is ``reserve`` or ``COUNT``.
Refuses to own what was captured (``payments``) and what moved elsewhere (``outside_facts``).
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Uuid,
    select,
    update,
)

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here, json_rows
from returns_api.db.tables import payments
from returns_api.domain.order_record import PaymentRecord

_PAYMENT_COLUMNS = tuple(payments.c[name] for name in PaymentRecord.__dataclass_fields__)
_LOCK_PAYMENTS: Final = Query(
    select(*_PAYMENT_COLUMNS)
    .where(here(payments), payments.c.order_id == given("order_id"))
    .order_by(payments.c.id)
    .with_for_update()
)
_PAYMENTS: Final = Query(
    select(*_PAYMENT_COLUMNS)
    .where(here(payments), payments.c.order_id == given("order_id"))
    .order_by(payments.c.position, payments.c.id)
)
_wanted = json_rows("wanted", id=Uuid, amount=BigInteger)
_RESERVE: Final = Query(
    update(payments)
    .where(
        here(payments),
        payments.c.id == _wanted.c.id,
        payments.c.captured
        - payments.c.reserved
        - payments.c.refunded
        - payments.c.external
        - payments.c.disputed
        - payments.c.exchanged
        >= _wanted.c.amount,
    )
    .values(reserved=payments.c.reserved + _wanted.c.amount)
)
COUNT: Final = (
    update(payments)
    .where(here(payments), payments.c.id == given("payment_id"))
    .values(
        reserved=payments.c.reserved + given("reserved_delta", BigInteger),
        refunded=payments.c.refunded + given("refunded_delta", BigInteger),
    )
)
"""What became of a transfer, for ``transfer_changes.apply_change``; the payment must be locked."""
_PAYMENT_BY_PROVIDER_ID: Final = Query(
    select(payments.c.id, payments.c.order_id, payments.c.currency).where(
        here(payments),
        payments.c.provider == given("provider"),
        payments.c.account == given("account"),
        payments.c.provider_payment_id == given("provider_payment_id"),
    )
)


async def lock_payments(tx: Transaction, order_id: UUID) -> list[PaymentRecord]:
    """The order's payments, locked in id order: first lock of everything that moves money."""
    return [PaymentRecord(**row) for row in await tx.all(_LOCK_PAYMENTS, order_id=order_id)]


async def payments_of(tx: Transaction, order_id: UUID) -> list[PaymentRecord]:
    """The same without a lock, in the order in which they are drained."""
    return [PaymentRecord(**row) for row in await tx.all(_PAYMENTS, order_id=order_id)]


async def reserve(tx: Transaction, wanted: dict[UUID, int]) -> bool:
    """Reserve on each payment; False when one has less left (the caller must roll back)."""
    rows = [{"id": payment, "amount": amount} for payment, amount in sorted(wanted.items())]
    return await tx.run(_RESERVE, wanted=rows) == len(rows)


async def find_payment(
    tx: Transaction, provider: str, account: str, provider_payment_id: str
) -> Row | None:
    return await tx.first(
        _PAYMENT_BY_PROVIDER_ID,
        provider=provider,
        account=account,
        provider_payment_id=provider_payment_id,
    )
