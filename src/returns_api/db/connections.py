"""Outside accounts that a shop connected, found by the source slug that everything else stores.

Secrets pass through sealed; this module never sees one open.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Integer,
    Interval,
    Text,
    and_,
    any_,
    func,
    insert,
    null,
    or_,
    select,
    true,
    update,
)

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import connections as _t

_VALUES: Final = (
    "adapter",
    "account",
    "base_url",
    "secret_sealed",
    "webhook_secrets_sealed",
    "gateways",
)

_BY_SOURCE: Final = Query(
    select(_t).where(here(_t), _t.c.source == given("source"), _t.c.active == true())
)
_FIND: Final = Query(select(_t).where(here(_t), _t.c.source == given("source")))
_ACTIVE: Final = Query(
    select(_t)
    .where(here(_t), _t.c.kind == given("kind"), _t.c.active == true())
    .order_by(_t.c.created_at, _t.c.id)
)
_ALL: Final = Query(select(_t).where(here(_t)).order_by(_t.c.source))
_listed = given("gateway", Text) == any_(_t.c.gateways)
_FOR_GATEWAY: Final = Query(
    select(_t)
    .where(
        here(_t),
        _t.c.kind == "payments",
        _t.c.active == true(),
        or_(_listed, _t.c.source == given("gateway", Text)),
    )
    .order_by(_listed.desc(), _t.c.created_at, _t.c.id)
    .limit(1)
)
_TAKEN: Final = Query(
    select(_t.c.source)
    .where(
        here(_t),
        _t.c.kind == "payments",
        _t.c.active == true(),
        _t.c.source != given("source"),
        _t.c.gateways.overlap(given("gateways", _t.c.gateways.type)),
    )
    .order_by(_t.c.source)
    .limit(1)
)
_ADD: Final = Query(
    insert(_t)
    .values(
        shop_id=SHOP,
        reconcile_at=given("reconcile_at", _t.c.reconcile_at.type),
        **{name: given(name) for name in ("id", "source", "kind", "created_at", *_VALUES)},
    )
    .returning(_t)
)
_REPLACE: Final = Query(
    update(_t)
    .where(and_(here(_t), _t.c.id == given("id"), _t.c.version == given("version")))
    .values(
        active=true(),
        version=_t.c.version + 1,
        # New values may mend what made it fail.
        failures=0,
        paused_since=null(),
        paused_until=null(),
        reconcile_at=given("reconcile_at", _t.c.reconcile_at.type),
        **{name: given(name) for name in _VALUES},
    )
    .returning(_t)
)
_DEACTIVATE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.active == true())
    .values(active=False, version=_t.c.version + 1)
    .returning(_t)
)
_LOCK: Final = Query(select(_t).where(here(_t), _t.c.id == given("id")).with_for_update())
_NOTE_FAILURE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"))
    .values(
        failures=given("failures", Integer),
        paused_since=given("paused_since", DateTime(timezone=True)),
        paused_until=given("paused_until", DateTime(timezone=True)),
    )
)
_ANSWERED: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.failures > 0)
    .values(failures=0, paused_since=null(), paused_until=null())
)
_TAKE_PROBE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.paused_until == given("seen"))
    .values(paused_until=given("until"))
)
_now = given("now", DateTime(timezone=True))
_SPEND_RETRY: Final = Query(
    update(_t)
    .where(
        here(_t),
        _t.c.id == given("id"),
        or_(_t.c.retries_until.is_(None), _t.c.retries_until <= _now + given("burst", Interval)),
    )
    .values(retries_until=func.greatest(_t.c.retries_until, _now) + given("every", Interval))
)


async def by_source(tx: Transaction, source: str) -> Row | None:
    """The active connection with this slug; None when there is none or it was deactivated."""
    return await tx.first(_BY_SOURCE, source=source)


async def payments_for_gateway(tx: Transaction, gateway: str) -> Row | None:
    """The active payment account that stands behind a shop platform's gateway name.

    A connection that lists the gateway comes before one whose own slug is that name.
    """
    return await tx.first(_FOR_GATEWAY, gateway=gateway)


async def active(tx: Transaction, kind: str) -> list[Row]:
    """The active connections of one kind (shop, payments, carrier, messaging), oldest first."""
    return await tx.all(_ACTIVE, kind=kind)


async def find(tx: Transaction, source: str) -> Row | None:
    """The connection with this slug, deactivated or not."""
    return await tx.first(_FIND, source=source)


async def everything(tx: Transaction) -> list[Row]:
    """All connections by slug, deactivated ones too; their number is bounded at creation."""
    return await tx.all(_ALL)


async def taken_gateway(tx: Transaction, source: str, gateways: list[str]) -> str | None:
    """The slug of another active payment account that claims one of ``gateways``."""
    found: str | None = await tx.value(_TAKEN, source=source, gateways=gateways)
    return found


async def add(tx: Transaction, **values: Any) -> Row:
    row = await tx.first(_ADD, **values)
    assert row is not None
    return row


async def replace(tx: Transaction, connection_id: UUID, version: int, **values: Any) -> Row | None:
    """Write new values and activate; None when ``version`` is no longer the current one."""
    return await tx.first(_REPLACE, id=connection_id, version=version, **values)


async def deactivate(tx: Transaction, connection_id: UUID) -> Row | None:
    """None when it was not active."""
    return await tx.first(_DEACTIVATE, id=connection_id)


async def lock(tx: Transaction, connection_id: UUID) -> Row:
    """The connection, locked: the last lock of everything that moves money."""
    row = await tx.first(_LOCK, id=connection_id)
    assert row is not None
    return row


async def note_failure(
    tx: Transaction,
    connection_id: UUID,
    failures: int,
    paused_since: datetime | None,
    paused_until: datetime | None,
) -> None:
    """What failures in a row made of the account; it must be locked."""
    await tx.run(
        _NOTE_FAILURE,
        id=connection_id,
        failures=failures,
        paused_since=paused_since,
        paused_until=paused_until,
    )


async def answered(tx: Transaction, connection_id: UUID) -> bool:
    """The account answered: no failures any more. False when there were none."""
    return bool(await tx.run(_ANSWERED, id=connection_id))


async def take_probe(
    tx: Transaction, connection_id: UUID, seen: datetime | None, until: datetime
) -> bool:
    """Be the one try that tells whether a pause ends; False when another took it first."""
    return bool(await tx.run(_TAKE_PROBE, id=connection_id, seen=seen, until=until))


async def spend_retry(
    tx: Transaction, connection_id: UUID, now: datetime, every: timedelta, burst: timedelta
) -> bool:
    """Take one repeat out of the account's budget; False when it has none left."""
    done = await tx.run(_SPEND_RETRY, id=connection_id, now=now, every=every, burst=burst)
    return bool(done)
