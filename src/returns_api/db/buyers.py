"""Finding the order that a guest means."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import orders as _t

CANDIDATES_MAX: Final = 20
"""Orders with one number, of several sources: more than anybody has."""

_CANDIDATES: Final = Query(
    select(_t.c.id, _t.c.email_key)
    .where(here(_t), _t.c.number_key == given("number_key"))
    .order_by(_t.c.placed_at.desc(), _t.c.id)
    .limit(CANDIDATES_MAX)
)
_EXISTS: Final = Query(select(_t.c.id).where(here(_t), _t.c.id == given("id")))


async def candidates(tx: Transaction, number_key: str) -> list[Row]:
    """Orders that have this number, newest first, each with the hash of its buyer's address."""
    return await tx.all(_CANDIDATES, number_key=number_key)


async def order_exists(tx: Transaction, order_id: UUID) -> bool:
    return await tx.value(_EXISTS, id=order_id) is not None
