"""Transfers: the movements of money behind a refund, and compare-and-set changes of their state.

A change carries its guard in the statement itself and moves the payment's counters along. Refuses
to own who may try one, and when (``attempts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Integer,
    Uuid,
    and_,
    any_,
    case,
    exists,
    func,
    insert,
    null,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db import attempts, reservations
from returns_api.db.attempts import Ended
from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here, part, prefixed
from returns_api.db.tables import payments, refunds, transfers
from returns_api.domain.refunds import TransferChange, TransferRecord

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


def _change(*, counts: bool, ends_try: bool) -> Query:
    """The transfer by compare-and-set and, only where that held, its payment's counters and the
    row of its try."""
    changed = (
        update(transfers)
        .where(
            here(transfers),
            transfers.c.id == given("transfer_id"),
            transfers.c.state == given("before"),
            transfers.c.attempt == given("no"),
        )
        .values(
            state=given("state"),
            due_at=given("due_at", transfers.c.due_at.type),
            lookups=given("lookups", Integer),
            first_sent_at=case((given("unsent", Boolean), null()), else_=transfers.c.first_sent_at),
            leased_until=None,
            failure_code=given("failure_code"),
            provider_refund_id=func.coalesce(
                transfers.c.provider_refund_id, given("provider_refund_id")
            ),
            updated_at=given("now"),
        )
        .returning(
            transfers.c.id, transfers.c.refund_id, transfers.c.state, transfers.c.amount_minor
        )
        .cte("changed")
    )
    # The statement sees the others' states as they stood when it began: the refund is locked.
    others = (
        select(transfers.c.state, transfers.c.amount_minor)
        .join(changed, changed.c.refund_id == transfers.c.refund_id)
        .where(here(transfers), transfers.c.id != changed.c.id)
    )
    statement = union_all(select(changed.c.state, changed.c.amount_minor), others)
    held = exists(select(changed.c.id))
    if counts:
        statement = statement.add_cte(reservations.COUNT.where(held).cte("counted"))
    if ends_try:
        statement = statement.add_cte(attempts.FINISH.where(held).cte("finished"))
    return Query(statement)


_CHANGE: Final = {
    (counts, ends_try): _change(counts=counts, ends_try=ends_try)
    for counts in (False, True)
    for ends_try in (False, True)
}
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
_FLAG: Final = Query(
    update(transfers)
    .where(here(transfers), transfers.c.id == given("id"))
    .values(failure_code=given("code"), updated_at=given("now"))
)
_RETRY: Final = Query(
    update(transfers)
    .where(
        here(transfers),
        transfers.c.id == given("id"),
        transfers.c.state == given("before"),
    )
    .values(
        state=given("state"),
        due_at=given("due_at", transfers.c.due_at.type),
        lookups=0,
        leased_until=None,
        failure_code=given("failure_code", transfers.c.failure_code.type),
        updated_at=given("now"),
    )
)
_ADOPT: Final = Query(
    update(transfers)
    .where(
        here(transfers),
        here(payments),
        payments.c.id == transfers.c.payment_id,
        transfers.c.id == given("id"),
        transfers.c.first_sent_at.is_(None),
    )
    .values(provider=payments.c.provider, account=payments.c.account)
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


async def apply_change(
    tx: Transaction,
    transfer: TransferRecord,
    change: TransferChange,
    now: datetime,
    provider_refund_id: str | None = None,
    ended: Ended | None = None,
) -> list[tuple[str, int]]:
    """Move the transfer, its payment's counters and the row of the try that led to it, if one did.

    The refund must be locked. Returns ``states`` as they stand now; nothing, and nothing moves,
    when somebody else moved it first.
    """
    counts = bool(change.reserved_delta or change.refunded_delta)
    more: dict[str, Any] = {}
    if counts:
        more |= {"payment_id": transfer.payment_id}
        more |= {"reserved_delta": change.reserved_delta, "refunded_delta": change.refunded_delta}
    if ended is not None:
        more |= {"outcome": ended.outcome, "error": ended.error}
    found = await tx.all(
        _CHANGE[counts, ended is not None],
        transfer_id=transfer.id,
        before=transfer.state,
        no=transfer.attempt,
        state=change.state,
        due_at=change.due_at,
        lookups=change.lookups,
        unsent=change.unsent,
        failure_code=change.failure_code,
        provider_refund_id=provider_refund_id,
        now=now,
        **more,
    )
    return _states(found)


async def states(tx: Transaction, refund_id: UUID) -> list[tuple[str, int]]:
    """State and amount (minor units) of each transfer of a refund."""
    return _states(await tx.all(_STATES, refund_id=refund_id))


def _states(found: Sequence[Row]) -> list[tuple[str, int]]:
    return [(row["state"], row["amount_minor"]) for row in found]


async def adopt_provider(tx: Transaction, transfer_id: UUID) -> None:
    """Let a transfer that was never sent take the connection that its payment has by now."""
    await tx.run(_ADOPT, id=transfer_id)


async def find_by_provider_id(
    tx: Transaction, provider: str, account: str, provider_refund_id: str
) -> UUID | None:
    found: UUID | None = await tx.value(
        _BY_PROVIDER_ID, provider=provider, account=account, provider_refund_id=provider_refund_id
    )
    return found


async def put_in_line(
    tx: Transaction,
    transfer_id: UUID,
    before: str,
    state: str,
    due_at: datetime | None,
    now: datetime,
    failure_code: str | None = None,
) -> bool:
    """A person's doing: to the queue, to a look-up first, or to another person."""
    return bool(
        await tx.run(
            _RETRY,
            id=transfer_id,
            before=before,
            state=state,
            due_at=due_at,
            now=now,
            failure_code=failure_code,
        )
    )


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


async def flag(tx: Transaction, transfer_id: UUID, code: str, now: datetime) -> None:
    """Mark a contradiction for a person, without moving the state."""
    await tx.run(_FLAG, id=transfer_id, code=code, now=now)
