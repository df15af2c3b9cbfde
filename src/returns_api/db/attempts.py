"""Tries of a transfer: the exclusive claim with its lease, and one row for each try.

At most one try is in flight. Refuses to own what an outcome means for the transfer (``transfers``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Text,
    func,
    insert,
    or_,
    select,
    update,
)

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import payments, transfer_attempts, transfers

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
_HAND_BACK: Final = Query(
    update(transfers)
    .where(here(transfers), transfers.c.id == given("id"), transfers.c.attempt == given("attempt"))
    .values(
        attempt=transfers.c.attempt - 1,
        leased_until=None,
        due_at=given("due_at", transfers.c.due_at.type),
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
DUE: Final = Query(
    select(transfers.c.shop_id, transfers.c.id)
    .where(
        transfers.c.due_at <= given("now"),
        or_(transfers.c.leased_until.is_(None), transfers.c.leased_until <= given("now")),
    )
    .order_by(transfers.c.due_at)
    .limit(given("limit"))
)


async def claim(tx: Transaction, transfer_id: UUID, now: datetime, until: datetime) -> Row | None:
    """Take the transfer for one try, or None when it is not due or somebody has it.

    Counts the try before it runs, so that a try that kills its worker is counted too.
    """
    row = await tx.first(_CLAIM, id=transfer_id, now=now, leased_until=until)
    if row is not None:
        await tx.run(_ABANDON, transfer_id=transfer_id, now=now)
    return row


async def hand_back(tx: Transaction, transfer_id: UUID, no: int, due_at: datetime) -> None:
    """Undo the claim of this very transaction: nothing was tried, look again at ``due_at``."""
    await tx.run(_HAND_BACK, id=transfer_id, attempt=no, due_at=due_at)


async def start(tx: Transaction, transfer_id: UUID, no: int, kind: str, now: datetime) -> None:
    """The row of one try; a second one in flight is refused by the database."""
    await tx.run(_ATTEMPT, transfer_id=transfer_id, no=no, kind=kind, now=now)
    if kind == "send":
        await tx.run(_MARK_SENDING, id=transfer_id, attempt=no, now=now)


async def finish(
    tx: Transaction, transfer_id: UUID, no: int, now: datetime, outcome: str, error: str | None
) -> None:
    await tx.run(
        _FINISH_ATTEMPT, transfer_id=transfer_id, no=no, now=now, outcome=outcome, error=error
    )


async def end(tx: Transaction, transfer_id: UUID, provider_refund_id: str | None) -> None:
    """A try told nothing new: end its lease, remember the provider's id if it named one."""
    await tx.run(_END_TRY, id=transfer_id, provider_refund_id=provider_refund_id)
