"""Units of an order's lines that moved: recomputed as sums over what is stored, never added to.

So a parcel or a refund that is told twice, late or in pieces leaves the same numbers. Owns
``shipped``, ``delivered``, ``outside_returned``, ``outside_cancelled`` and ``cancelled``;
``claimed`` belongs to the returns.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Integer, Text, and_, func, or_, select, true, update

from returns_api.db.claims import claims_of_cancellations
from returns_api.db.engine import Transaction
from returns_api.db.query import Query, given, here, json_rows
from returns_api.db.tables import (
    cancellation_lines,
    order_lines,
    outside_facts,
    parcel_lines,
    parcels,
    unit_claims,
)

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
    .returning(
        order_lines.c.id,
        (
            order_lines.c.shipped
            + order_lines.c.cancelled
            - (order_lines.c.ordered - order_lines.c.removed)
        ).label("over"),
        order_lines.c.cancelled,
    )
)
_stopped: Final = (
    claims_of_cancellations()
    .where(
        unit_claims.c.line_id == order_lines.c.id,
        unit_claims.c.unit_no <= order_lines.c.ordered - order_lines.c.removed,
        ~cancellation_lines.c.dispatched,
    )
    .correlate(order_lines)
    .scalar_subquery()
)
_COUNT_CANCELLED: Final = Query(
    update(order_lines)
    .where(
        here(order_lines),
        order_lines.c.order_id == given("order_id"),
        order_lines.c.cancelled != _stopped,
    )
    .values(cancelled=_stopped)
)
_item: Final = json_rows(outside_facts.c.lines, line=Text, quantity=Integer, unsent=Boolean)
_given_back: Final = (
    select(
        _item.c.line,
        func.sum(_item.c.quantity).filter(_item.c.unsent.is_not(true())).label("returned"),
        func.sum(_item.c.quantity).filter(_item.c.unsent).label("cancelled"),
    )
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


def _units(name: str) -> ColumnElement[int]:
    found = select(_given_back.c[name]).where(_given_back.c.line == order_lines.c.external_id)
    return func.coalesce(found.correlate(order_lines).scalar_subquery(), 0)


_COUNT_OUTSIDE: Final = Query(
    update(order_lines)
    .where(
        here(order_lines),
        order_lines.c.order_id == given("order_id"),
        or_(
            order_lines.c.outside_returned != _units("returned"),
            order_lines.c.outside_cancelled != _units("cancelled"),
        ),
    )
    .values(outside_returned=_units("returned"), outside_cancelled=_units("cancelled"))
)


_bought: Final = (
    order_lines.c.ordered
    - order_lines.c.removed
    - order_lines.c.cancelled
    - order_lines.c.outside_cancelled
)
_used: Final = order_lines.c.claimed + order_lines.c.outside_returned
ROOM: Final[ColumnElement[int]] = func.least(_bought, order_lines.c.shipped) - _used
"""How many units of a line can still be claimed as sent; below zero where facts undercut it."""


def claimable(count: ColumnElement[int]) -> ColumnElement[bool]:
    """The row guard of promise L1: so many units more of a line can be claimed as sent. The trigger
    on ``claimed`` says the same again."""
    return count <= ROOM


async def count_parcels(tx: Transaction, order_id: UUID) -> dict[UUID, int]:
    """Set shipped and delivered units of each line to the sums over its parcels; by line, how many
    units more were sent than cancellations left to be sent."""
    changed = await tx.all(_COUNT_PARCELS, order_id=order_id)
    return {row["id"]: row["over"] for row in changed if row["cancelled"] and row["over"] > 0}


async def count_cancelled(tx: Transaction, order_id: UUID) -> None:
    """Set the units that are not to be sent to those that cancellations hold. What the platform has
    taken out of the order by now counts there, as removed."""
    await tx.run(_COUNT_CANCELLED, order_id=order_id)


async def count_outside(tx: Transaction, order_id: UUID) -> None:
    """Set the units that were given back elsewhere, sent or not, to the sums over the recorded
    facts."""
    await tx.run(_COUNT_OUTSIDE, order_id=order_id)
