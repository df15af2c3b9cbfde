"""Advances: granted or declined once per return, settled once, found when their time is over.

Refuses to own the money of an advance (``refunds``) and what has to come back of it
(``recoveries``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Text,
    Uuid,
    any_,
    case,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from returns_api.db.engine import Row, Transaction
from returns_api.db.listings import standing
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import advances as _t
from returns_api.db.tables import orders, returns
from returns_api.domain.advances import AdvanceRecord

_COLUMNS: Final = tuple(_t.c[name] for name in AdvanceRecord.__dataclass_fields__)
_ADDED: Final = (
    "id",
    "order_id",
    "return_id",
    "refund_id",
    "exchange_id",
    "state",
    "reason",
    "buyer",
    "day",
    "amount_minor",
    "currency",
    "due_at",
    "created_at",
)
_ADD: Final = Query(
    insert(_t).values(shop_id=SHOP, **{name: given(name, _t.c[name].type) for name in _ADDED})
)
_early = returns.c.terms["advance"]["at"].astext
_ORDER_TO_LOCK: Final = Query(
    select(returns.c.order_id).where(
        here(returns),
        returns.c.id == given("return_id"),
        _early == given("moment", Text),
        among(returns.c.state, ("requested", "info_needed", "approved", "in_transit")),
    )
)
_BUYER: Final = Query(
    select(
        orders.c.customer_key, standing(orders.c.customer_key, orders.c.email_key).label("listed")
    ).where(here(orders), orders.c.id == given("order_id"))
)
_ONE: Final = Query(select(*_COLUMNS).where(here(_t), _t.c.id == given("id")))
_LOCK_OF_RETURN: Final = Query(
    select(*_COLUMNS).where(here(_t), _t.c.return_id == given("return_id")).with_for_update()
)
_OF_RETURNS: Final = Query(
    select(*_COLUMNS).where(here(_t), _t.c.return_id == any_(given("return_ids", ARRAY(Uuid))))
)
_SETTLE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.state == "outstanding")
    .values(
        state=given("state"),
        never_paid_minor=given("never_paid_minor", BigInteger),
        applied_minor=given("applied_minor", BigInteger),
        parts=given("parts", JSONB(none_as_null=True)),
        settled_at=given("now"),
        due_at=None,
        sequence=_t.c.sequence + 1,
    )
    .returning(_t.c.sequence)
)
_more = given("parts", JSONB(none_as_null=True))
_APPLY_LATE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.state == "settled")
    .values(
        applied_minor=_t.c.applied_minor + given("applied_minor", BigInteger),
        parts=case(
            (_more.is_(None), _t.c.parts),
            else_=func.coalesce(_t.c.parts, literal([], JSONB)).concat(_more),
        ),
        sequence=_t.c.sequence + 1,
    )
    .returning(_t.c.sequence)
)
_POSTPONE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.state == "outstanding")
    .values(due_at=given("due_at"))
)
_HURRY: Final = Query(
    update(_t)
    .where(here(_t), _t.c.return_id == given("return_id"), _t.c.state == "outstanding")
    .values(due_at=func.least(_t.c.due_at, given("now", DateTime(timezone=True))))
    .returning(_t.c.id)
)
_SETTLED_OF_REFUND: Final = Query(
    select(_t.c.id).where(here(_t), _t.c.refund_id == given("refund_id"), _t.c.state == "settled")
)
DUE: Final = Query(
    select(_t.c.shop_id, _t.c.id)
    .where(_t.c.due_at <= given("now"))
    .order_by(_t.c.due_at)
    .limit(given("limit"))
)


async def add(tx: Transaction, **values: Any) -> None:
    """Once per return: the key refuses a second one."""
    await tx.run(_ADD, **values)


async def order_to_lock(tx: Transaction, return_id: UUID, moment: str) -> UUID | None:
    """The order whose payments must be locked before this return, since the moment may grant an
    advance; None when it cannot."""
    found: UUID | None = await tx.value(_ORDER_TO_LOCK, return_id=return_id, moment=moment)
    return found


async def buyer(tx: Transaction, order_id: UUID, now: datetime) -> tuple[bytes | None, str | None]:
    """The keyed hash that stands for the order's customer, None for a guest or after erasure; and
    the list of the shop that they are on."""
    row = await tx.first(_BUYER, order_id=order_id, now=now)
    return (None, None) if row is None else (row["customer_key"], row["listed"])


async def one(tx: Transaction, advance_id: UUID) -> AdvanceRecord | None:
    row = await tx.first(_ONE, id=advance_id)
    return None if row is None else _record(row)


async def lock_of_return(tx: Transaction, return_id: UUID) -> AdvanceRecord | None:
    """The return must be locked."""
    row = await tx.first(_LOCK_OF_RETURN, return_id=return_id)
    return None if row is None else _record(row)


async def of_returns(tx: Transaction, return_ids: Sequence[UUID]) -> dict[UUID, AdvanceRecord]:
    """By return."""
    found = await tx.all(_OF_RETURNS, return_ids=list(return_ids))
    return {row["return_id"]: _record(row) for row in found}


async def settle(
    tx: Transaction,
    advance_id: UUID,
    state: str,
    now: datetime,
    *,
    never_paid_minor: int,
    applied_minor: int,
    parts: Sequence[Mapping[str, Any]] | None,
) -> int:
    """End a locked advance; ``parts`` are what was due for its goods. The new sequence."""
    sequence = await tx.value(
        _SETTLE,
        id=advance_id,
        state=state,
        now=now,
        never_paid_minor=never_paid_minor,
        applied_minor=applied_minor,
        parts=None if parts is None else list(parts),
    )
    assert sequence is not None
    return int(sequence)


async def apply_late(
    tx: Transaction,
    advance_id: UUID,
    applied_minor: int,
    parts: Sequence[Mapping[str, Any]] | None,
) -> int:
    """Something is due after its end: what it covers; ``parts`` add to what it paid for before. The
    new sequence."""
    sequence = await tx.value(
        _APPLY_LATE,
        id=advance_id,
        applied_minor=applied_minor,
        parts=None if parts is None else list(parts),
    )
    assert sequence is not None
    return int(sequence)


async def postpone(tx: Transaction, advance_id: UUID, due_at: datetime) -> None:
    """Look at it again then."""
    await tx.run(_POSTPONE, id=advance_id, due_at=due_at)


async def hurry(tx: Transaction, return_id: UUID, now: datetime) -> UUID | None:
    """The goods of a return will not come: its outstanding advance is due now. Its id."""
    found: UUID | None = await tx.value(_HURRY, return_id=return_id, now=now)
    return found


async def is_settled(tx: Transaction, refund_id: UUID) -> bool:
    """Whether this refund was an advance whose goods were judged: then what of it comes back is
    owed as any refund is."""
    return await tx.value(_SETTLED_OF_REFUND, refund_id=refund_id) is not None


def _record(row: Row) -> AdvanceRecord:
    return AdvanceRecord(**row)
