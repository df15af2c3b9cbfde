"""The shop's own row: its settings, and the lock that makes numbers per shop safe to give out."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import insert, select, update

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import shops as _t

_SETTINGS: Final = (
    "name",
    "timezone",
    "currency",
    "country",
    "locale",
    "return_address",
    "refund_limits",
    "store_credit",
    "after_sales",
    "repairs",
    "destinations",
)

_ONE: Final = Query(select(_t).where(here(_t)))
ALL: Final = Query(select(_t.c.shop_id).order_by(_t.c.shop_id).limit(given("limit")))
_LOCK: Final = Query(select(_t).where(here(_t)).with_for_update(key_share=True))
_ADD: Final = Query(
    insert(_t).values(shop_id=SHOP, **{name: given(name) for name in ("created_at", *_SETTINGS)})
)
_SAVE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.version == given("version"))
    .values(version=_t.c.version + 1, **{name: given(name) for name in _SETTINGS})
    .returning(_t)
)


async def one(tx: Transaction) -> Row:
    """This shop. A credential proves that it exists."""
    row = await tx.first(_ONE)
    assert row is not None
    return row


async def exists(tx: Transaction) -> bool:
    return await tx.first(_ONE) is not None


async def lock(tx: Transaction) -> Row:
    """The same, one transaction at a time; rows that point at the shop may still be inserted."""
    row = await tx.first(_LOCK)
    assert row is not None
    return row


async def add(tx: Transaction, **values: Any) -> None:
    await tx.run(_ADD, **values)


async def save(tx: Transaction, version: int, **values: Any) -> Row | None:
    """Write all settings; None when ``version`` is no longer the current one."""
    return await tx.first(_SAVE, version=version, **values)
