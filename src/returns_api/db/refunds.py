"""Refunds and transfers: rows to facts, the locked reservation, compare-and-set outcomes.

Every write that moves a payment's counters goes through ``reserve`` or ``apply_change``, and both
carry their guard in the statement itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    case,
    column,
    func,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import orders, payments, refunds, transfer_attempts, transfers
from returns_api.domain.order_record import PaymentRecord
from returns_api.domain.refunds import TransferChange, TransferRecord

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

_wanted = (
    func.jsonb_to_recordset(given("wanted", JSONB))
    .table_valued(column("id", Uuid), column("amount", BigInteger))
    .render_derived(with_types=True)
)
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
        >= _wanted.c.amount,
    )
    .values(reserved=payments.c.reserved + _wanted.c.amount)
)

_REFUND_FIELDS = (
    "id",
    "order_id",
    "return_id",
    "kind",
    "amount_minor",
    "currency",
    "state",
    "client_reference",
    "reason",
    "parts",
    "requested_by",
    "due_by",
    "created_at",
    "updated_at",
)
_ADD_REFUND: Final = Query(
    insert(refunds).values(shop_id=SHOP, **{name: given(name) for name in _REFUND_FIELDS})
)
_TRANSFER_FIELDS = (
    "id",
    "refund_id",
    "order_id",
    "payment_id",
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
_ONE: Final = Query(select(refunds).where(here(refunds), refunds.c.id == given("id")))
_OF_REFUND: Final = Query(
    select(transfers, payments.c.provider_payment_id, payments.c.gateway)
    .join(
        payments,
        and_(payments.c.shop_id == transfers.c.shop_id, payments.c.id == transfers.c.payment_id),
    )
    .where(here(transfers), transfers.c.refund_id == any_(given("refund_ids", ARRAY(Uuid))))
    .order_by(transfers.c.id)
)
_OF_RETURNS: Final = Query(
    select(refunds)
    .where(here(refunds), refunds.c.return_id == any_(given("return_ids", ARRAY(Uuid))))
    .order_by(refunds.c.id)
)
_PARTS: Final = Query(
    select(refunds.c.parts).where(
        here(refunds),
        refunds.c.order_id == given("order_id"),
        refunds.c.state != "canceled",
    )
)
_ORDER_EXISTS: Final = Query(select(orders.c.id).where(here(orders), orders.c.id == given("id")))
_BY_REFERENCE: Final = Query(
    select(refunds.c.id).where(here(refunds), refunds.c.client_reference == given("reference"))
)
_PAGE: Final = Query(
    select(refunds)
    .where(
        here(refunds),
        refunds.c.id < given("before"),
        or_(given("order_id", Uuid).is_(None), refunds.c.order_id == given("order_id", Uuid)),
        or_(given("return_id", Uuid).is_(None), refunds.c.return_id == given("return_id", Uuid)),
        or_(given("state", refunds.c.state.type).is_(None), refunds.c.state == given("state")),
    )
    .order_by(refunds.c.id.desc())
    .limit(given("limit"))
)

# Skips instead of waiting: a wake-up and a sweep often come for one transfer at once, and whoever
# holds it is carrying it on.
_free = (
    select(transfers.c.id)
    .where(
        here(transfers),
        transfers.c.id == given("id"),
        transfers.c.due_at <= given("now"),
        or_(transfers.c.leased_until.is_(None), transfers.c.leased_until <= given("now")),
        among(transfers.c.state, ("queued", "sending", "unknown", "pending", "requires_action")),
    )
    .with_for_update(skip_locked=True)
)
_CLAIM: Final = Query(
    update(transfers)
    .where(
        here(transfers),
        here(payments),
        payments.c.id == transfers.c.payment_id,
        transfers.c.id == given("id"),  # else a shop's every transfer may be joined to find one
        transfers.c.id.in_(_free),
    )
    .values(
        attempt=transfers.c.attempt + 1,
        leased_until=given("leased_until"),
        updated_at=given("now"),
    )
    .returning(
        transfers,
        payments.c.provider_payment_id,
        (
            payments.c.reserved + payments.c.refunded + payments.c.external + payments.c.disputed
            > payments.c.captured
        ).label("overdrawn"),
    )
)
_ABANDON: Final = Query(
    update(transfer_attempts)
    .where(
        here(transfer_attempts),
        transfer_attempts.c.transfer_id == given("transfer_id"),
        transfer_attempts.c.state == "in_flight",
    )
    .values(state="abandoned", finished_at=given("now"))
)
_ATTEMPT: Final = Query(
    insert(transfer_attempts).values(
        shop_id=SHOP,
        transfer_id=given("transfer_id"),
        no=given("no"),
        kind=given("kind"),
        state="in_flight",
        started_at=given("now"),
    )
)
_MARK_SENDING: Final = Query(
    update(transfers)
    .where(here(transfers), transfers.c.id == given("id"), transfers.c.attempt == given("attempt"))
    .values(
        state="sending",
        first_sent_at=func.coalesce(transfers.c.first_sent_at, given("now")),
    )
)
_FINISH_ATTEMPT: Final = Query(
    update(transfer_attempts)
    .where(
        here(transfer_attempts),
        transfer_attempts.c.transfer_id == given("transfer_id"),
        transfer_attempts.c.no == given("no"),
        transfer_attempts.c.state == "in_flight",
    )
    .values(state="done", finished_at=given("now"), outcome=given("outcome"), error=given("error"))
)
_LOCK: Final = Query(
    select(transfers).where(here(transfers), transfers.c.id == given("id")).with_for_update()
)
_LOCK_OF_REFUND: Final = Query(
    select(transfers)
    .where(here(transfers), transfers.c.refund_id == given("refund_id"))
    .order_by(transfers.c.id)
    .with_for_update()
)
_LOCK_PAYMENT_OF: Final = Query(
    select(payments.c.id)
    .join(
        transfers,
        and_(transfers.c.shop_id == payments.c.shop_id, transfers.c.payment_id == payments.c.id),
    )
    .where(here(payments), transfers.c.id == given("transfer_id"), here(transfers))
    .with_for_update(of=payments)
)
_CHANGE: Final = Query(
    update(transfers)
    .where(
        here(transfers),
        transfers.c.id == given("id"),
        transfers.c.state == given("before"),
        transfers.c.attempt == given("attempt"),
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
)
_END_TRY: Final = Query(
    update(transfers)
    .where(here(transfers), transfers.c.id == given("id"))
    .values(
        leased_until=None,
        provider_refund_id=func.coalesce(
            transfers.c.provider_refund_id, given("provider_refund_id", Text)
        ),
    )
)
_COUNT: Final = Query(
    update(payments)
    .where(here(payments), payments.c.id == given("id"))
    .values(
        reserved=payments.c.reserved + given("reserved_delta", BigInteger),
        refunded=payments.c.refunded + given("refunded_delta", BigInteger),
    )
)
_STATES: Final = Query(
    select(transfers.c.state, transfers.c.amount_minor).where(
        here(transfers), transfers.c.refund_id == given("refund_id")
    )
)
_LOCK_REFUND: Final = Query(
    select(refunds).where(here(refunds), refunds.c.id == given("id")).with_for_update()
)
_SET_STATE: Final = Query(
    update(refunds)
    .where(here(refunds), refunds.c.id == given("id"), refunds.c.state == given("before"))
    .values(state=given("state"), sequence=refunds.c.sequence + 1, updated_at=given("now"))
    .returning(refunds.c.sequence)
)
_RETURN_TOTALS: Final = Query(
    select(
        func.coalesce(
            func.sum(transfers.c.amount_minor).filter(transfers.c.state == "succeeded"), 0
        ).label("arrived"),
    )
    .join(
        refunds,
        and_(refunds.c.shop_id == transfers.c.shop_id, refunds.c.id == transfers.c.refund_id),
    )
    .where(here(refunds), refunds.c.return_id == given("return_id"))
)
_RETURN_DONE: Final = Query(
    select(
        func.bool_and(
            or_(
                refunds.c.state == "succeeded",
                and_(
                    refunds.c.given_up, among(refunds.c.state, ("canceled", "partially_succeeded"))
                ),
            )
        )
    ).where(here(refunds), refunds.c.return_id == given("return_id"))
)
_GIVE_UP: Final = Query(
    update(refunds)
    .where(here(refunds), refunds.c.id == given("id"))
    .values(given_up=given("given_up"), updated_at=given("now"))
)
_BY_PROVIDER_ID: Final = Query(
    select(transfers.c.id).where(
        here(transfers),
        transfers.c.provider == given("provider"),
        transfers.c.account == given("account"),
        transfers.c.provider_refund_id == given("provider_refund_id"),
    )
)
_PAYMENT_BY_PROVIDER_ID: Final = Query(
    select(payments.c.id, payments.c.order_id).where(
        here(payments),
        payments.c.provider == given("provider"),
        payments.c.account == given("account"),
        payments.c.provider_payment_id == given("provider_payment_id"),
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
        failure_code=None,
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
DUE: Final = Query(
    select(transfers.c.shop_id, transfers.c.id)
    .where(
        transfers.c.due_at <= given("now"),
        or_(transfers.c.leased_until.is_(None), transfers.c.leased_until <= given("now")),
    )
    .order_by(transfers.c.due_at)
    .limit(given("limit"))
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


async def add(tx: Transaction, refund: dict[str, Any], moves: Sequence[dict[str, Any]]) -> None:
    await tx.run(_ADD_REFUND, **refund)
    await add_transfers(tx, moves)


async def add_transfers(tx: Transaction, moves: Sequence[dict[str, Any]]) -> None:
    """Further transfers of a refund; their amounts must be reserved."""
    if moves:
        await tx.many(_ADD_TRANSFER, moves)


async def one(tx: Transaction, refund_id: UUID) -> Row | None:
    return await tx.first(_ONE, id=refund_id)


async def transfers_of(tx: Transaction, refund_ids: Sequence[UUID]) -> list[Row]:
    return await tx.all(_OF_REFUND, refund_ids=list(refund_ids))


async def by_reference(tx: Transaction, reference: str) -> UUID | None:
    found: UUID | None = await tx.value(_BY_REFERENCE, reference=reference)
    return found


async def page(tx: Transaction, **filters: Any) -> list[Row]:
    """Newest first; ``before``, ``limit`` and the optional filters order_id, return_id, state."""
    return await tx.all(_PAGE, **filters)


async def claim(tx: Transaction, transfer_id: UUID, now: datetime, until: datetime) -> Row | None:
    """Take the transfer for one try, or None when it is not due or somebody has it.

    Counts the try before it runs, so that a try that kills its worker is counted too.
    """
    row = await tx.first(_CLAIM, id=transfer_id, now=now, leased_until=until)
    if row is not None:
        await tx.run(_ABANDON, transfer_id=transfer_id, now=now)
    return row


async def start_attempt(
    tx: Transaction, transfer_id: UUID, no: int, kind: str, now: datetime
) -> None:
    """The row of one try; a second one in flight is refused by the database."""
    await tx.run(_ATTEMPT, transfer_id=transfer_id, no=no, kind=kind, now=now)
    if kind == "send":
        await tx.run(_MARK_SENDING, id=transfer_id, attempt=no, now=now)


async def finish_attempt(
    tx: Transaction, transfer_id: UUID, no: int, now: datetime, outcome: str, error: str | None
) -> None:
    await tx.run(
        _FINISH_ATTEMPT, transfer_id=transfer_id, no=no, now=now, outcome=outcome, error=error
    )


async def lock_transfer(tx: Transaction, transfer_id: UUID) -> Row | None:
    """The transfer and, before it, its payment: the lock order of everything that moves money."""
    await tx.run(_LOCK_PAYMENT_OF, transfer_id=transfer_id)
    return await tx.first(_LOCK, id=transfer_id)


def record(row: Row) -> TransferRecord:
    return TransferRecord(**{name: row[name] for name in TransferRecord.__dataclass_fields__})


async def apply_change(
    tx: Transaction,
    transfer: TransferRecord,
    change: TransferChange,
    now: datetime,
    provider_refund_id: str | None = None,
) -> bool:
    """Move the transfer and its payment's counters; False when somebody else moved it first."""
    touched = await tx.run(
        _CHANGE,
        id=transfer.id,
        before=transfer.state,
        attempt=transfer.attempt,
        state=change.state,
        due_at=change.due_at,
        lookups=change.lookups,
        unsent=change.unsent,
        failure_code=change.failure_code,
        provider_refund_id=provider_refund_id,
        now=now,
    )
    if touched and (change.reserved_delta or change.refunded_delta):
        await tx.run(
            _COUNT,
            id=transfer.payment_id,
            reserved_delta=change.reserved_delta,
            refunded_delta=change.refunded_delta,
        )
    return bool(touched)


async def end_try(tx: Transaction, transfer_id: UUID, provider_refund_id: str | None) -> None:
    """A try told nothing new: end its lease, remember the provider's id if it named one."""
    await tx.run(_END_TRY, id=transfer_id, provider_refund_id=provider_refund_id)


async def transfer_states(tx: Transaction, refund_id: UUID) -> list[tuple[str, int]]:
    """State and amount (minor units) of each transfer of a refund."""
    found = await tx.all(_STATES, refund_id=refund_id)
    return [(row["state"], row["amount_minor"]) for row in found]


async def lock_refund(tx: Transaction, refund_id: UUID) -> Row:
    row = await tx.first(_LOCK_REFUND, id=refund_id)
    assert row is not None
    return row


async def set_state(
    tx: Transaction, refund_id: UUID, before: str, state: str, now: datetime
) -> int | None:
    """The new sequence, or None when the refund was not in ``before``."""
    sequence: int | None = await tx.value(
        _SET_STATE, id=refund_id, before=before, state=state, now=now
    )
    return sequence


async def return_totals(tx: Transaction, return_id: UUID) -> tuple[int, bool]:
    """What arrived of all refunds of a return, and whether nothing more is to come."""
    arrived = await tx.value(_RETURN_TOTALS, return_id=return_id)
    return int(arrived), bool(await tx.value(_RETURN_DONE, return_id=return_id))


async def give_up(tx: Transaction, refund_id: UUID, now: datetime, *, given_up: bool) -> None:
    """Whether finance gave up what is missing of a refund."""
    await tx.run(_GIVE_UP, id=refund_id, given_up=given_up, now=now)


async def lock_transfers(tx: Transaction, refund_id: UUID) -> list[Row]:
    """The transfers of a refund, so that no worker claims one of them meanwhile. Locks the payments
    before (``lock_payments``)."""
    return await tx.all(_LOCK_OF_REFUND, refund_id=refund_id)


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


async def find_payment(
    tx: Transaction, provider: str, account: str, provider_payment_id: str
) -> Row | None:
    return await tx.first(
        _PAYMENT_BY_PROVIDER_ID,
        provider=provider,
        account=account,
        provider_payment_id=provider_payment_id,
    )


async def put_in_line(
    tx: Transaction, transfer_id: UUID, before: str, state: str, due_at: datetime, now: datetime
) -> bool:
    """A person's retry: back to the queue, or to a look-up first."""
    return bool(
        await tx.run(_RETRY, id=transfer_id, before=before, state=state, due_at=due_at, now=now)
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


async def of_returns(tx: Transaction, return_ids: Sequence[UUID]) -> list[Row]:
    return await tx.all(_OF_RETURNS, return_ids=list(return_ids))


async def shipping_refunded(tx: Transaction, order_id: UUID) -> dict[str, int]:
    """What was refunded of each shipping line, or is owed, by external id (minor units).

    A refund that failed still owes it; only one that was given up does not.
    """
    found: dict[str, int] = {}
    for row in await tx.all(_PARTS, order_id=order_id):
        for part in row["parts"]:
            if part["kind"] == "shipping":
                found[part["line"]] = found.get(part["line"], 0) + part["amount"]
    return found


async def order_exists(tx: Transaction, order_id: UUID) -> bool:
    return await tx.value(_ORDER_EXISTS, id=order_id) is not None
