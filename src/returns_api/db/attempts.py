"""Tries of a transfer: taking it, counting and leasing it, and one row for each try.

At most one try is in flight. Refuses to own what an outcome means for the transfer (``transfers``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Integer,
    Text,
    and_,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here, part, prefixed
from returns_api.db.tables import connections, payments, transfer_attempts, transfers


@dataclass(frozen=True, slots=True)
class Ended:
    """What a try came to, in a word, and why it told nothing."""

    outcome: str
    error: str | None


_overdrawn = (
    payments.c.reserved
    + payments.c.refunded
    + payments.c.external
    + payments.c.disputed
    + payments.c.exchanged
    > payments.c.captured
)
# Skips instead of waiting: a wake-up and a sweep often come for one transfer at once, and whoever
# holds it is carrying it on.
_TAKE: Final = Query(
    select(
        *(each for each in transfers.c if each.name != "attempt"),
        (transfers.c.attempt + 1).label("attempt"),
        payments.c.provider_payment_id,
        _overdrawn.label("overdrawn"),
        *prefixed("connection", connections.c),
    )
    .join(
        payments,
        and_(payments.c.shop_id == transfers.c.shop_id, payments.c.id == transfers.c.payment_id),
    )
    .outerjoin(
        connections,
        and_(
            connections.c.shop_id == transfers.c.shop_id,
            connections.c.source == transfers.c.account,
            connections.c.kind == "payments",  # a shop platform has names of adapters, too
            connections.c.active == true(),
        ),
    )
    .where(
        here(transfers),
        here(payments),
        transfers.c.id == given("id"),
        transfers.c.due_at <= given("now"),
        or_(transfers.c.leased_until.is_(None), transfers.c.leased_until <= given("now")),
        among(transfers.c.state, ("queued", "sending", "unknown", "pending", "requires_action")),
    )
    .with_for_update(of=transfers, skip_locked=True)
)
_counted = (
    update(transfers)
    .where(
        here(transfers),
        transfers.c.id == given("transfer_id"),
        transfers.c.attempt == given("no", Integer) - 1,
    )
    .values(
        attempt=given("no", Integer), leased_until=given("leased_until"), updated_at=given("now")
    )
)
_COUNT: Final = Query(_counted)
_POSTPONE: Final = Query(
    update(transfers)
    .where(here(transfers), transfers.c.id == given("id"))
    .values(due_at=given("due_at", transfers.c.due_at.type), leased_until=None)
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


def _start(kind: str) -> Query:
    """Count the try, lease the transfer and write the try's row, all or nothing."""
    first = func.coalesce(transfers.c.first_sent_at, given("now"))
    sending = {"state": "sending", "first_sent_at": first} if kind == "send" else {}
    counted = _counted.values(**sending).returning(transfers.c.id).cte("counted")
    columns = ["shop_id", "transfer_id", "no", "kind", "state", "started_at"]
    row = select(
        SHOP,
        counted.c.id,
        given("no", Integer),
        literal(kind, Text),
        literal("in_flight", Text),
        given("now", DateTime(timezone=True)),
    )
    return Query(insert(transfer_attempts).from_select(columns, row))


_START: Final = {kind: _start(kind) for kind in ("send", "look_up")}
FINISH: Final = (
    update(transfer_attempts)
    .where(
        here(transfer_attempts),
        transfer_attempts.c.transfer_id == given("transfer_id"),
        transfer_attempts.c.no == given("no"),
        transfer_attempts.c.state == "in_flight",
    )
    .values(state="done", finished_at=given("now"), outcome=given("outcome"), error=given("error"))
)
_FINISH: Final = Query(FINISH)
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


async def take(tx: Transaction, transfer_id: UUID, now: datetime) -> Row | None:
    """Hold the transfer for one try until the transaction ends, or None when it is not due or
    somebody has it. ``attempt`` is the number of this try, which ``start`` or ``count`` must write
    unless it is ``postpone``d. ``connection_of`` the row is the account to ask.
    """
    return await tx.first(_TAKE, id=transfer_id, now=now)


def connection_of(row: Row) -> dict[str, Any] | None:
    """The active connection of a taken transfer's account; None when there is none."""
    return None if row["connection_id"] is None else part(row, "connection")


async def postpone(tx: Transaction, transfer_id: UUID, due_at: datetime) -> None:
    """Let a taken transfer go without a try: look again at ``due_at``."""
    await tx.run(_POSTPONE, id=transfer_id, due_at=due_at)


async def start(
    tx: Transaction, transfer_id: UUID, no: int, kind: str, now: datetime, until: datetime
) -> None:
    """Count the taken transfer's try and lease it, before the try runs: one that kills its worker
    is counted, too. A second one in flight is refused by the database."""
    await _abandon(tx, transfer_id, no, now)
    done = await tx.run(_START[kind], transfer_id=transfer_id, no=no, now=now, leased_until=until)
    assert done == 1, "not the next try of a transfer that was taken"


async def count(
    tx: Transaction, transfer_id: UUID, no: int, now: datetime, until: datetime
) -> None:
    """Count a try of the taken transfer that asks nobody."""
    await _abandon(tx, transfer_id, no, now)
    done = await tx.run(_COUNT, transfer_id=transfer_id, no=no, now=now, leased_until=until)
    assert done == 1, "not the next try of a transfer that was taken"


async def _abandon(tx: Transaction, transfer_id: UUID, no: int, now: datetime) -> None:
    """Whatever tries came before, nobody is in them any more: their lease has ended."""
    if no > 1:
        await tx.run(_ABANDON, transfer_id=transfer_id, now=now)


async def finish(tx: Transaction, transfer_id: UUID, no: int, now: datetime, ended: Ended) -> None:
    """Close a try's row. ``transfer_changes.apply_change`` does so itself where it is news."""
    await tx.run(
        _FINISH, transfer_id=transfer_id, no=no, now=now, outcome=ended.outcome, error=ended.error
    )


async def end(tx: Transaction, transfer_id: UUID, provider_refund_id: str | None) -> None:
    """A try told nothing new: end its lease, remember the provider's id if it named one."""
    await tx.run(_END_TRY, id=transfer_id, provider_refund_id=provider_refund_id)
