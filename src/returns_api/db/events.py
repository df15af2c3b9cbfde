"""Reading what happened: the audit trail of one shop. Events are written by ``outbox`` only."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import Boolean, Text, Uuid, func, not_, or_, select

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import events as _t

_resource, _type, _family = given("resource_id", Uuid), given("type", Text), given("family", Text)

_PAGE: Final = Query(
    select(_t)
    .where(
        here(_t),
        _t.c.id < given("before"),
        or_(_type.is_(None), _t.c.type == _type),
        or_(_family.is_(None), func.starts_with(_t.c.type, _family)),
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_OF_RESOURCE: Final = Query(
    select(_t)
    .where(
        here(_t),
        _t.c.id < given("before"),
        _t.c.resource_id == _resource,
        or_(_type.is_(None), _t.c.type == _type),
        or_(_family.is_(None), func.starts_with(_t.c.type, _family)),
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_OF_RETURN: Final = Query(
    select(_t)
    .where(
        here(_t),
        _t.c.return_id == given("return_id"),
        _t.c.id > given("after"),
        or_(given("everything", Boolean), not_(_t.c.data.has_key("internal"))),
    )
    .order_by(_t.c.id)
    .limit(given("limit"))
)


async def of_return(
    tx: Transaction, return_id: UUID, after: UUID, limit: int, *, everything: bool
) -> list[Row]:
    """The timeline, oldest first: of the return itself and of all that hangs on it.

    Without ``everything`` what is internal to the merchant is left out.
    """
    return await tx.all(
        _OF_RETURN, return_id=return_id, after=after, limit=limit, everything=everything
    )


async def page(
    tx: Transaction,
    *,
    before: UUID,
    limit: int,
    resource_id: UUID | None,
    type_: str | None,
    family: str | None,
) -> list[Row]:
    """Newest first; of one resource, of one type, or of types that begin with ``family``."""
    filters = {"before": before, "limit": limit, "type": type_, "family": family}
    if resource_id is None:
        return await tx.all(_PAGE, **filters)
    return await tx.all(_OF_RESOURCE, resource_id=resource_id, **filters)
