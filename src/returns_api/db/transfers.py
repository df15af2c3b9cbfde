"""Transfers, the movements of money behind a refund: written, locked and found.

Refuses to own how one changes (``transfer_changes``), and who may try one, and when (``attempts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Uuid,
    and_,
    any_,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here, part, prefixed
from returns_api.db.tables import payments, refunds, transfers
from returns_api.domain.refunds import TransferRecord

_TRANSFER_FIELDS = (
    "id",
    "refund_id",
    "order_id",
    "payment_id",
    "store_credit_id",
    "amount_minor",
    "currency",
    "state",
    "provider",
    "account",
    "provider_key",
    "due_at",
    "failure_code",
    "created_at",
    "updated_at",
)
_ADD_TRANSFER: Final = Query(
    insert(transfers).values(shop_id=SHOP, **{name: given(name) for name in _TRANSFER_FIELDS})
)
_OF_REFUND: Final = Query(
    select(transfers, payments.c.provider_payment_id, payments.c.gateway)
    .outerjoin(
        payments,
        and_(payments.c.shop_id == transfers.c.shop_id, payments.c.id == transfers.c.payment_id),
    )
    .where(here(transfers), transfers.c.refund_id == any_(given("refund_ids", ARRAY(Uuid))))
    .order_by(transfers.c.id)
)
_LOCK_OF_REFUND: Final = Query(
    select(transfers)
    .where(here(transfers), transfers.c.refund_id == given("refund_id"))
    .order_by(transfers.c.id)
    .with_for_update()
)
_payment = (
    select(payments.c.id)
    .join(
        transfers,
        and_(transfers.c.shop_id == payments.c.shop_id, transfers.c.payment_id == payments.c.id),
    )
    .where(here(payments), transfers.c.id == given("id"), here(transfers))
    .with_for_update(of=payments)
    .cte("payment")
)
_REFUND_HEAD: Final = (
    "id",
    "order_id",
    "return_id",
    "kind",
    "amount_minor",
    "currency",
    "state",
    "sequence",
    "arrived_minor",
    "given_up",
)
# The join gives a transfer to lock only for a payment that is locked already, and a refund after
# its transfer: rows are locked in the order of ``of``.
_LOCK: Final = Query(
    select(transfers, *prefixed("of_refund", (refunds.c[name] for name in _REFUND_HEAD)))
    .join(_payment, _payment.c.id == transfers.c.payment_id)
    .join(
        refunds,
        and_(refunds.c.shop_id == transfers.c.shop_id, refunds.c.id == transfers.c.refund_id),
    )
    .where(here(transfers), here(refunds), transfers.c.id == given("id"))
    .with_for_update(of=[transfers, refunds])
)
_STATES: Final = Query(
    select(transfers.c.state, transfers.c.amount_minor).where(
        here(transfers), transfers.c.refund_id == given("refund_id")
    )
)
_BY_PROVIDER_ID: Final = Query(
    select(transfers.c.id).where(
        here(transfers),
        transfers.c.provider == given("provider"),
        transfers.c.account == given("account"),
        transfers.c.provider_refund_id == given("provider_refund_id"),
    )
)
_IS_TRANSFER_OF: Final = Query(
    select(transfers.c.id)
    .join(
        payments,
        and_(payments.c.shop_id == transfers.c.shop_id, payments.c.id == transfers.c.payment_id),
    )
    .where(
        here(transfers),
        transfers.c.id == given("id"),
        transfers.c.provider == given("provider"),
        transfers.c.account == given("account"),
        payments.c.provider_payment_id == given("provider_payment_id"),
    )
)


async def add(tx: Transaction, moves: Sequence[dict[str, Any]]) -> None:
    """Transfers of a refund; their amounts must be reserved."""
    if moves:
        await tx.many(_ADD_TRANSFER, moves)


async def of_refunds(tx: Transaction, refund_ids: Sequence[UUID]) -> list[Row]:
    return await tx.all(_OF_REFUND, refund_ids=list(refund_ids))


async def lock(tx: Transaction, transfer_id: UUID) -> Row | None:
    """The transfer, its payment before it and its refund after it: the lock order of everything
    that moves money. ``refund_of`` the row is the refund's head."""
    return await tx.first(_LOCK, id=transfer_id)


def refund_of(row: Row) -> dict[str, Any]:
    """The refund of a locked transfer, without its parts."""
    return part(row, "of_refund")


async def lock_of_refund(tx: Transaction, refund_id: UUID) -> list[Row]:
    """The transfers of a refund, so that no worker claims one of them meanwhile. Locks the payments
    before (``reservations.lock_payments``)."""
    return await tx.all(_LOCK_OF_REFUND, refund_id=refund_id)


def record(row: Row) -> TransferRecord:
    return TransferRecord(**{name: row[name] for name in TransferRecord.__dataclass_fields__})


async def states(tx: Transaction, refund_id: UUID) -> list[tuple[str, int]]:
    """State and amount (minor units) of each transfer of a refund."""
    return states_of(await tx.all(_STATES, refund_id=refund_id))


def states_of(found: Sequence[Row]) -> list[tuple[str, int]]:
    """State and amount (minor units) of each row."""
    return [(row["state"], row["amount_minor"]) for row in found]


async def find_by_provider_id(
    tx: Transaction, provider: str, account: str, provider_refund_id: str
) -> UUID | None:
    found: UUID | None = await tx.value(
        _BY_PROVIDER_ID, provider=provider, account=account, provider_refund_id=provider_refund_id
    )
    return found


async def is_transfer_of(
    tx: Transaction, transfer_id: UUID, provider: str, account: str, provider_payment_id: str
) -> bool:
    """Whether the transfer is ours *and* of that payment: a reference alone proves nothing."""
    found = await tx.value(
        _IS_TRANSFER_OF,
        id=transfer_id,
        provider=provider,
        account=account,
        provider_payment_id=provider_payment_id,
    )
    return found is not None
