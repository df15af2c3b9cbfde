"""Everything that is kept of one person, found by the keyed hash of an address.

Owns the search and the reading; refuses to own erasure (``erasure``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    and_,
    any_,
    cast,
    func,
    literal,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from returns_api.db.engine import Row, Transaction
from returns_api.db.gifts import is_of_gift
from returns_api.db.order_intake import PERSON
from returns_api.db.query import Query, given, here
from returns_api.db.tables import (
    dispute_statements,
    disputes,
    offers,
    order_lines,
    order_people,
    orders,
    refunds,
    return_lines,
    returns,
)

_email: Final = given("email_key", LargeBinary)
_accounts: Final = select(orders.c.customer_key).where(
    here(orders), orders.c.email_key == _email, orders.c.customer_key.is_not(None)
)
# Two searches, each by its own index; one condition with OR would read all orders of the shop.
_ids: Final = union(
    select(orders.c.id).where(here(orders), orders.c.email_key == _email),
    select(orders.c.id).where(here(orders), orders.c.customer_key.in_(_accounts)),
)
_FOUND: Final = Query(
    select(
        orders.c.id,
        orders.c.source,
        orders.c.external_id,
        orders.c.number,
        orders.c.placed_at,
        orders.c.currency,
        orders.c.total_minor,
        (orders.c.email_key.is_not_distinct_from(_email)).label("by_email"),
        *(order_people.c[name] for name in PERSON),
    )
    .join(
        order_people,
        and_(order_people.c.shop_id == orders.c.shop_id, order_people.c.order_id == orders.c.id),
    )
    .where(
        here(orders),
        here(order_people),
        orders.c.id.in_(_ids),
    )
    .order_by(orders.c.id.desc())
    .limit(given("limit", Integer))
)
_of: Final = given("order_ids", ARRAY(Uuid))
_LINES: Final = Query(
    select(order_lines.c.order_id, order_lines.c.title, order_lines.c.sku, order_lines.c.ordered)
    .where(here(order_lines), order_lines.c.order_id == any_(_of))
    .order_by(order_lines.c.order_id, order_lines.c.position)
)


def _said(text: ColumnElement[Any], *where: ColumnElement[bool]) -> ColumnElement[Any]:
    """What the buyer wrote about a return, oldest first."""
    table = text.table
    said = aggregate_order_by(text, table.c.id)
    found = select(func.array_agg(said)).where(
        here(table), table.c.party == "buyer", text.is_not(None), *where
    )
    none = cast(literal([], ARRAY(Text)), ARRAY(Text))
    return func.coalesce(found.correlate(returns).scalar_subquery(), none)


_contested: Final = _said(
    dispute_statements.c.text,
    dispute_statements.c.dispute_id.in_(
        select(disputes.c.id)
        .where(here(disputes), disputes.c.return_id == returns.c.id)
        .correlate(returns)
    ),
)
_offered: Final = _said(offers.c.note, offers.c.return_id == returns.c.id)
_RETURNS: Final = Query(
    select(
        returns.c.order_id,
        returns.c.id,
        returns.c.number,
        returns.c.state,
        returns.c.created_at,
        return_lines.c.reason,
        return_lines.c.quantity,
        return_lines.c.note,
        returns.c.info_answer,
        func.array_cat(_contested, _offered).label("statements"),
    )
    .join(
        return_lines,
        and_(return_lines.c.shop_id == returns.c.shop_id, return_lines.c.return_id == returns.c.id),
    )
    .where(
        here(returns),
        here(return_lines),
        returns.c.order_id == any_(_of),
        returns.c.gift_receipt_id.is_(None),
    )
    .order_by(returns.c.order_id, returns.c.id, return_lines.c.position)
)
_REFUNDS: Final = Query(
    select(
        refunds.c.order_id,
        refunds.c.id,
        refunds.c.amount_minor,
        refunds.c.currency,
        refunds.c.state,
        refunds.c.created_at,
    )
    .where(here(refunds), refunds.c.order_id == any_(_of), ~is_of_gift(refunds.c.return_id))
    .order_by(refunds.c.order_id, refunds.c.id)
)


async def orders_of(tx: Transaction, email_key: bytes, limit: int) -> list[Row]:
    """Orders under the address, and all of the accounts that ordered under it; newest first.

    ``by_email`` says which of the two. Erased orders belong to nobody.
    """
    return await tx.all(_FOUND, email_key=email_key, limit=limit)


async def below(tx: Transaction, order_ids: Sequence[UUID]) -> tuple[list[Row], ...]:
    """Lines, lines of returns and refunds of these orders, by order; of the buyer's own returns,
    not of those of whoever got something of it as a gift."""
    given_ = {"order_ids": list(order_ids)}
    return (
        await tx.all(_LINES, **given_),
        await tx.all(_RETURNS, **given_),
        await tx.all(_REFUNDS, **given_),
    )
