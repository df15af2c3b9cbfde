"""What staff and carriers wrote about a person's returns, and addresses that lead to the person.

It goes with the person: a question, a reason, a ruling or a note can say who somebody is as well
as their own words can. That something was decided, by whom, when and for how much, stays. Refuses
to own what the person said (``messages``, ``erasure``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    Uuid,
    and_,
    any_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by

from returns_api.db.engine import Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import (
    disputes,
    inspected_units,
    pickups,
    receipts,
    recoveries,
    recovery_steps,
    refunds,
    return_lines,
    returns,
    shipments,
    transport_claims,
)

CODE: Final = "^[a-z][a-z0-9_]*$"
"""A reason that is a word of ours; any other one is somebody's own."""
_ids: Final = any_(given("ids", ARRAY(Uuid)))
_of_orders: Final = select(returns.c.id).where(here(returns), returns.c.order_id == _ids)
_themselves: Final = select(returns.c.id).where(here(returns), returns.c.id == _ids)


def _taking(table: Table, about: ColumnElement[bool], *names: str) -> Query:
    told = or_(*(table.c[name].is_not(None) for name in names))
    return Query(update(table).where(here(table), about, told).values(dict.fromkeys(names, null())))


def _each(column: ColumnElement[Any], kept: Any) -> ColumnElement[Any]:
    """A JSON array whose objects are as ``kept`` makes them."""
    item = func.jsonb_array_elements(column).table_valued("value", with_ordinality="place")
    one = item.render_derived(name="each")
    made = func.jsonb_agg(aggregate_order_by(kept(cast(one.c.value, JSONB)), one.c.place))
    return select(func.coalesce(made, cast(literal([]), JSONB))).select_from(one).scalar_subquery()


def _without(column: ColumnElement[Any], kept: Any, about: ColumnElement[bool]) -> Query:
    changed = _each(column, kept)
    table = column.table
    return Query(
        update(table).where(here(table), about, changed != column).values({column.key: changed})
    )


def _queries(some: Select[Any]) -> tuple[Query, ...]:
    """``some`` are the returns."""
    lines = select(return_lines.c.id).where(here(return_lines), return_lines.c.return_id.in_(some))
    of_order = recoveries.c.order_id.in_(
        select(returns.c.order_id).where(here(returns), returns.c.id.in_(some))
    )  # the way in which an index leads to them
    owed = select(recoveries.c.id).where(
        here(recoveries), of_order, recoveries.c.return_id.in_(some)
    )
    reason = refunds.c.reason.op("!~")(CODE)
    return (
        _taking(returns, returns.c.id.in_(some), "info_request"),
        _taking(return_lines, return_lines.c.return_id.in_(some), "decision_note"),
        _without(
            return_lines.c.evidence,
            lambda item: item.op("-")("url"),
            return_lines.c.return_id.in_(some),
        ),
        _without(
            receipts.c.unexpected,
            lambda item: item.op("||")(cast(literal({"note": None}), JSONB)),
            receipts.c.return_id.in_(some),
        ),
        _taking(inspected_units, inspected_units.c.return_line_id.in_(lines), "note"),
        _taking(shipments, shipments.c.return_id.in_(some), "label_url", "qr_url", "last_error"),
        _taking(pickups, pickups.c.return_id.in_(some), "last_error"),
        _taking(transport_claims, transport_claims.c.return_id.in_(some), "note"),
        _taking(disputes, disputes.c.return_id.in_(some), "ruling"),
        _taking(recoveries, recoveries.c.id.in_(owed), "asked_note"),
        _taking(recovery_steps, recovery_steps.c.recovery_id.in_(owed), "note"),
        _taking(refunds, and_(refunds.c.return_id.in_(some), reason), "reason"),
    )


_OF_ORDERS: Final = (
    *_queries(_of_orders),
    _taking(refunds, and_(refunds.c.order_id == _ids, refunds.c.reason.op("!~")(CODE)), "reason"),
)
_ABOUT: Final = _queries(_themselves)


async def forget(tx: Transaction, order_ids: Sequence[UUID]) -> None:
    """Take out what was written about these orders and their returns."""
    for query in _OF_ORDERS:
        await tx.run(query, ids=list(order_ids))


async def forget_about(tx: Transaction, return_ids: Sequence[UUID]) -> None:
    """The same about some returns of an order alone."""
    for query in _ABOUT:
        await tx.run(query, ids=list(return_ids))
