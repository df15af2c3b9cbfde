"""Quotes and the decisions behind them: written together, never changed but by their acceptance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    and_,
    insert,
    select,
)

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import (
    decisions,
    orders,
    quotes,
)

_LOCK: Final = Query(
    select(quotes, orders.c.number)
    .join(orders, and_(orders.c.shop_id == quotes.c.shop_id, orders.c.id == quotes.c.order_id))
    .where(here(quotes), quotes.c.id == given("id"))
    .with_for_update()
)
_ONE: Final = Query(select(quotes).where(here(quotes), quotes.c.id == given("id")))
_DECISION: Final = Query(select(decisions).where(here(decisions), decisions.c.id == given("id")))
_ADD_DECISION: Final = Query(
    insert(decisions).values(
        shop_id=SHOP, **{c.name: given(c.name) for c in decisions.c if c.name != "shop_id"}
    )
)
_ADD: Final = Query(
    insert(quotes).values(
        shop_id=SHOP,
        **{c.name: given(c.name) for c in quotes.c if c.name not in {"shop_id", "return_id"}},
    )
)


async def lock(tx: Transaction, quote_id: UUID) -> Row | None:
    """The quote and its order's row, locked: openings of one order follow one another."""
    return await tx.first(_LOCK, id=quote_id)


async def one(tx: Transaction, quote_id: UUID) -> Row | None:
    return await tx.first(_ONE, id=quote_id)


async def decision(tx: Transaction, decision_id: UUID) -> Row | None:
    return await tx.first(_DECISION, id=decision_id)


async def add(tx: Transaction, decided: Mapping[str, Any], quoted: Mapping[str, Any]) -> None:
    await tx.run(_ADD_DECISION, **decided)
    await tx.run(_ADD, **quoted)
