"""References of payments that buyers made beside those of their orders: each is used once, for
ever.

Refuses to own what a payment was told for (``exchanges``, ``repairs``, ``recoveries``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.dialects.postgresql import insert

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import payment_references as _t
from returns_api.db.tables import recovery_steps as _s

_TAKE: Final = Query(
    insert(_t)
    .values(
        shop_id=SHOP, **{name: given(name) for name in ("reference", "kind", "used_by", "told_at")}
    )
    .on_conflict_do_nothing(index_elements=["shop_id", "reference"])
)
_USE: Final = Query(
    select(_t.c.kind, func.coalesce(_s.c.recovery_id, _t.c.used_by).label("id"))
    .select_from(_t.outerjoin(_s, and_(here(_s), _s.c.id == _t.c.used_by)))
    .where(here(_t), _t.c.reference == given("reference"))
)


async def take(tx: Transaction, reference: str, kind: str, used_by: UUID, now: datetime) -> bool:
    """Use a reference; False where it was used before. Waits for whoever is using it now."""
    taken = await tx.run(_TAKE, reference=reference, kind=kind, used_by=used_by, told_at=now)
    return bool(taken)


async def use(tx: Transaction, reference: str) -> Row:
    """What a reference that was taken paid for: its kind, and the id of the exchange, the repair
    or the recovery."""
    found = await tx.first(_USE, reference=reference)
    assert found is not None
    return found
