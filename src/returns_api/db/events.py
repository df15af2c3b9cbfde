"""Events read back: the timeline of a return. They are written by ``outbox`` and never changed."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import events

_OF_RETURN: Final = Query(
    select(events)
    .where(here(events), events.c.return_id == given("return_id"), events.c.id > given("after"))
    .order_by(events.c.id)
    .limit(given("limit"))
)


async def of_return(tx: Transaction, return_id: UUID, after: UUID, limit: int) -> list[Row]:
    """Oldest first: of the return itself, its parcel and its refunds."""
    return await tx.all(_OF_RETURN, return_id=return_id, after=after, limit=limit)
