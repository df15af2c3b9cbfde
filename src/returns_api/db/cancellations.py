"""Cancellations: rows to facts, and the units that they hold.

How their heads are added and moved is ``db.moves``'s, which there are of an order
``cancellation_searches``'s; the order's lock is theirs. What was not sent counts on its order line
as ``cancelled`` (``order_counts``), what was sent as ``claimed``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db import deadlines as deadline_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.order_counts import claimable
from returns_api.db.query import SHOP, Query, given, here, json_rows
from returns_api.db.tables import cancellation_lines as _l
from returns_api.db.tables import cancellations as _t
from returns_api.db.tables import order_lines, orders, parcels, unit_claims
from returns_api.domain.cancellations import CancellationRecord, CancelledLine
from returns_api.domain.errors import NothingLeftToReturn

_JOINED: Final = {"lines", "deadlines", "parcel", "order_external_id"}
_FIELDS: Final = tuple(
    name for name in CancellationRecord.__dataclass_fields__ if name not in _JOINED
)
_OF_LINE: Final = {
    **{name: order_lines.c[name] for name in ("external_id", "title", "sku", "kind")},
    **{name: _l.c[name] for name in ("id", "order_line_id", "quantity", "units")},
}
_lines = (
    select(
        func.jsonb_agg(
            func.jsonb_build_object(
                *(part for name, value in _OF_LINE.items() for part in (literal(name, Text), value))
            )
        )
    )
    .select_from(_l)
    .join(
        order_lines,
        and_(order_lines.c.shop_id == _l.c.shop_id, order_lines.c.id == _l.c.order_line_id),
    )
    .where(here(_l), _l.c.cancellation_id == _t.c.id)
    .correlate(_t)
    .scalar_subquery()
)
SHOWN: Final = (
    select(
        *(_t.c[name] for name in _FIELDS),
        parcels.c.external_id.label("parcel"),
        orders.c.external_id.label("order_external_id"),
        _lines.label("lines"),
        deadline_rows.shown(_t.c.order_id, _t.c.id, "order_id").label("deadlines"),
    )
    .select_from(_t)
    .join(orders, and_(orders.c.shop_id == _t.c.shop_id, orders.c.id == _t.c.order_id))
    .outerjoin(parcels, and_(parcels.c.shop_id == _t.c.shop_id, parcels.c.id == _t.c.parcel_id))
)
_order, _state = given("order_id", Uuid), given("state", Text)
_ONE: Final = Query(SHOWN.where(here(_t), _t.c.id == given("id")))
_PAGE: Final = Query(
    SHOWN.where(
        here(_t),
        _t.c.id < given("before"),
        or_(_order.is_(None), _t.c.order_id == _order),
        or_(_state.is_(None), _t.c.state == _state),
    )
    .order_by(_t.c.id.desc())
    .limit(given("limit"))
)


def _add_lines() -> Query:
    """The lines and one claim for each of their units; its key lets nobody else have it."""
    wanted = json_rows(
        "lines",
        id=Uuid,
        order_line_id=Uuid,
        dispatched=Boolean,
        quantity=Integer,
        units=ARRAY(Integer),
    )
    added = (
        insert(_l)
        .from_select(
            ["shop_id", "cancellation_id", "order_id", *wanted.c.keys()],
            select(SHOP, given("cancellation_id", Uuid), given("order_id", Uuid), *wanted.c),
        )
        .cte("added")
    )
    unit = func.unnest(wanted.c.units).table_valued("no").render_derived(name="unit")
    return Query(
        insert(unit_claims)
        .from_select(
            ["shop_id", "line_id", "unit_no", "cancellation_line_id"],
            select(SHOP, wanted.c.order_line_id, unit.c.no, wanted.c.id).select_from(
                wanted.join(unit, true())
            ),
        )
        .add_cte(added)
    )


_ADD_LINES: Final = _add_lines()
_CLAIM: Final = Query(
    update(order_lines)
    .where(
        here(order_lines),
        order_lines.c.id == given("line_id"),
        claimable(given("count", Integer)),
    )
    .values(claimed=order_lines.c.claimed + given("count", Integer))
)
_UNCLAIM: Final = Query(
    update(order_lines)
    .where(here(order_lines), order_lines.c.id == given("line_id"))
    .values(claimed=order_lines.c.claimed - given("count", Integer))
)
_SET_REFUND: Final = Query(
    update(_t)
    .where(here(_t), _t.c.id == given("id"), _t.c.refund_id.is_(None))
    .values(refund_id=given("refund_id", Uuid))
)
_FREE: Final = Query(
    delete(unit_claims).where(
        here(unit_claims),
        unit_claims.c.cancellation_line_id == given("id"),
        unit_claims.c.unit_no == any_(given("units", ARRAY(Integer))),
    )
)
_KEEP: Final = Query(
    update(_l).where(here(_l), _l.c.id == given("id")).values(units=given("units", ARRAY(Integer)))
)


async def one(tx: Transaction, cancellation_id: UUID) -> CancellationRecord | None:
    """The order's lock is the cancellation's."""
    return record(await tx.first(_ONE, id=cancellation_id))


async def page(tx: Transaction, **filters: Any) -> list[CancellationRecord]:
    """Newest first; ``before``, ``limit`` and the optional order_id and state."""
    found = (record(row) for row in await tx.all(_PAGE, **filters))
    return [each for each in found if each is not None]


async def add_lines(
    tx: Transaction, cancellation_id: UUID, order_id: UUID, lines: Sequence[Mapping[str, Any]]
) -> None:
    """Lines with the units that they hold, of a locked order. What was sent is counted as claimed;
    count the rest with ``count_cancelled``. Raises ``NothingLeftToReturn`` where less is left.
    """
    await tx.run(
        _ADD_LINES,
        cancellation_id=cancellation_id,
        order_id=order_id,
        lines=[dict(line) for line in lines],
    )
    for line in lines:
        if line["dispatched"]:
            found = await tx.run(_CLAIM, line_id=line["order_line_id"], count=line["quantity"])
            if not found:
                raise NothingLeftToReturn("The units were taken since.", lines=[])


async def release(
    tx: Transaction, line: CancelledLine, units: Sequence[int], *, dispatched: bool
) -> None:
    """Units that a line no longer holds; as with ``add_lines`` for what counts them."""
    kept = [unit for unit in line.units if unit not in set(units)]
    await tx.run(_FREE, id=line.id, units=list(units))
    await tx.run(_KEEP, id=line.id, units=kept)
    if dispatched:
        await tx.run(_UNCLAIM, line_id=line.order_line_id, count=len(units))


async def set_refund(tx: Transaction, cancellation_id: UUID, refund_id: UUID) -> None:
    """What was paid back, in the transaction that confirmed it."""
    await tx.run(_SET_REFUND, id=cancellation_id, refund_id=refund_id)


def record(row: Row | None) -> CancellationRecord | None:
    """A row of ``SHOWN``."""
    if row is None:
        return None
    lines = [
        CancelledLine(
            **{
                **line,
                "id": UUID(line["id"]),
                "order_line_id": UUID(line["order_line_id"]),
                "units": tuple(line["units"]),
            }
        )
        for line in row["lines"] or ()
    ]
    return CancellationRecord(
        **{name: row[name] for name in (*_FIELDS, "parcel", "order_external_id")},
        lines=tuple(sorted(lines, key=lambda line: line.id)),
        deadlines=deadline_rows.records(row["deadlines"]),
    )
