"""Policy versions: drafts, publishing once, and which version judges an order.

The heavy columns (the text, the canonical bytes) are read only where they are asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Uuid, any_, case, func, insert, null, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import policy_versions as _t

_LIGHT: Final = tuple(
    _t.c[name]
    for name in (
        "id",
        "number",
        "state",
        "name",
        "digest",
        "effective_from",
        "created_at",
        "published_at",
        "published_by",
        "acknowledged",
        "version",
    )
)
_CANONICAL: Final[ColumnElement[Any]] = case(
    (_t.c.id == any_(given("known", ARRAY(Uuid))), null()), else_=_t.c.canonical
).label("canonical")

_at = given("placed_at", DateTime(timezone=True))
_begun = _t.c.effective_from <= _at
_IN_FORCE: Final = Query(
    select(*_LIGHT, _CANONICAL)
    .where(here(_t), _t.c.state != "draft")
    .order_by(
        _begun.desc(),
        case((_begun, _t.c.effective_from)).desc(),
        _t.c.effective_from,
        _t.c.number.desc(),
    )
    .limit(1)
)
_BY_ID: Final = Query(select(*_LIGHT, _CANONICAL).where(here(_t), _t.c.id == given("id")))
_VIEW: Final = Query(
    select(*_LIGHT, _t.c.source, _t.c.findings).where(here(_t), _t.c.id == given("id"))
)
_LOCK: Final = Query(
    select(*_LIGHT, _t.c.findings).where(here(_t), _t.c.id == given("id")).with_for_update()
)
_PAGE: Final = Query(
    select(*_LIGHT, _t.c.findings)
    .where(here(_t), _t.c.id < given("before"))
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)
_NEXT_NUMBER: Final = Query(select(func.coalesce(func.max(_t.c.number), 0) + 1).where(here(_t)))
_ADD: Final = Query(
    insert(_t).values(
        shop_id=SHOP,
        state="draft",
        **{
            name: given(name)
            for name in (
                "id",
                "number",
                "name",
                "source",
                "canonical",
                "digest",
                "findings",
                "created_at",
            )
        },
    )
)
_PUBLISH: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.state == "draft")
    .values(
        state="published",
        effective_from=given("effective_from"),
        published_at=given("now"),
        published_by=given("published_by"),
        acknowledged=given("acknowledged"),
        version=_t.c.version + 1,
    )
)


async def in_force(
    tx: Transaction, placed_at: datetime, known: Collection[UUID] = ()
) -> Row | None:
    """The version that judges an order placed at ``placed_at``; None before the first publishing.

    It is the published version with the greatest ``effective_from`` not after that moment (of two
    with the same, the later number). An order older than every version is judged by the first one:
    the shop never said anything else. ``canonical`` is NULL for versions in ``known``, so that a
    compiled policy is not read again.
    """
    return await tx.first(_IN_FORCE, placed_at=placed_at, known=list(known))


async def by_id(tx: Transaction, version_id: UUID, known: Collection[UUID] = ()) -> Row | None:
    """One version, draft or not, with its ``canonical`` bytes unless it is in ``known``."""
    return await tx.first(_BY_ID, id=version_id, known=list(known))


async def view(tx: Transaction, version_id: UUID) -> Row | None:
    """One version with its text and findings."""
    return await tx.first(_VIEW, id=version_id)


async def lock(tx: Transaction, version_id: UUID) -> Row | None:
    return await tx.first(_LOCK, id=version_id)


async def page(tx: Transaction, *, before: UUID, limit: int) -> list[Row]:
    """Versions with their findings, newest first."""
    return await tx.all(_PAGE, before=before, limit=limit)


async def next_number(tx: Transaction) -> int:
    """The shop must be locked, or two drafts get one number and one of them is refused."""
    return int(await tx.value(_NEXT_NUMBER))


async def add(tx: Transaction, **values: Any) -> None:
    await tx.run(_ADD, **values)


async def publish(tx: Transaction, version_id: UUID, **values: Any) -> bool:
    """False when it is not a draft any more."""
    return bool(await tx.run(_PUBLISH, id=version_id, **values))
