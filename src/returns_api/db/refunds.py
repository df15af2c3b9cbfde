"""Refunds: what is to be paid back and what came of it, row by row.

Refuses to own the movements of money (``transfers``) and the payments that they draw on
(``reservations``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
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

from returns_api.db import ledger, outbox, outside_facts
from returns_api.db.engine import Row, Transaction
from returns_api.db.gifts import is_of_gift
from returns_api.db.outbox import Job
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import advances, orders, refunds
from returns_api.domain.events import Event
from returns_api.domain.ledger import Entry

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
    select(
        case((advances.c.state == "settled", advances.c.parts), else_=refunds.c.parts).label(
            "parts"
        )
    )
    .join_from(
        refunds,
        advances,
        and_(advances.c.shop_id == refunds.c.shop_id, advances.c.refund_id == refunds.c.id),
        isouter=True,
    )
    .where(
        here(refunds),
        refunds.c.order_id == given("order_id"),
        or_(refunds.c.state != "canceled", advances.c.state == "settled"),
        or_(
            advances.c.state.is_distinct_from("outstanding"),
            advances.c.return_id.is_distinct_from(given("judged", Uuid)),
        ),
    )
)
"""Of an advance whose goods were judged, what was due for them counts, not what was advanced; of
one whose goods are being judged, nothing yet."""
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
        or_(given("gifts", Boolean), ~is_of_gift(refunds.c.return_id)),
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
_stepped = (
    update(refunds)
    .where(here(refunds), refunds.c.id == given("id"), refunds.c.state == given("before"))
    .values(
        state=given("state"),
        sequence=given("sequence"),
        arrived_minor=given("arrived_minor", BigInteger),
        note_at=case(
            (
                given("at_rest", Boolean)
                & (refunds.c.noted_minor != given("arrived_minor", BigInteger)),
                given("now", refunds.c.note_at.type),
            ),
            else_=null(),
        ),
        updated_at=given("now"),
        remind_at=case(
            (given("settled", Boolean), null()),
            else_=func.coalesce(refunds.c.remind_at, refunds.c.due_by),
        ),
    )
    .returning(refunds.c.id)
    .cte("stepped")
)


def _step(*, posts: bool, emits: bool) -> Query:
    """The refund's step and, in the same statement, its entry and its events."""
    statement = select(func.count()).select_from(_stepped)
    if posts:
        statement = statement.add_cte(ledger.POSTED)
    if emits:
        statement = statement.add_cte(outbox.EMITTED)
    return Query(statement)


_STEP: Final = {
    (posts, emits): _step(posts=posts, emits=emits)
    for posts in (False, True)
    for emits in (False, True)
}
_RETURN_TOTALS: Final = Query(
    select(
        func.sum(refunds.c.arrived_minor).label("arrived"),
        func.bool_and(
            or_(
                refunds.c.state == "succeeded",
                and_(
                    refunds.c.given_up, among(refunds.c.state, ("canceled", "partially_succeeded"))
                ),
            )
        ).label("done"),
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
    ``gifts``: those for returns by gift receipts too; with ``overdue`` only those."""
    return await tx.all(_PAGE_OVERDUE if overdue else _PAGE, **filters)


async def lock(tx: Transaction, refund_id: UUID) -> Row:
    row = await tx.first(_LOCK_REFUND, id=refund_id)
    assert row is not None
    return row


@dataclass(frozen=True, slots=True)
class Step:
    """Where a refund's transfers have brought it, against the locked ``refund``.

    ``arrived_minor`` is what providers confirmed by now; ``at_rest``, a credit note is due for it.
    What is ``settled`` makes itself heard no more; what is open again does by its due date.
    """

    state: str
    sequence: int
    arrived_minor: int
    at_rest: bool
    settled: bool

    def changes(self, refund: Mapping[str, Any] | Row) -> bool:
        before = (refund["state"], refund["arrived_minor"], refund["sequence"])
        return (self.state, self.arrived_minor, self.sequence) != before


async def step(
    tx: Transaction,
    refund: Mapping[str, Any] | Row,
    step: Step,
    now: datetime,
    entry: Entry | None,
    happened: Sequence[Event] = (),
    jobs: Sequence[Job] = (),
) -> None:
    """Write what is new of a locked refund, the entry of what moved it and what happened with it,
    in one statement."""
    if not step.changes(refund):
        await ledger.post(tx, entry)
        await outbox.emit(tx, happened, jobs)
        return
    emits = bool(happened or jobs)
    more = {} if entry is None else ledger.told(entry)
    if emits:
        more |= outbox.told(happened, jobs)
    values = {"id": refund["id"], "before": refund["state"], "now": now, **asdict(step)}
    done = await tx.value(_STEP[entry is not None, emits], **values, **more)
    assert done == 1, "not the refund that was locked"


async def return_totals(tx: Transaction, return_id: UUID) -> tuple[int, bool]:
    """What arrived of all refunds of a return, and whether nothing more is to come."""
    row = await tx.first(_RETURN_TOTALS, return_id=return_id)
    assert row is not None
    return int(row["arrived"]), bool(row["done"])


async def give_up(tx: Transaction, refund_id: UUID, now: datetime, *, given_up: bool) -> None:
    """Whether finance gave up what is missing of a refund."""
    await tx.run(_GIVE_UP, id=refund_id, given_up=given_up, now=now)


async def set_approved(tx: Transaction, refund_id: UUID, approver_id: UUID, now: datetime) -> None:
    """Who approved it last; every approval stands in ``approvals``."""
    await tx.run(_APPROVE, id=refund_id, approver_id=approver_id, now=now)


async def of_returns(tx: Transaction, return_ids: Sequence[UUID]) -> list[Row]:
    return await tx.all(_OF_RETURNS, return_ids=list(return_ids))


async def shipping_refunded(
    tx: Transaction, order_id: UUID, judged: UUID | None = None
) -> dict[str, int]:
    """What was refunded of each shipping line, here or elsewhere, or is owed, by external id (minor
    units).

    A refund that failed still owes it; only one that was given up does not. ``judged`` is the
    return whose goods are being judged: its outstanding advance is set against what they are due.
    """
    found = await outside_facts.shipping(tx, order_id)
    for row in await tx.all(_PARTS, order_id=order_id, judged=judged):
        for part in row["parts"] or ():
            if part["kind"] == "shipping":
                found[part["line"]] = found.get(part["line"], 0) + part["amount"]
    return found


async def order_exists(tx: Transaction, order_id: UUID) -> bool:
    return await tx.value(_ORDER_EXISTS, id=order_id) is not None
