"""Quotes and the decisions behind them: written together, never changed but by their acceptance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ScalarSelect, and_, case, func, insert, select

from returns_api.db.engine import Row, Transaction
from returns_api.db.listings import standing
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.tables import (
    decisions,
    orders,
    quotes,
    returns,
)
from returns_api.domain.reviewing import NOT_COUNTED


def _since() -> ScalarSelect[Any]:
    """How many other returns the buyer opened after the quote was made."""
    other = orders.alias("other")
    return (
        select(func.count())
        .select_from(returns)
        .join(other, and_(other.c.shop_id == returns.c.shop_id, other.c.id == returns.c.order_id))
        .where(
            here(returns),
            here(other),
            other.c.customer_key == orders.c.customer_key,
            returns.c.created_at > quotes.c.created_at,
            ~among(returns.c.state, NOT_COUNTED),
        )
        .correlate(orders, quotes)
        .scalar_subquery()
    )


_LOCK: Final = Query(
    select(
        quotes,
        orders.c.number,
        standing(orders.c.customer_key, orders.c.email_key).label("listed"),
        case((quotes.c.terms["review"]["room"].astext.is_not(None), _since()), else_=0).label(
            "since"
        ),
    )
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


async def lock(tx: Transaction, quote_id: UUID, now: datetime) -> Row | None:
    """The quote and its order's row, locked: openings of one order follow one another.

    ``listed`` is the list that the buyer is on, ``since`` how many other returns they opened since
    the quote: counted only where that can matter, to keep the rest as cheap as it was.
    """
    return await tx.first(_LOCK, id=quote_id, now=now)


async def one(tx: Transaction, quote_id: UUID) -> Row | None:
    return await tx.first(_ONE, id=quote_id)


async def decision(tx: Transaction, decision_id: UUID) -> Row | None:
    return await tx.first(_DECISION, id=decision_id)


async def add(tx: Transaction, decided: Mapping[str, Any], quoted: Mapping[str, Any]) -> None:
    await tx.run(_ADD_DECISION, **decided)
    await tx.run(_ADD, **quoted)
