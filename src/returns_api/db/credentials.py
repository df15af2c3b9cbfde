"""Credentials: kept as hashes, found by hash inside the shop that the key itself names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, insert, or_, select, update

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, here
from returns_api.db.tables import credentials as _t

_SHOWN = (
    _t.c.id,
    _t.c.role,
    _t.c.label,
    _t.c.scopes,
    _t.c.order_id,
    _t.c.gift_receipt_id,
    _t.c.created_at,
    _t.c.expires_at,
    _t.c.revoked_at,
)
_KEYS: Final = ~among(_t.c.role, ("buyer", "recipient"))
"""Tokens of buyers and recipients are short-lived, and nobody lists them."""

_BY_HASH: Final = Query(
    select(*_SHOWN).where(
        here(_t),
        _t.c.secret_hash == bindparam("secret_hash", required=True),
        _t.c.revoked_at.is_(None),
        or_(_t.c.expires_at.is_(None), _t.c.expires_at > bindparam("now", required=True)),
    )
)
_ADD: Final = Query(
    insert(_t).values(
        shop_id=SHOP,
        **{
            name: bindparam(name, required=True)
            for name in (
                "id",
                "role",
                "label",
                "secret_hash",
                "scopes",
                "order_id",
                "gift_receipt_id",
                "created_at",
                "expires_at",
            )
        },
    )
)
_REVOKE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == bindparam("id", required=True), _t.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now", required=True))
)
_LIST: Final = Query(
    select(*_SHOWN)
    .where(here(_t), _KEYS, _t.c.id < bindparam("before", required=True))
    .order_by(_t.c.id.desc())
    .limit(bindparam("limit", required=True))
)
_ONE: Final = Query(
    select(*_SHOWN).where(here(_t), _t.c.id == bindparam("id", required=True), _KEYS)
)


async def by_hash(tx: Transaction, secret_hash: bytes, now: datetime) -> Row | None:
    """A live credential, or None when unknown, expired or revoked."""
    return await tx.first(_BY_HASH, secret_hash=secret_hash, now=now)


async def add(tx: Transaction, **values: Any) -> None:
    await tx.run(_ADD, **values)


async def revoke(tx: Transaction, credential_id: UUID, now: datetime) -> bool:
    """False when there was nothing left to revoke."""
    return bool(await tx.run(_REVOKE, id=credential_id, now=now))


async def page(tx: Transaction, *, before: UUID, limit: int) -> Sequence[Row]:
    """API keys, newest first."""
    return await tx.all(_LIST, before=before, limit=limit)


async def one(tx: Transaction, credential_id: UUID) -> Row | None:
    return await tx.first(_ONE, id=credential_id)
