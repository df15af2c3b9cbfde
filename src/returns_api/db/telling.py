"""What a notification speaks of: person, order and return as they are when it is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, case, exists, null, or_, select

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import (
    deadlines,
    events,
    gift_recipients,
    order_deadlines,
    order_people,
    orders,
    return_lines,
    returns,
    shipments,
    shops,
)

_gift: Final = gift_recipients
_BY_EMAIL: Final = frozenset({"email", "name", "locale", "erased_at"})


def _told(name: str) -> ColumnElement[Any]:
    """What is known of whoever is told: of a gift's return its recipient, by e-mail, and nothing of
    the buyer; else the order's person."""
    theirs = _gift.c[name] if name in _BY_EMAIL else null()
    return case((_gift.c.return_id.is_not(None), theirs), else_=order_people.c[name]).label(name)


_EVENT: Final = Query(
    select(
        events,
        orders.c.number.label("order_number"),
        *(_told(n) for n in ("email", "phone", "customer_id", "name", "locale", "erased_at")),
        shops.c.name.label("shop_name"),
        shops.c.locale.label("shop_locale"),
        shops.c.timezone,
        shops.c.after_sales,
        returns.c.number.label("return_number"),
        returns.c.state.label("return_state"),
        returns.c.info_request,
        shipments.c.label_url,
        exists()
        .where(
            here(return_lines),
            return_lines.c.return_id == events.c.return_id,
            return_lines.c.state == "rejected",
        )
        .label("partly"),
    )
    .join(orders, and_(orders.c.shop_id == events.c.shop_id, orders.c.id == events.c.order_id))
    .join(shops, shops.c.shop_id == events.c.shop_id)
    .outerjoin(
        order_people,
        and_(order_people.c.shop_id == orders.c.shop_id, order_people.c.order_id == orders.c.id),
    )
    .outerjoin(
        returns, and_(returns.c.shop_id == events.c.shop_id, returns.c.id == events.c.return_id)
    )
    .outerjoin(
        _gift,
        and_(_gift.c.shop_id == returns.c.shop_id, _gift.c.return_id == returns.c.id),
    )
    .outerjoin(
        shipments,
        and_(shipments.c.shop_id == returns.c.shop_id, shipments.c.return_id == returns.c.id),
    )
    .where(here(events), here(orders), here(shops), events.c.id == given("event_id"))
)
_DEADLINE: Final = Query(
    select(deadlines.c.due_at)
    .where(
        here(deadlines),
        deadlines.c.return_id == given("return_id"),
        or_(
            deadlines.c.object_id == given("resource_id", Uuid),
            deadlines.c.object_id == deadlines.c.return_id,
        ),
        deadlines.c.owner == "buyer",
        deadlines.c.kind != "dispute_window",
        deadlines.c.wake_at.is_not(None),
    )
    .order_by((deadlines.c.object_id == given("resource_id", Uuid)).desc(), deadlines.c.due_at)
    .limit(1)
)


_ORDER_DEADLINE: Final = Query(
    select(order_deadlines.c.due_at)
    .where(
        here(order_deadlines),
        order_deadlines.c.order_id == given("order_id"),
        order_deadlines.c.object_id == given("resource_id", Uuid),
        order_deadlines.c.owner == "buyer",
        order_deadlines.c.wake_at.is_not(None),
    )
    .order_by(order_deadlines.c.due_at)
    .limit(1)
)


async def event(tx: Transaction, event_id: UUID) -> Row | None:
    """The event with what may be said around it; the person's part is empty once erased."""
    return await tx.first(_EVENT, event_id=event_id)


async def buyers_deadline(tx: Transaction, event: Row) -> datetime | None:
    """By when the buyer has to act: on the thing itself, else on its return; a right that runs out
    (the dispute window) is no such thing. What is kept by its order has its own alone."""
    found: datetime | None = None
    of = {"resource_id": event["resource_id"]}
    if event["resource_type"] == "complaint":
        found = await tx.value(_ORDER_DEADLINE, order_id=event["order_id"], **of)
    elif event["return_id"] is not None:
        found = await tx.value(_DEADLINE, return_id=event["return_id"], **of)
    return found
