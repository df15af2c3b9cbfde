"""Addresses that a shop wants to be told at."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import DateTime, delete, func, insert, null, select, update

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import webhook_endpoints as _t

_EDITED: Final = ("url", "description", "topics")

_ONE: Final = Query(select(_t).where(here(_t), _t.c.id == given("id")))
_LOCK: Final = Query(
    select(_t).where(here(_t), _t.c.id == given("id")).with_for_update(key_share=True)
)
_PAGE: Final = Query(
    select(_t)
    .where(here(_t), _t.c.id < given("before"))
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_COUNT: Final = Query(select(func.count()).select_from(_t).where(here(_t)))
_ADD: Final = Query(
    insert(_t)
    .values(
        shop_id=SHOP,
        **{name: given(name) for name in ("id", "secrets_sealed", "created_at", *_EDITED)},
    )
    .returning(_t)
)
_EDIT: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"))
    .values(version=_t.c.version + 1, **{name: given(name) for name in _EDITED})
    .returning(_t)
)
_SET_SECRETS: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"))
    .values(version=_t.c.version + 1, secrets_sealed=given("secrets_sealed"))
    .returning(_t)
)
_SET_STATE: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"))
    .values(
        version=_t.c.version + 1,
        state=given("state"),
        disabled_reason=given("reason"),
        failing_since=null(),
    )
    .returning(_t)
)
_SET_FAILING: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"))
    .values(failing_since=given("since", DateTime(timezone=True)))
)
_REMOVE: Final = Query(delete(_t).where(here(_t), _t.c.id == given("id")))


async def one(tx: Transaction, endpoint_id: UUID) -> Row | None:
    return await tx.first(_ONE, id=endpoint_id)


async def lock(tx: Transaction, endpoint_id: UUID) -> Row | None:
    """The endpoint, one writer at a time; deliveries to it may still be added."""
    return await tx.first(_LOCK, id=endpoint_id)


async def page(tx: Transaction, *, before: UUID, limit: int) -> list[Row]:
    """Newest first."""
    return await tx.all(_PAGE, before=before, limit=limit)


async def count(tx: Transaction) -> int:
    return int(await tx.value(_COUNT))


async def add(tx: Transaction, **values: Any) -> Row:
    return _sure(await tx.first(_ADD, **values))


async def edit(tx: Transaction, endpoint_id: UUID, **values: Any) -> Row:
    """Write url, description and topics of a locked endpoint."""
    return _sure(await tx.first(_EDIT, id=endpoint_id, **values))


async def set_secrets(tx: Transaction, endpoint_id: UUID, sealed: bytes) -> Row:
    return _sure(await tx.first(_SET_SECRETS, id=endpoint_id, secrets_sealed=sealed))


async def set_state(tx: Transaction, endpoint_id: UUID, state: str, reason: str | None) -> Row:
    """Move a locked endpoint; what it failed at before no longer counts."""
    return _sure(await tx.first(_SET_STATE, id=endpoint_id, state=state, reason=reason))


async def set_failing(tx: Transaction, endpoint_id: UUID, since: datetime | None) -> None:
    """Remember since when nothing got through; None when something did. Not an edit."""
    await tx.run(_SET_FAILING, id=endpoint_id, since=since)


async def remove(tx: Transaction, endpoint_id: UUID) -> None:
    """The endpoint with its deliveries and their attempts."""
    await tx.run(_REMOVE, id=endpoint_id)


def _sure(row: Row | None) -> Row:
    assert row is not None
    return row
