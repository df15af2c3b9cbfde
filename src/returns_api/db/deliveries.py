"""One event on its way to one endpoint: claimed before it is sent, finished by the same attempt.

Lock order: the endpoint, then its deliveries.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Select,
    Text,
    and_,
    any_,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import deliveries as _t
from returns_api.db.tables import delivery_attempts as _attempts
from returns_api.db.tables import events as _events
from returns_api.db.tables import webhook_endpoints as _endpoints
from returns_api.domain.webhooks import MAX_TRIES

STATES: Final = ("queued", "sending", "succeeded", "dead")

_now = given("now", DateTime(timezone=True))
_due = and_(
    among(_t.c.state, ("queued", "sending")),
    _t.c.due_at <= _now,
    or_(_t.c.leased_until.is_(None), _t.c.leased_until <= _now),
)
_of_event = and_(here(_t), _t.c.event_id == given("event_id"))
_its_endpoint = and_(here(_endpoints), _endpoints.c.id == _t.c.endpoint_id)

_CLAIM: Final = Query(
    update(_t)
    .where(
        _of_event,
        _due,
        _its_endpoint,
        _endpoints.c.state == "active",
        _t.c.attempt - _t.c.tries_before < MAX_TRIES,
    )
    .values(attempt=_t.c.attempt + 1, state="sending", leased_until=given("until"))
    .returning(
        _t.c.endpoint_id,
        _t.c.attempt,
        (_t.c.attempt - _t.c.tries_before).label("tries"),
        _endpoints.c.url,
        _endpoints.c.secrets_sealed,
    )
)
_ABANDON: Final = Query(
    update(_t)
    .where(
        _of_event,
        _due,
        _its_endpoint,
        or_(_endpoints.c.state != "active", _t.c.attempt - _t.c.tries_before >= MAX_TRIES),
    )
    .values(state="dead", due_at=null(), leased_until=null())
)
_EVENT: Final = Query(select(_events).where(here(_events), _events.c.id == given("id")))
_FINISH: Final = Query(
    update(_t)
    .where(
        _of_event,
        _t.c.endpoint_id == given("endpoint_id"),
        _t.c.attempt == given("attempt"),
        _t.c.state == "sending",
    )
    .values(
        state=given("state"),
        due_at=given("due_at", DateTime(timezone=True)),
        leased_until=null(),
        last_status=given("status"),
    )
)
_ADD_ATTEMPT: Final = Query(
    insert(_attempts).values(
        shop_id=SHOP,
        **{
            name: given(name)
            for name in ("event_id", "endpoint_id", "no", "at", "status", "error", "duration_ms")
        },
    )
)
DUE: Final = Query(
    select(_t.c.shop_id, _t.c.event_id)
    .where(_t.c.due_at <= _now, or_(_t.c.leased_until.is_(None), _t.c.leased_until <= _now))
    .group_by(_t.c.shop_id, _t.c.event_id)
    .order_by(func.min(_t.c.due_at), _t.c.event_id)
    .limit(given("limit"))
)

_with_event = and_(_events.c.shop_id == _t.c.shop_id, _events.c.id == _t.c.event_id)
_SHOWN: Final = select(
    _t,
    _events.c.type,
    _events.c.resource_type,
    _events.c.resource_id,
    _events.c.sequence,
).join(_events, _with_event)
_PAGE: Final = Query(
    _SHOWN.where(
        here(_t),
        _t.c.endpoint_id == given("endpoint_id"),
        _t.c.event_id < given("before"),
        or_(given("state", Text).is_(None), _t.c.state == given("state", Text)),
    )
    .order_by(_t.c.event_id.desc())
    .limit(given("limit"))
)
_ATTEMPTS: Final = Query(
    select(_attempts)
    .where(
        here(_attempts),
        _attempts.c.event_id == given("event_id"),
        _attempts.c.endpoint_id == given("endpoint_id"),
    )
    .order_by(_attempts.c.no)
    .limit(given("limit"))
)
_ONE: Final = Query(select(_t.c.state).where(_of_event, _t.c.endpoint_id == given("endpoint_id")))


def _again(chosen: Select[Any], *states: str) -> Query:
    """Queue the chosen events for an endpoint, new or once more, unless they are on their way."""
    statement = upsert(_t).from_select(
        ["shop_id", "event_id", "endpoint_id", "due_at", "created_at"], chosen
    )
    return Query(
        statement.on_conflict_do_update(
            index_elements=[_t.c.shop_id, _t.c.event_id, _t.c.endpoint_id],
            set_={
                "state": "queued",
                "tries_before": _t.c.attempt,
                "due_at": statement.excluded.due_at,
                "leased_until": null(),
            },
            where=among(_t.c.state, states),
        ).returning(_t.c.event_id)
    )


_endpoint_id = given("endpoint_id", _t.c.endpoint_id.type)
_REPLAY_ONE: Final = _again(
    select(SHOP, _events.c.id, _endpoint_id, _now, _now).where(
        here(_events), _events.c.id == given("event_id")
    ),
    "succeeded",
    "dead",
)
_topics = _endpoints.c.topics
_asked = or_(
    literal("*") == any_(_topics),
    _events.c.type == any_(_topics),
    func.concat(func.split_part(_events.c.type, ".", 1), ".*") == any_(_topics),
)
_its_delivery = and_(
    _t.c.shop_id == _events.c.shop_id,
    _t.c.event_id == _events.c.id,
    _t.c.endpoint_id == _endpoint_id,
)
_REPLAY_FAILED: Final = _again(
    select(SHOP, _events.c.id, _endpoint_id, _now, _now)
    .join_from(_events, _t, _its_delivery)
    .where(here(_events), _events.c.at >= given("since"), _t.c.state == "dead")
    .order_by(_events.c.id)
    .limit(given("limit")),
    "dead",
)
_REPLAY_MISSED: Final = _again(
    select(SHOP, _events.c.id, _endpoint_id, _now, _now)
    .join_from(_events, _endpoints, and_(here(_endpoints), _endpoints.c.id == _endpoint_id, _asked))
    .outerjoin(_t, _its_delivery)
    .where(
        here(_events),
        _events.c.at >= given("since"),
        or_(_t.c.event_id.is_(None), _t.c.state == "dead"),
    )
    .order_by(_events.c.id)
    .limit(given("limit")),
    "dead",
)


async def claim(tx: Transaction, event_id: UUID, now: datetime, until: datetime) -> list[Row]:
    """Take every due delivery of the event for one try.

    Counts the try before it runs, so that a try that kills its worker is counted too. When none is
    left, deliveries that stay due (tries used up, endpoint disabled) end here.
    """
    claimed = await tx.all(_CLAIM, event_id=event_id, now=now, until=until)
    if not claimed:
        await tx.run(_ABANDON, event_id=event_id, now=now)
    return claimed


async def event(tx: Transaction, event_id: UUID) -> Row | None:
    return await tx.first(_EVENT, id=event_id)


async def finish(
    tx: Transaction, event_id: UUID, endpoint_id: UUID, attempt: int, **values: Any
) -> bool:
    """Write the outcome of ``attempt``; False when another attempt holds the delivery by now."""
    return bool(
        await tx.run(_FINISH, event_id=event_id, endpoint_id=endpoint_id, attempt=attempt, **values)
    )


async def add_attempt(tx: Transaction, **values: Any) -> None:
    await tx.run(_ADD_ATTEMPT, **values)


async def page(
    tx: Transaction, endpoint_id: UUID, *, before: UUID, state: str | None, limit: int
) -> list[Row]:
    """Deliveries to one endpoint, newest event first."""
    return await tx.all(_PAGE, endpoint_id=endpoint_id, before=before, state=state, limit=limit)


async def attempts(
    tx: Transaction, event_id: UUID, endpoint_id: UUID, limit: int
) -> list[Row] | None:
    """The tries of one delivery in their order; None when there is no such delivery."""
    if await tx.first(_ONE, event_id=event_id, endpoint_id=endpoint_id) is None:
        return None
    return await tx.all(_ATTEMPTS, event_id=event_id, endpoint_id=endpoint_id, limit=limit)


async def replay_one(tx: Transaction, event_id: UUID, endpoint_id: UUID, now: datetime) -> bool:
    """Queue one event for an endpoint again; False when it is on its way already."""
    found = await tx.all(_REPLAY_ONE, event_id=event_id, endpoint_id=endpoint_id, now=now)
    return bool(found)


async def replay_since(
    tx: Transaction,
    endpoint_id: UUID,
    since: datetime,
    now: datetime,
    *,
    missed: bool,
    limit: int,
) -> list[UUID]:
    """Queue dead deliveries of events since a time again, oldest first; gives the events' ids.

    ``missed`` adds events that the endpoint asks for and was never sent.
    """
    query = _REPLAY_MISSED if missed else _REPLAY_FAILED
    found = await tx.all(query, endpoint_id=endpoint_id, since=since, now=now, limit=limit)
    return [row["event_id"] for row in found]
