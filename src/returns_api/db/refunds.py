"""Refunds: what is to be paid back and what came of it, row by row.

Refuses to own the movements of money (``transfers``) and the payments that they draw on
(``reservations``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Uuid,
    and_,
    any_,
    case,
    func,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import orders, refunds, transfers

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
    "hold_reason",
    "due_by",
    "created_at",
    "updated_at",
)
_ADD_REFUND: Final = Query(
    insert(refunds).values(
        shop_id=SHOP,
        **{name: given(name) for name in _REFUND_FIELDS},
        remind_at=given("due_by", refunds.c.due_by.type),
    )
)
_ONE: Final = Query(select(refunds).where(here(refunds), refunds.c.id == given("id")))
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
_found = (
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
_late = and_(refunds.c.overdue_since.is_not(None), refunds.c.remind_at.is_not(None))
_PAGE: Final = Query(_found)
_PAGE_OVERDUE: Final = Query(_found.where(_late))
"""A statement of its own, so that its small index is used."""
_LOCK_REFUND: Final = Query(
    select(refunds).where(here(refunds), refunds.c.id == given("id")).with_for_update()
)
_SET_STATE: Final = Query(
    update(refunds)
    .where(here(refunds), refunds.c.id == given("id"), refunds.c.state == given("before"))
    .values(
        state=given("state"),
        sequence=refunds.c.sequence + 1,
        updated_at=given("now"),
        remind_at=case(
            (given("settled", Boolean), null()),
            else_=func.coalesce(refunds.c.remind_at, refunds.c.due_by),
        ),
    )
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
    .values(
        given_up=given("given_up", Boolean),
        updated_at=given("now"),
        remind_at=case(
            (given("given_up", Boolean), null()),
            else_=func.coalesce(refunds.c.remind_at, refunds.c.due_by),
        ),
    )
)
_APPROVE: Final = Query(
    update(refunds)
    .where(here(refunds), refunds.c.id == given("id"))
    .values(approved_by=given("approver_id"), updated_at=given("now"))
)


async def add(tx: Transaction, refund: dict[str, Any]) -> None:
    await tx.run(_ADD_REFUND, **refund)


async def one(tx: Transaction, refund_id: UUID) -> Row | None:
    return await tx.first(_ONE, id=refund_id)


async def by_reference(tx: Transaction, reference: str) -> UUID | None:
    found: UUID | None = await tx.value(_BY_REFERENCE, reference=reference)
    return found


async def page(tx: Transaction, *, overdue: bool, **filters: Any) -> list[Row]:
    """Newest first; ``before``, ``limit`` and the optional filters order_id, return_id, state;
    with ``overdue`` only those."""
    return await tx.all(_PAGE_OVERDUE if overdue else _PAGE, **filters)


async def lock(tx: Transaction, refund_id: UUID) -> Row:
    row = await tx.first(_LOCK_REFUND, id=refund_id)
    assert row is not None
    return row


async def set_state(
    tx: Transaction, refund_id: UUID, before: str, state: str, now: datetime, *, settled: bool
) -> int | None:
    """The new sequence, or None when the refund was not in ``before``. What is ``settled`` makes
    itself heard no more; what is open again does by its due date."""
    sequence: int | None = await tx.value(
        _SET_STATE, id=refund_id, before=before, state=state, now=now, settled=settled
    )
    return sequence


async def return_totals(tx: Transaction, return_id: UUID) -> tuple[int, bool]:
    """What arrived of all refunds of a return, and whether nothing more is to come."""
    arrived = await tx.value(_RETURN_TOTALS, return_id=return_id)
    return int(arrived), bool(await tx.value(_RETURN_DONE, return_id=return_id))


async def give_up(tx: Transaction, refund_id: UUID, now: datetime, *, given_up: bool) -> None:
    """Whether finance gave up what is missing of a refund."""
    await tx.run(_GIVE_UP, id=refund_id, given_up=given_up, now=now)


async def set_approved(tx: Transaction, refund_id: UUID, approver_id: UUID, now: datetime) -> None:
    """Who approved it last; every approval stands in ``approvals``."""
    await tx.run(_APPROVE, id=refund_id, approver_id=approver_id, now=now)


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
