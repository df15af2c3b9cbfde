"""Rows of photos. A name is written before its bytes are stored and cleared after they are gone.

Nothing here awaits the store: what is due stands in ``due_at``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, Text, Uuid, any_, case, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import photos, return_lines

_LIVE: Final = ("storing", "kept")
_ADDED: Final = (
    "id",
    "order_id",
    "return_id",
    "return_line_id",
    "name",
    "added_by",
    "credential_id",
    "due_at",
    "created_at",
)
_ADD: Final = Query(
    insert(photos).values(shop_id=SHOP, state="storing", **{name: given(name) for name in _ADDED})
)
_COUNT: Final = Query(
    select(func.count())
    .select_from(photos)
    .where(
        here(photos),
        photos.c.order_id == given("order_id"),
        photos.c.state != "deleted",
    )
)
_KEEP: Final = Query(
    update(photos)
    .where(here(photos), photos.c.id == given("id", Uuid), photos.c.state == "storing")
    .values(
        state="kept",
        size=given("size"),
        width=given("width"),
        height=given("height"),
        digest=given("digest", LargeBinary),
        due_at=given("due_at", DateTime(timezone=True)),
        sequence=1,
    )
    .returning(photos)
)
_ONE: Final = Query(select(photos).where(here(photos), photos.c.id == given("id")))
_OF_RETURN: Final = Query(
    select(photos)
    .where(here(photos), photos.c.return_id == given("return_id"), photos.c.state == "kept")
    .order_by(photos.c.id)
)
_USE: Final = Query(
    update(photos)
    .where(
        here(photos),
        photos.c.id == any_(given("ids", ARRAY(Uuid))),
        photos.c.order_id == given("order_id", Uuid),
        photos.c.return_id.is_(None),
        photos.c.state == "kept",
    )
    .values(
        return_id=given("return_id", Uuid),
        return_line_id=given("return_line_id", Uuid),
        due_at=None,
    )
    .returning(photos.c.digest)
)
_OF_THESE: Final = Query(
    select(photos.c.id).where(
        here(photos),
        photos.c.id == any_(given("ids", ARRAY(Uuid))),
        photos.c.return_id == given("return_id"),
        photos.c.state == "kept",
    )
)
_LINE: Final = Query(
    select(return_lines.c.id).where(
        here(return_lines),
        return_lines.c.id == given("id"),
        return_lines.c.return_id == given("return_id"),
    )
)
_dropped = (
    update(photos)
    .where(here(photos), photos.c.state == any_(given("states", ARRAY(Text))))
    .values(
        state="deleting",
        # The bytes of one that is on its way may come after a deletion: it is deleted at its end.
        due_at=case(
            (photos.c.state == "storing", photos.c.due_at),
            else_=given("now", DateTime(timezone=True)),
        ),
    )
)
_ENDED: Final = Query(
    update(photos)
    .where(here(photos), photos.c.id == given("id", Uuid), photos.c.state == "deleting")
    .values(due_at=given("now", DateTime(timezone=True)))
)
_DROP_ORDERS: Final = Query(
    _dropped.where(photos.c.order_id == any_(given("order_ids", ARRAY(Uuid))))
)
_DROP_RETURNS: Final = Query(
    _dropped.where(photos.c.return_id == any_(given("return_ids", ARRAY(Uuid))))
)
_LOCK_DUE: Final = Query(
    select(photos)
    .where(here(photos), photos.c.id == given("id"), photos.c.due_at <= given("now"))
    .with_for_update()
)
_MOVE: Final = Query(
    update(photos)
    .where(here(photos), photos.c.id == given("id", Uuid), photos.c.state == given("seen", Text))
    .values(state=given("state", Text), due_at=given("due_at", DateTime(timezone=True)))
)
_DELETED: Final = Query(
    update(photos)
    .where(here(photos), photos.c.id == given("id", Uuid), photos.c.state == "deleting")
    .values(
        state="deleted",
        name=None,
        digest=None,
        due_at=None,
        sequence=case((photos.c.sequence == 0, 0), else_=photos.c.sequence + 1),
    )
    .returning(photos)
)
DUE: Final = Query(
    select(photos.c.shop_id, photos.c.id)
    .where(photos.c.due_at <= given("now", DateTime(timezone=True)))
    .order_by(photos.c.due_at)
    .limit(given("limit"))
)


async def add(tx: Transaction, **values: Any) -> None:
    """A photo that is about to be stored under ``name``."""
    await tx.run(_ADD, **values)


async def count(tx: Transaction, order_id: UUID) -> int:
    """How many photos the order has, those on their way in or out included."""
    found: int = await tx.value(_COUNT, order_id=order_id)
    return found


async def has_line(tx: Transaction, return_id: UUID, line_id: UUID) -> bool:
    return await tx.first(_LINE, id=line_id, return_id=return_id) is not None


async def keep(tx: Transaction, **values: Any) -> Row | None:
    """The stored photo, or None when it was given up meanwhile."""
    return await tx.first(_KEEP, **values)


async def one(tx: Transaction, photo_id: UUID) -> Row | None:
    return await tx.first(_ONE, id=photo_id)


async def of_return(tx: Transaction, return_id: UUID) -> list[Row]:
    """Kept photos of a return, oldest first."""
    return await tx.all(_OF_RETURN, return_id=return_id)


async def use(
    tx: Transaction, order_id: UUID, return_id: UUID, line_id: UUID | None, ids: Sequence[UUID]
) -> list[bytes]:
    """Give kept photos that no return has yet to one; digests of those that it got."""
    rows = await tx.all(
        _USE, ids=list(ids), order_id=order_id, return_id=return_id, return_line_id=line_id
    )
    return [row["digest"] for row in rows]


async def kept_of(tx: Transaction, return_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
    """Which of ``ids`` are kept photos of the return."""
    return {row["id"] for row in await tx.all(_OF_THESE, ids=list(ids), return_id=return_id)}


async def drop_of_orders(tx: Transaction, order_ids: Sequence[UUID], now: datetime) -> None:
    """Every photo of the orders is to be deleted, from now on invisible; one that is being stored,
    when that ended."""
    await tx.run(_DROP_ORDERS, order_ids=list(order_ids), states=list(_LIVE), now=now)


async def drop_of_returns(tx: Transaction, return_ids: Sequence[UUID], now: datetime) -> None:
    """The same for the photos of some returns."""
    await tx.run(_DROP_RETURNS, return_ids=list(return_ids), states=list(_LIVE), now=now)


async def lock_due(tx: Transaction, photo_id: UUID, now: datetime) -> Row | None:
    return await tx.first(_LOCK_DUE, id=photo_id, now=now)


async def move(
    tx: Transaction, photo_id: UUID, seen: str, state: str, due_at: datetime | None
) -> None:
    """Move a photo that is still ``seen``; nothing happens to another."""
    await tx.run(_MOVE, id=photo_id, seen=seen, state=state, due_at=due_at)


async def ended(tx: Transaction, photo_id: UUID, now: datetime) -> None:
    """No bytes come any more of a photo that is to be deleted: nothing has to be waited for."""
    await tx.run(_ENDED, id=photo_id, now=now)


async def deleted(tx: Transaction, photo_id: UUID) -> Row | None:
    """The bytes are gone: so are the name and the digest. None when that was written before.

    The sequence counts what was told of the photo: nothing of one that never was kept.
    """
    return await tx.first(_DELETED, id=photo_id)
