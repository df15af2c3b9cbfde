"""Units of an order's lines that moved: recomputed as sums over what is stored, never added to.

So a parcel or a refund that is told twice, late or in pieces leaves the same numbers. Owns
``shipped``, ``delivered`` and ``outside_returned``; ``claimed`` belongs to the returns.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Text, and_, column, func, or_, select, true, update

from returns_api.db.engine import Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import order_lines, outside_facts, parcel_lines, parcels

_inside: Final = (
    select(
        parcel_lines.c.line_id,
        func.sum(parcel_lines.c.quantity)
        .filter(parcels.c.shipped_at.is_not(None))
        .label("shipped"),
        func.sum(parcel_lines.c.quantity)
        .filter(parcels.c.delivered_at.is_not(None))
        .label("delivered"),
    )
    .select_from(parcels)
    .join(
        parcel_lines,
        and_(
            parcel_lines.c.shop_id == parcels.c.shop_id,
            parcel_lines.c.parcel_id == parcels.c.id,
        ),
    )
    .where(here(parcels), parcels.c.order_id == given("order_id"), ~parcels.c.cancelled)
    .group_by(parcel_lines.c.line_id)
    .cte("inside")
)


def _sum_of(name: str) -> ColumnElement[int]:
    found = select(_inside.c[name]).where(_inside.c.line_id == order_lines.c.id)
    return func.coalesce(found.correlate(order_lines).scalar_subquery(), 0)


_COUNT_PARCELS: Final = Query(
    update(order_lines)
    .where(
        here(order_lines),
        order_lines.c.order_id == given("order_id"),
        or_(
            order_lines.c.shipped != _sum_of("shipped"),
            order_lines.c.delivered != _sum_of("delivered"),
        ),
    )
    .values(shipped=_sum_of("shipped"), delivered=_sum_of("delivered"))
)
_item: Final = (
    func.jsonb_to_recordset(outside_facts.c.lines)
    .table_valued(column("line", Text), column("quantity", Integer))
    .render_derived(with_types=True)
)
_given_back: Final = (
    select(_item.c.line, func.sum(_item.c.quantity).label("units"))
    .select_from(outside_facts.join(_item, true()))
    .where(
        here(outside_facts),
        outside_facts.c.order_id == given("order_id"),
        outside_facts.c.kind == "refund",
        outside_facts.c.active,
    )
    .group_by(_item.c.line)
    .cte("given_back")
)
_units_back: Final = func.coalesce(
    select(_given_back.c.units)
    .where(_given_back.c.line == order_lines.c.external_id)
    .correlate(order_lines)
    .scalar_subquery(),
    0,
)
_COUNT_OUTSIDE: Final = Query(
    update(order_lines)
    .where(
        here(order_lines),
        order_lines.c.order_id == given("order_id"),
        order_lines.c.outside_returned != _units_back,
    )
    .values(outside_returned=_units_back)
)


async def count_parcels(tx: Transaction, order_id: UUID) -> None:
    """Set shipped and delivered units of each line to the sums over its parcels."""
    await tx.run(_COUNT_PARCELS, order_id=order_id)


async def count_outside(tx: Transaction, order_id: UUID) -> None:
    """Set the units that were given back elsewhere to the sums over the recorded facts."""
    await tx.run(_COUNT_OUTSIDE, order_id=order_id)
