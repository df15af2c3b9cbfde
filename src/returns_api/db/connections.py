"""Outside accounts that a shop connected, found by the source slug that everything else stores.

Secrets pass through sealed; this module never sees one open.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, and_, any_, insert, null, or_, select, true, update

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


async def by_source(tx: Transaction, source: str) -> Row | None:
    """The active connection with this slug; None when there is none or it was deactivated."""
    return await tx.first(_BY_SOURCE, source=source)


async def payments_for_gateway(tx: Transaction, gateway: str) -> Row | None:
    """The active payment account that stands behind a shop platform's gateway name.

    A connection that lists the gateway comes before one whose own slug is that name.
    """
    return await tx.first(_FOR_GATEWAY, gateway=gateway)


async def active(tx: Transaction, kind: str) -> list[Row]:
    """The active connections of one kind (shop, payments, carrier), oldest first."""
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
