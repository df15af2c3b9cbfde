"""How a shop tells its buyers, one row for each channel."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import and_, insert, select, true, update

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import connections
from returns_api.db.tables import notification_settings as _t

_VALUES: Final = ("source", "sender", "active", "switched_off", "topics", "updated_at")

_ALL: Final = Query(select(_t).where(here(_t)).order_by(_t.c.channel))
_LOCK: Final = Query(select(_t).where(here(_t), _t.c.channel == given("channel")).with_for_update())
_ADD: Final = Query(
    insert(_t)
    .values(shop_id=SHOP, **{name: given(name) for name in ("id", "channel", *_VALUES)})
    .returning(_t)
)
_SAVE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"))
    .values(version=_t.c.version + 1, **{name: given(name) for name in _VALUES})
    .returning(_t)
)
_connected = (
    select(
        _t.c.channel,
        _t.c.source,
        _t.c.sender,
        _t.c.switched_off,
        *(connections.c[name] for name in ("adapter", "account", "base_url", "secret_sealed")),
    )
    .join(
        connections,
        and_(connections.c.shop_id == _t.c.shop_id, connections.c.source == _t.c.source),
    )
    .where(here(_t), here(connections), connections.c.active == true())
)
_SENDING: Final = Query(_connected.where(_t.c.active == true()))
_BY_SOURCE: Final = Query(_connected.where(_t.c.source == given("source")))


async def everything(tx: Transaction) -> list[Row]:
    """All channels of the shop, by name."""
    return await tx.all(_ALL)


async def lock(tx: Transaction, channel: str) -> Row | None:
    return await tx.first(_LOCK, channel=channel)


async def add(tx: Transaction, **values: Any) -> Row:
    row = await tx.first(_ADD, **values)
    assert row is not None
    return row


async def save(tx: Transaction, **values: Any) -> Row:
    """Write all values of locked settings."""
    row = await tx.first(_SAVE, **values)
    assert row is not None
    return row


async def sending(tx: Transaction) -> dict[str, Row]:
    """The channels that are switched on, each with its active connection; secrets stay sealed."""
    return {row["channel"]: row for row in await tx.all(_SENDING)}


async def by_source(tx: Transaction, source: str) -> Row | None:
    """The channel that uses an active connection, switched on or not."""
    return await tx.first(_BY_SOURCE, source=source)
