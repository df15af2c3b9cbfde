"""Opening a return: everything that it is, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    Integer,
    TableValuedAlias,
    Text,
    Uuid,
    any_,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from returns_api.db import deadlines as deadline_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.order_counts import claimable
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import (
    order_lines,
    orders,
    quotes,
    return_lines,
    returns,
    shipments,
    unit_claims,
)

_FILLED: Final = frozenset(
    {
        "shop_id",
        "number",
        "order_id",
        "refunded_minor",
        "sequence",
        "refund_law_by",
        "refund_law",
        "info_request",
        "info_answer",
        "settled_at",
        "closed_at",
        "quality_at",
    }
)
"""Columns of a new return that the statement or the table fills."""
_LINE_COUNTS: Final = Query(
    select(
        order_lines.c.id,
        order_lines.c.title,
        order_lines.c.ordered,
        order_lines.c.removed,
        order_lines.c.shipped,
        order_lines.c.delivered,
        order_lines.c.outside_returned,
        order_lines.c.claimed,
    ).where(here(order_lines), order_lines.c.id == any_(given("ids", ARRAY(Uuid))))
)


def _numbered() -> CTE:
    """The order's next return number."""
    return (
        update(orders)
        .where(here(orders), orders.c.id == given("order_id", Uuid))
        .values(returns_opened=orders.c.returns_opened + 1)
        .returning(orders.c.number, orders.c.returns_opened)
        .cte("numbered")
    )


def _opened(numbered: CTE) -> CTE:
    """The return's own row."""
    names = [c.name for c in returns.c if c.name not in _FILLED]
    number = func.concat(numbered.c.number, "-R", numbered.c.returns_opened)
    values = (given(name, returns.c[name].type) for name in names)
    return (
        insert(returns)
        .from_select(
            ["shop_id", "number", "order_id", *names],
            select(SHOP, number, given("order_id", Uuid), *values),
        )
        .returning(returns.c.id, returns.c.id.label("return_id"), returns.c.number)
        .cte("opened")
    )


def _wanted() -> TableValuedAlias:
    """The lines as the caller gave them, one row each."""
    return json_rows(
        "lines",
        id=Uuid,
        order_line_id=Uuid,
        position=Integer,
        quantity=Integer,
        units=ARRAY(Integer),
        reason=Text,
        fault=Text,
        condition=Text,
        note=Text,
        evidence=JSONB,
        state=Text,
    )


def _written(wanted: TableValuedAlias) -> CTE:
    """The return's lines."""
    return (
        insert(return_lines)
        .from_select(
            ["shop_id", "return_id", "order_id", *wanted.c.keys()],
            select(SHOP, given("id", Uuid), given("order_id", Uuid), *wanted.c),
        )
        .cte("written")
    )


def _claimed(wanted: TableValuedAlias) -> CTE:
    """One claim for each unit; its primary key lets nobody else have it."""
    unit = func.unnest(wanted.c.units).table_valued("no").render_derived(name="unit")
    return (
        insert(unit_claims)
        .from_select(
            ["shop_id", "line_id", "unit_no", "return_line_id"],
            select(SHOP, wanted.c.order_line_id, unit.c.no, wanted.c.id).select_from(
                wanted.join(unit, true())
            ),
        )
        .cte("claimed")
    )


def _counted(wanted: TableValuedAlias) -> CTE:
    """Only lines that still have the units move their counter."""
    return (
        update(order_lines)
        .where(
            here(order_lines),
            order_lines.c.id == wanted.c.order_line_id,
            claimable(wanted.c.quantity),
        )
        .values(claimed=order_lines.c.claimed + wanted.c.quantity)
        .returning(order_lines.c.id)
        .cte("counted")
    )


def _used() -> CTE:
    """The quote, accepted; a second acceptance finds none."""
    return (
        update(quotes)
        .where(here(quotes), quotes.c.id == given("quote_id", Uuid), quotes.c.return_id.is_(None))
        .values(return_id=given("id", Uuid))
        .returning(quotes.c.id)
        .cte("used")
    )


def _sent() -> CTE:
    """The parcel whose label is to be bought, where there will be one."""
    created = given("created_at", returns.c.created_at.type)
    return (
        insert(shipments)
        .from_select(
            ["shop_id", "id", "return_id", "state", "source", "due_at", "created_at", "updated_at"],
            select(
                SHOP,
                given("shipment_id", Uuid),
                given("id", Uuid),
                literal("label_due"),
                given("carrier_source", Text),
                given("label_due_at", shipments.c.due_at.type),
                created,
                created,
            ).where(given("shipment_id", Uuid).is_not(None)),
        )
        .cte("sent")
    )


def _opening() -> Query:
    """Number, return, lines, claims, counters, deadline, quote and shipment in one statement.

    It counts only the rows that it could move, so the caller compares the counts and takes
    everything back when one is missing. The claims' primary key and the trigger on ``claimed`` say
    the same again.
    """
    opened, wanted, used = _opened(_numbered()), _wanted(), _used()
    counted = _counted(wanted)
    return Query(
        select(
            select(opened.c.number).scalar_subquery().label("number"),
            select(func.count()).select_from(counted).scalar_subquery().label("counted"),
            select(func.count()).select_from(used).scalar_subquery().label("used"),
        ).add_cte(
            _written(wanted), _claimed(wanted), _sent(), deadline_rows.written("return", opened)
        )
    )


_OPEN: Final = _opening()


async def open_return(tx: Transaction, **values: Any) -> Row:
    """Write the opening; see ``_opening`` for what the counts in the answer mean."""
    row = await tx.first(_OPEN, **values)
    assert row is not None
    return row


async def line_counts(tx: Transaction, ids: Sequence[UUID]) -> list[Row]:
    return await tx.all(_LINE_COUNTS, ids=list(ids))
