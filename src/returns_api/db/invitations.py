"""Invitations as deadlines of their order: begun with what causes them, in its statement or beside
it, and what speaks against one when its moment has come.

Whether a shop asks, and after how many days, is read from its settings by the statement itself.
There is one of a kind for each order or return, for ever.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Text,
    Uuid,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import (
    complaints,
    disputes,
    order_deadlines,
    refunds,
    return_lines,
    returns,
    shops,
)
from returns_api.domain.complaints import SATISFIED
from returns_api.domain.invitations import CHECK_IN, OBJECT, REVIEW, TOO_LATE, Outcome
from returns_api.domain.lifecycle.deadlines import OPEN

_t: Final = order_deadlines
_MOMENT: Final = DateTime(timezone=True)
_NOW: Final = given("now", _MOMENT)
_COLUMNS: Final = (
    "shop_id",
    "order_id",
    "object_id",
    "object",
    "kind",
    "owner",
    "on_silence",
    "state",
    "due_at",
    "wake_at",
    "begun_at",
)


def _begun(
    kind: str, of: FromClause, order_id: Any, object_id: Any, since: ColumnElement[Any]
) -> Insert:
    """So many days after ``since`` as the shop says, where it says so and it is not over yet."""
    days = cast(shops.c.after_sales[f"{kind}_days"].astext, Integer)
    due = since + func.make_interval(0, 0, 0, days)
    words = (literal(each, Text) for each in (OBJECT, kind, "system", "invite", OPEN))
    rows = (
        select(SHOP, order_id, object_id, *words, due, due, _NOW)
        .select_from(of)
        .where(here(shops), days.is_not(None), due > _NOW - TOO_LATE)
    )
    return insert(_t).from_select(_COLUMNS, rows)


def review_begun(completed: CTE) -> CTE:
    """The review of a return that a statement completes (``id``, ``order_id``), the first time. The
    buyer is not asked how a gift came back."""
    rows = completed.join(shops, completed.c.gift_receipt_id.is_(None))
    beginning = _begun(REVIEW, rows, completed.c.order_id, completed.c.id, _NOW)
    return beginning.on_conflict_do_nothing().cte("invited")


def _check_in() -> Query:
    order_id = given("order_id", Uuid)
    adding = _begun(CHECK_IN, shops, order_id, order_id, given("delivered_at", _MOMENT))
    later = adding.excluded.due_at
    return Query(
        adding.on_conflict_do_update(
            index_elements=["shop_id", "order_id", "object_id", "kind"],
            set_={"due_at": later, "wake_at": later},
            where=and_(_t.c.wake_at.is_not(None), _t.c.due_at < later),
        )
    )


_CHECK_IN: Final = _check_in()
_of_this: Final = and_(
    here(_t),
    _t.c.order_id == given("order_id"),
    _t.c.object_id == given("object_id"),
    _t.c.kind == given("kind"),
    _t.c.wake_at <= _NOW,
)
_FIND: Final = Query(
    select(_t.c.due_at, shops.c.after_sales)
    .join(shops, shops.c.shop_id == _t.c.shop_id)
    .where(_of_this, here(shops))
)
_PUT_OFF: Final = Query(update(_t).where(_of_this).values(wake_at=given("later", _MOMENT)))
_END: Final = Query(
    update(_t).where(_of_this).values(state=given("state", Text), wake_at=None, ended_at=_NOW)
)


def _any(table: Any, *conditions: Any) -> ColumnElement[bool]:
    return select(literal(1)).where(here(table), *conditions).exists()


_OUTCOME: Final = Query(
    select(
        returns.c.state,
        returns.c.resolution,
        returns.c.expected_minor,
        returns.c.refunded_minor,
        _any(
            return_lines,
            return_lines.c.return_id == returns.c.id,
            return_lines.c.state == "rejected",
        ).label("refused"),
        _any(disputes, disputes.c.return_id == returns.c.id).label("disputed"),
        _any(
            refunds,
            refunds.c.order_id == returns.c.order_id,
            refunds.c.return_id == returns.c.id,
            refunds.c.overdue_since.is_not(None),
        ).label("late"),
        _any(
            complaints,
            complaints.c.order_id == returns.c.order_id,
            or_(complaints.c.escalated_at.is_not(None), complaints.c.score < SATISFIED),
        ).label("displeased"),
    ).where(here(returns), returns.c.id == given("return_id"))
)


async def begin_check_in(
    tx: Transaction, order_id: UUID, delivered_at: datetime, now: datetime
) -> None:
    """Ask some days after this delivery, if the shop does; a later parcel puts it off, and who was
    asked is not asked again."""
    await tx.run(_CHECK_IN, order_id=order_id, delivered_at=delivered_at, now=now)


async def find_due(tx: Transaction, order_id: UUID, late: Row, now: datetime) -> Row | None:
    """The invitation whose moment has come (``due_at``, however often it was put off) with the
    shop's settings; None when it was seen to meanwhile."""
    return await tx.first(_FIND, **_key(order_id, late), now=now)


async def put_off(
    tx: Transaction, order_id: UUID, late: Row, now: datetime, wait: timedelta
) -> None:
    """Look at it again later; its moment stays what it was."""
    await tx.run(_PUT_OFF, **_key(order_id, late), now=now, later=now + wait)


async def end(tx: Transaction, order_id: UUID, late: Row, now: datetime, state: str) -> None:
    """It was asked, or never will be."""
    await tx.run(_END, **_key(order_id, late), now=now, state=state)


async def outcome(tx: Transaction, return_id: UUID) -> Outcome | None:
    """What a return came to."""
    row = await tx.first(_OUTCOME, return_id=return_id)
    return None if row is None else Outcome(**dict(row.items()))


def _key(order_id: UUID, late: Row) -> dict[str, Any]:
    return {"order_id": order_id, "object_id": late["object_id"], "kind": late["kind"]}
