"""Changes of a transfer: by compare-and-set, with its payment's counters and the row of its try.

A change carries its guard in the statement itself. Refuses to own which change follows from which
fact (``domain.refunds``), and who may try a transfer, and when (``attempts``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, Integer, case, exists, func, null, select, union_all, update

from returns_api.db import attempts, reservations
from returns_api.db.attempts import Ended
from returns_api.db.engine import Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import payments, transfers
from returns_api.db.transfers import states_of
from returns_api.domain.refunds import TransferChange, TransferRecord


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
                # Our own key stands there for an id that nobody has given yet.
                func.nullif(transfers.c.provider_refund_id, transfers.c.provider_key),
                given("provider_refund_id"),
                transfers.c.provider_refund_id,
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
    return states_of(found)


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


async def adopt_provider(tx: Transaction, transfer_id: UUID) -> None:
    """Let a transfer that was never sent take the connection that its payment has by now."""
    await tx.run(_ADOPT, id=transfer_id)


async def flag(tx: Transaction, transfer_id: UUID, code: str, now: datetime) -> None:
    """Mark a contradiction for a person, without moving the state."""
    await tx.run(_FLAG, id=transfer_id, code=code, now=now)
