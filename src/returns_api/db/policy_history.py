"""Who did what to the policies of a shop: only ever added to.

Refuses to own what a version is now (``policies``).
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Uuid, and_, insert, or_, select

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import policy_history as _h
from returns_api.db.tables import policy_versions as _v

_ADD: Final = Query(
    insert(_h).values(shop_id=SHOP, **{c.name: given(c.name) for c in _h.c if c.name != "shop_id"})
)
_PAGE: Final = Query(
    select(_h, _v.c.number)
    .join(_v, and_(_v.c.shop_id == _h.c.shop_id, _v.c.id == _h.c.policy_version_id))
    .where(
        here(_h),
        _h.c.id < given("before"),
        or_(
            given("version_id", Uuid).is_(None),
            _h.c.policy_version_id == given("version_id", Uuid),
        ),
    )
    .order_by(_h.c.id.desc())
    .limit(given("limit"))
)


async def add(tx: Transaction, **values: Any) -> None:
    """One step of a version."""
    await tx.run(_ADD, **values)


async def page(tx: Transaction, version_id: UUID | None, *, before: UUID, limit: int) -> list[Row]:
    """What was done to one version, or to all, newest first."""
    return await tx.all(_PAGE, version_id=version_id, before=before, limit=limit)
