"""Messages from outside: stored once, claimed with a counted try, finished under the same try.

``attempt`` only grows and is the fence: whoever finishes a message names the try under which it
was claimed, so a worker that was paused beyond its lease changes nothing. ``waits`` counts the
tries that found something missing which another message will bring; they are no failures.
``waiting_for`` names that thing, so that its arrival can make the message due at once. ``deaths``
counts the tries of which nobody heard again: a lease that somebody has to take over was left so.

The body of a processed message is emptied: its facts live in tables where a person can be erased.
The row stays, and with it the memory that this event was seen. Of the others: ``inbox_bodies``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import (
    DateTime,
    LargeBinary,
    Text,
    and_,
    any_,
    case,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from returns_api.db.engine import Database, Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import inbox as _t

IGNORED_KEPT: Final = timedelta(days=30)
"""How long a message that told nothing we follow can be tried anew: its body may hold persons whom
nothing else here knows, so nobody could find it to erase them."""

_SHOWN: Final = tuple(c for c in _t.c if c.name not in {"shop_id", "body"})

_ADD: Final = Query(
    insert(_t)
    .values(
        shop_id=SHOP,
        due_at=given("received_at"),
        **{name: given(name) for name in ("id", "source", "event_id", "topic", "body")},
        received_at=given("received_at"),
    )
    .on_conflict_do_nothing(index_elements=["shop_id", "source", "event_id"])
    .returning(_t.c.id)
)
_FREE: Final = or_(_t.c.leased_until.is_(None), _t.c.leased_until <= given("now"))
_before = _t.alias("before")
_LEFT: Final = (
    select(_before.c.leased_until.is_not(None))
    .where(_before.c.shop_id == _t.c.shop_id, _before.c.id == _t.c.id)
    .scalar_subquery()
    .label("left")
)
"""Whether the try before never came to an end: a statement's own reads see what was before it."""
_CLAIM: Final = Query(
    update(_t)
    .where(
        here(_t),
        _t.c.id == given("id"),
        _t.c.state == "received",
        _t.c.due_at <= given("now"),
        _FREE,
    )
    .values(
        attempt=_t.c.attempt + 1,
        deaths=_t.c.deaths + case((_t.c.leased_until.is_not(None), 1), else_=0),
        leased_until=given("leased_until"),
    )
    .returning(_t, _LEFT)
)
_HELD: Final = and_(
    here(_t),
    _t.c.id == given("id"),
    _t.c.attempt == given("attempt"),
    _t.c.state == "received",
)
_READ_HELD: Final = Query(select(_t).where(_HELD, _t.c.leased_until.is_not(None)))
_FINISH: Final = Query(
    update(_t)
    .where(_HELD)
    .values(
        state=given("state"),
        processed_at=given("now"),
        body=case(
            (_t.c.forgotten, literal(b"", LargeBinary)),
            else_=func.coalesce(given("body", LargeBinary), _t.c.body),
        ),
        error=given("error"),
        due_at=given("gone_at", DateTime(timezone=True)),
        leased_until=null(),
        waiting_for=null(),
    )
)
_POSTPONE: Final = Query(
    update(_t)
    .where(_HELD)
    .values(
        due_at=given("due_at"),
        waits=_t.c.waits + given("waits"),
        waiting_for=given("waiting_for"),
        error=given("error"),
        leased_until=null(),
    )
)
_asleep = (
    select(_t.c.id)
    .where(
        here(_t),
        _t.c.waiting_for == any_(given("keys", ARRAY(Text))),
        _t.c.state == "received",
    )
    .with_for_update(skip_locked=True)
)
_WAKE: Final = Query(
    update(_t).where(here(_t), _t.c.id.in_(_asleep)).values(due_at=given("now")).returning(_t.c.id)
)
_REVIVE: Final = Query(
    update(_t)
    .where(
        here(_t),
        _t.c.id == given("id"),
        among(_t.c.state, ("dead", "ignored")),
        func.length(_t.c.body) > 0,
    )
    .values(
        state=literal("received"),
        due_at=given("now"),
        received_at=given("now"),
        processed_at=null(),
        error=null(),
        waits=_t.c.attempt,
    )
    .returning(*_SHOWN)
)
_ONE: Final = Query(select(*_SHOWN).where(here(_t), _t.c.id == given("id")))
_PAGE: Final = Query(
    select(*_SHOWN)
    .where(here(_t), _t.c.state == given("state"), _t.c.id < given("before"))
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_DUE: Final = Query(
    select(_t.c.shop_id, _t.c.id)
    .where(_t.c.due_at <= given("now"), _FREE)
    .order_by(_t.c.due_at)
    .limit(given("limit"))
)


async def add(
    tx: Transaction,
    *,
    message_id: UUID,
    source: str,
    event_id: str,
    topic: str,
    body: bytes,
    received_at: datetime,
) -> bool:
    """Store a message that is due at once; False when its event was stored before."""
    found = await tx.value(
        _ADD,
        id=message_id,
        source=source,
        event_id=event_id,
        topic=topic,
        body=body,
        received_at=received_at,
    )
    return found is not None


async def claim(tx: Transaction, message_id: UUID, now: datetime, until: datetime) -> Row | None:
    """The message, its try counted and leased; None when it is not due, done or in other hands.

    ``left``: the try before never came to an end.
    """
    return await tx.first(_CLAIM, id=message_id, now=now, leased_until=until)


async def held(tx: Transaction, message_id: UUID, attempt: int) -> Row | None:
    """A message that this try holds, whole; None once the try has come to an end."""
    return await tx.first(_READ_HELD, id=message_id, attempt=attempt)


async def finish(
    tx: Transaction,
    message_id: UUID,
    attempt: int,
    *,
    state: str,
    now: datetime,
    error: str | None = None,
    keep_body: bool = True,
) -> bool:
    """End a claimed message; False when another try holds it by now (the caller must roll back).

    A body that nobody could follow is due for emptying after a while.
    """
    touched = await tx.run(
        _FINISH,
        id=message_id,
        attempt=attempt,
        state=state,
        now=now,
        error=error,
        body=None if keep_body else b"",
        gone_at=now + IGNORED_KEPT if keep_body and state == "ignored" else None,
    )
    return bool(touched)


async def postpone(
    tx: Transaction,
    message_id: UUID,
    attempt: int,
    *,
    due_at: datetime,
    error: str,
    waiting_for: str | None = None,
    failed: bool = True,
) -> bool:
    """Give a claimed message back for a later try; with ``waiting_for`` it is no failure."""
    touched = await tx.run(
        _POSTPONE,
        id=message_id,
        attempt=attempt,
        due_at=due_at,
        waits=0 if failed and waiting_for is None else 1,
        waiting_for=waiting_for,
        error=error,
    )
    return bool(touched)


async def wake(tx: Transaction, keys: Sequence[str], now: datetime) -> list[UUID]:
    """Make due what waits for one of ``keys``; skips what another worker holds right now."""
    return [row["id"] for row in await tx.all(_WAKE, keys=list(keys), now=now)]


async def revive(tx: Transaction, message_id: UUID, now: datetime) -> Row | None:
    """Start a dead or ignored message anew, as if received now; None when that cannot be."""
    return await tx.first(_REVIVE, id=message_id, now=now)


async def one(tx: Transaction, message_id: UUID) -> Row | None:
    """A message without its body."""
    return await tx.first(_ONE, id=message_id)


async def page(tx: Transaction, *, state: str, before: UUID, limit: int) -> list[Row]:
    """Messages in one state, newest first, without their bodies."""
    return await tx.all(_PAGE, state=state, before=before, limit=limit)


async def due(database: Database, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and id of due messages over all shops, the longest due first."""
    found = await database.sweep(_DUE, now=now, limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]
