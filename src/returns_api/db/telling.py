"""What a notification speaks of: person, order and return as they are when it is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, and_, exists, or_, select

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import (
    deadlines,
    events,
    order_people,
    orders,
    return_lines,
    returns,
    shipments,
    shops,
)

_EVENT: Final = Query(
    select(
        events,
        orders.c.number.label("order_number"),
        *(order_people.c[name] for name in ("email", "phone", "customer_id", "name", "locale")),
        order_people.c.erased_at,
        shops.c.name.label("shop_name"),
        shops.c.locale.label("shop_locale"),
        shops.c.timezone,
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


async def event(tx: Transaction, event_id: UUID) -> Row | None:
    """The event with what may be said around it; the person's part is empty once erased."""
    return await tx.first(_EVENT, event_id=event_id)


async def buyers_deadline(tx: Transaction, return_id: UUID, resource_id: UUID) -> datetime | None:
    """By when the buyer has to act: on the thing itself, else on its return; a right that runs out
    (the dispute window) is no such thing."""
    found: datetime | None = await tx.value(_DEADLINE, return_id=return_id, resource_id=resource_id)
    return found
