"""Notifications: claimed before they are sent, finished by the same try, listed, forgotten.

The outbox writes them, in the transaction of what they tell. Lock order: a notification is locked
last, and alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, Integer, Text, Uuid, and_, any_, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from returns_api.db.engine import Row, Transaction
from returns_api.db.gifts import is_of_gift
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import events as _events
from returns_api.db.tables import notifications as _t
from returns_api.domain.notifications import MAX_TRIES

OPEN: Final = ("queued", "sending")

_now = given("now", DateTime(timezone=True))
_of_event = and_(here(_t), _t.c.event_id == given("event_id"))
_free = or_(_t.c.leased_until.is_(None), _t.c.leased_until <= _now)
_due = and_(among(_t.c.state, OPEN), _t.c.due_at <= _now, _free)

_CLAIM: Final = Query(
    update(_t)
    .where(_of_event, _due, _t.c.attempt < MAX_TRIES)
    .values(attempt=_t.c.attempt + 1, state="sending", leased_until=given("until"))
    .returning(_t)
)
_GIVE_UP: Final = Query(
    update(_t)
    .where(_of_event, _due, _t.c.attempt >= MAX_TRIES)
    .values(state="failed", reason="tries_used", due_at=null(), leased_until=null(), ended_at=_now)
)
_FINISH: Final = Query(
    update(_t)
    .where(
        _of_event,
        _t.c.kind == given("kind"),
        _t.c.channel == given("channel"),
        _t.c.attempt == given("attempt"),
        _t.c.state == "sending",
    )
    .values(
        state=given("state"),
        due_at=given("due_at", DateTime(timezone=True)),
        leased_until=null(),
        reason=given("reason", Text),
        language=given("language", Text),
        ended_at=given("ended_at", DateTime(timezone=True)),
        attempt=_t.c.attempt - given("uncounted", Integer),
    )
)
_ADD: Final = Query(
    upsert(_t)
    .values(
        shop_id=SHOP,
        **{
            name: given(name)
            for name in ("event_id", "kind", "channel", "order_id", "return_id", "due_at")
        },
    )
    .on_conflict_do_nothing()
)
DUE: Final = Query(
    select(_t.c.shop_id, _t.c.event_id)
    .where(_t.c.due_at <= _now, _free)
    .group_by(_t.c.shop_id, _t.c.event_id)
    .order_by(func.min(_t.c.due_at), _t.c.event_id)
    .limit(given("limit"))
)
_with_event = and_(_events.c.shop_id == _t.c.shop_id, _events.c.id == _t.c.event_id)
_shown = select(_t, _events.c.type, _events.c.at.label("happened_at")).join(_events, _with_event)
_before = (here(_t), here(_events), _t.c.event_id < given("before"))
_in_state = or_(given("state", Text).is_(None), _t.c.state == given("state", Text))
_newest = (_t.c.event_id.desc(), _t.c.kind, _t.c.channel)
_PAGE: Final = Query(_shown.where(*_before, _in_state).order_by(*_newest).limit(given("limit")))
_OF_ORDER: Final = Query(
    _shown.where(*_before, _in_state, _t.c.order_id == given("order_id", Uuid))
    .order_by(*_newest)
    .limit(given("limit"))
)
_of_orders = _t.c.order_id == any_(given("order_ids", ARRAY(Uuid)))
_told: Final = select(
    _t.c.order_id, _t.c.return_id, _t.c.kind, _t.c.channel, _t.c.state, _t.c.ended_at
).where(here(_t), _of_orders)
_OF_RETURNS: Final = Query(
    _told.where(_t.c.return_id == any_(given("return_ids", ARRAY(Uuid)))).order_by(
        _t.c.event_id, _t.c.kind, _t.c.channel
    )
)
_OF_ORDERS: Final = Query(
    _told.where(~is_of_gift(_t.c.return_id)).order_by(
        _t.c.order_id, _t.c.event_id, _t.c.kind, _t.c.channel
    )
)
_forgotten = (
    update(_t)
    .values(state="suppressed", reason="erased", due_at=null(), ended_at=_now)
    .where(here(_t), _t.c.state == "queued")
)
_FORGET: Final = Query(_forgotten.where(_of_orders))
_FORGET_OF_RETURNS: Final = Query(
    _forgotten.where(_of_orders, _t.c.return_id == any_(given("return_ids", ARRAY(Uuid))))
)


async def claim(tx: Transaction, event_id: UUID, now: datetime, until: datetime) -> list[Row]:
    """Take every due notification of the event for one try, which is counted before it runs.

    When none is left, those whose tries are used up end here.
    """
    claimed = await tx.all(_CLAIM, event_id=event_id, now=now, until=until)
    if not claimed:
        await tx.run(_GIVE_UP, event_id=event_id, now=now)
    return claimed


async def finish(tx: Transaction, row: Row, *, uncounted: bool = False, **values: Any) -> bool:
    """Write the outcome of the try that ``row`` was claimed for; False when another one holds it.

    ``uncounted`` takes the try back: it was none.
    """
    named = {name: row[name] for name in ("event_id", "kind", "channel", "attempt")}
    return bool(await tx.run(_FINISH, **named, uncounted=int(uncounted), **values))


async def add(tx: Transaction, **values: Any) -> None:
    """One more notification of an event; nothing when it is there already."""
    await tx.run(_ADD, **values)


async def page(
    tx: Transaction, *, before: UUID, limit: int, state: str | None, order_id: UUID | None
) -> list[Row]:
    """Newest event first; of one order, or of the shop."""
    filters = {"before": before, "limit": limit, "state": state}
    if order_id is None:
        return await tx.all(_PAGE, **filters)
    return await tx.all(_OF_ORDER, order_id=order_id, **filters)


async def of_orders(tx: Transaction, order_ids: Sequence[UUID]) -> list[Row]:
    """What was told about these orders, for the person that they are of."""
    return await tx.all(_OF_ORDERS, order_ids=list(order_ids))


async def of_returns(
    tx: Transaction, order_ids: Sequence[UUID], return_ids: Sequence[UUID]
) -> list[Row]:
    """What was told about these returns of the orders alone."""
    return await tx.all(_OF_RETURNS, order_ids=list(order_ids), return_ids=list(return_ids))


async def forget(tx: Transaction, order_ids: Sequence[UUID], now: datetime) -> None:
    """The person was erased: what waits is never sent. What is being sent finishes by itself."""
    await tx.run(_FORGET, order_ids=list(order_ids), now=now)


async def forget_of_returns(
    tx: Transaction, order_ids: Sequence[UUID], return_ids: Sequence[UUID], now: datetime
) -> None:
    """The same for whoever was to be told of these returns of the orders alone."""
    of = {"order_ids": list(order_ids), "return_ids": list(return_ids)}
    await tx.run(_FORGET_OF_RETURNS, **of, now=now)
