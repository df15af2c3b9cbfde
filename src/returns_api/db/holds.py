"""Being the only one who does a shop's housekeeping of one sort, without waiting for the other one.

Refuses to own whether there is anything to do: that stands in the rows.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Text, func, select

from returns_api.db.engine import Transaction
from returns_api.db.query import Query, given

_TRY: Final = Query(
    select(func.pg_try_advisory_xact_lock(func.hashtextextended(given("name", Text), 0)))
)


async def hold(tx: Transaction, work: str) -> bool:
    """Be the only one at this work in the shop until the transaction ends; False when another
    is."""
    return bool(await tx.value(_TRY, name=f"{work}:{tx.shop}"))
