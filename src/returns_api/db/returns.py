"""Returns: rows to facts, the one-statement opening, compare-and-set transitions.

``open_return`` writes everything an opening is in one statement; ``save`` moves a return only where
its sequence is still the one that the plan was made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.tables import (
    decisions,
    order_lines,
    orders,
    quotes,
    return_lines,
    returns,
    shipments,
    unit_claims,
)
from returns_api.domain.returns import LineChange, ReturnLineRecord, ReturnRecord
from returns_api.domain.terms import ReturnTerms

_RETURN_FIELDS: Final = tuple(name for name in ReturnRecord.__dataclass_fields__ if name != "lines")
_LINE_FIELDS: Final = tuple(
    name
    for name in ReturnLineRecord.__dataclass_fields__
    if name not in {"external_id", "title", "sku"}
)

_LINES: Final = Query(
    select(
        return_lines.c.return_id,
        *(return_lines.c[name] for name in _LINE_FIELDS),
        order_lines.c.external_id,
        order_lines.c.title,
        order_lines.c.sku,
    )
    .join(
        order_lines,
        and_(
            order_lines.c.shop_id == return_lines.c.shop_id,
            order_lines.c.id == return_lines.c.order_line_id,
        ),
    )
    .where(here(return_lines), return_lines.c.return_id == any_(given("return_ids", ARRAY(Uuid))))
    .order_by(return_lines.c.return_id, return_lines.c.position)
)
_one = select(*(returns.c[name] for name in _RETURN_FIELDS)).where(
    here(returns), returns.c.id == given("id")
)
_ONE: Final = Query(_one)
_LOCK: Final = Query(_one.with_for_update())
_PAGE: Final = Query(
    select(*(returns.c[name] for name in _RETURN_FIELDS))
    .where(
        here(returns),
        returns.c.id < given("before"),
        or_(given("order_id", Uuid).is_(None), returns.c.order_id == given("order_id", Uuid)),
        or_(
            given("states", ARRAY(Text)).is_(None),
            returns.c.state == any_(given("states", ARRAY(Text))),
        ),
    )
    .order_by(returns.c.id.desc())
    .limit(given("limit"))
)
_LOCK_QUOTE: Final = Query(
    select(quotes, orders.c.number)
    .join(orders, and_(orders.c.shop_id == quotes.c.shop_id, orders.c.id == quotes.c.order_id))
    .where(here(quotes), quotes.c.id == given("id"))
    .with_for_update()
)
_QUOTE: Final = Query(select(quotes).where(here(quotes), quotes.c.id == given("id")))
_DECISION: Final = Query(select(decisions).where(here(decisions), decisions.c.id == given("id")))
_ADD_DECISION: Final = Query(
    insert(decisions).values(
        shop_id=SHOP, **{c.name: given(c.name) for c in decisions.c if c.name != "shop_id"}
    )
)
_ADD_QUOTE: Final = Query(
    insert(quotes).values(
        shop_id=SHOP,
        **{c.name: given(c.name) for c in quotes.c if c.name not in {"shop_id", "return_id"}},
    )
)
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


def _opening() -> Query:
    """Number, return, lines, claims, counters, quote and shipment in one statement.

    The counters' guard is the row guard of promise L1: it counts only rows it could move, so the
    caller compares the count and takes everything back when one is missing. The claims' primary key
    and the trigger on ``claimed`` say the same again.
    """
    numbered = (
        update(orders)
        .where(here(orders), orders.c.id == given("order_id", Uuid))
        .values(returns_opened=orders.c.returns_opened + 1)
        .returning(orders.c.number, orders.c.returns_opened)
        .cte("numbered")
    )
    names = [c.name for c in returns.c if c.name not in _FILLED]
    opened = (
        insert(returns)
        .from_select(
            ["shop_id", "number", "order_id", *names],
            select(
                SHOP,
                func.concat(numbered.c.number, "-R", numbered.c.returns_opened),
                given("order_id", Uuid),
                *(given(name, returns.c[name].type) for name in names),
            ),
        )
        .returning(returns.c.id, returns.c.number)
        .cte("opened")
    )
    wanted = (
        func.jsonb_to_recordset(given("lines", JSONB))
        .table_valued(
            column("id", Uuid),
            column("order_line_id", Uuid),
            column("position", Integer),
            column("quantity", Integer),
            column("units", ARRAY(Integer)),
            column("reason", Text),
            column("fault", Text),
            column("condition", Text),
            column("note", Text),
            column("evidence", JSONB),
            column("state", Text),
        )
        .render_derived(with_types=True)
    )
    written = (
        insert(return_lines)
        .from_select(
            ["shop_id", "return_id", "order_id", *wanted.c.keys()],
            select(SHOP, given("id", Uuid), given("order_id", Uuid), *wanted.c),
        )
        .cte("written")
    )
    unit = func.unnest(wanted.c.units).table_valued("no").render_derived(name="unit")
    claimed = (
        insert(unit_claims)
        .from_select(
            ["shop_id", "line_id", "unit_no", "return_line_id"],
            select(SHOP, wanted.c.order_line_id, unit.c.no, wanted.c.id).select_from(
                wanted.join(unit, true())
            ),
        )
        .cte("claimed")
    )
    bound = func.least(order_lines.c.ordered - order_lines.c.removed, order_lines.c.shipped)
    counted = (
        update(order_lines)
        .where(
            here(order_lines),
            order_lines.c.id == wanted.c.order_line_id,
            order_lines.c.claimed + order_lines.c.outside_returned + wanted.c.quantity <= bound,
        )
        .values(claimed=order_lines.c.claimed + wanted.c.quantity)
        .returning(order_lines.c.id)
        .cte("counted")
    )
    used = (
        update(quotes)
        .where(here(quotes), quotes.c.id == given("quote_id", Uuid), quotes.c.return_id.is_(None))
        .values(return_id=given("id", Uuid))
        .returning(quotes.c.id)
        .cte("used")
    )
    sent = (
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
                given("created_at", returns.c.created_at.type),
                given("created_at", returns.c.created_at.type),
            ).where(given("shipment_id", Uuid).is_not(None)),
        )
        .cte("sent")
    )
    return Query(
        select(
            select(opened.c.number).scalar_subquery().label("number"),
            select(func.count()).select_from(counted).scalar_subquery().label("counted"),
            select(func.count()).select_from(used).scalar_subquery().label("used"),
        ).add_cte(written, claimed, sent)
    )


_FILLED: Final = frozenset(
    {
        "shop_id",
        "number",
        "order_id",
        "refunded_minor",
        "sequence",
        "inspect_by",
        "refund_by",
        "paused_at",
        "info_request",
        "settled_at",
        "closed_at",
    }
)
_OPEN: Final = _opening()


@cache
def _moving(names: frozenset[str]) -> Query:
    """The compare-and-set update for one set of columns; few sets exist, each compiled once."""
    return Query(
        update(returns)
        .where(
            here(returns),
            returns.c.id == bindparam("return_id", required=True),
            returns.c.sequence == bindparam("seen", required=True, type_=Integer),
        )
        .values(
            sequence=returns.c.sequence + 1,
            updated_at=given("now"),
            **{name: given(name, returns.c[name].type) for name in names},
        )
        .returning(returns.c.sequence)
    )


_SET_REFUNDED: Final = Query(
    update(returns)
    .where(here(returns), returns.c.id == given("id"))
    .values(refunded_minor=given("refunded"), updated_at=given("now"))
)
_SAVE_LINE: Final = Query(
    update(return_lines)
    .where(
        here(return_lines),
        return_lines.c.id == given("id"),
        return_lines.c.state == given("before"),
    )
    .values(
        state=given("state"),
        received=func.coalesce(given("received", Integer), return_lines.c.received),
        inspected=func.coalesce(given("inspected", Integer), return_lines.c.inspected),
        decision_code=func.coalesce(given("decision_code", Text), return_lines.c.decision_code),
        decision_note=func.coalesce(given("decision_note", Text), return_lines.c.decision_note),
    )
)
_RELEASE: Final = Query(
    delete(unit_claims).where(
        here(unit_claims),
        unit_claims.c.return_line_id == given("id"),
        unit_claims.c.unit_no == any_(given("units", ARRAY(Integer))),
    )
)
_UNCOUNT: Final = Query(
    update(order_lines)
    .where(here(order_lines), order_lines.c.id == given("id"))
    .values(claimed=order_lines.c.claimed - given("quantity", Integer))
)
DUE: Final = Query(
    select(returns.c.shop_id, returns.c.id)
    .where(returns.c.deadline_at <= given("now"))
    .order_by(returns.c.deadline_at)
    .limit(given("limit"))
)


async def one(tx: Transaction, return_id: UUID) -> ReturnRecord | None:
    return await _whole(tx, await tx.first(_ONE, id=return_id))


async def lock(tx: Transaction, return_id: UUID) -> Row | None:
    """The head row, locked. After payments, before refunds: the lock order of the house."""
    return await tx.first(_LOCK, id=return_id)


async def lock_whole(tx: Transaction, return_id: UUID) -> ReturnRecord | None:
    return await _whole(tx, await lock(tx, return_id))


async def page(tx: Transaction, **filters: Any) -> list[ReturnRecord]:
    """Newest first; ``before``, ``limit`` and the optional filters order_id and states."""
    heads = await tx.all(_PAGE, **filters)
    lines = await tx.all(_LINES, return_ids=[head["id"] for head in heads]) if heads else []
    return [_record(head, [line for line in lines if line["return_id"] == head["id"]])
            for head in heads]  # fmt: skip


async def lock_quote(tx: Transaction, quote_id: UUID) -> Row | None:
    """The quote and its order's row, locked: openings of one order follow one another."""
    return await tx.first(_LOCK_QUOTE, id=quote_id)


async def quote(tx: Transaction, quote_id: UUID) -> Row | None:
    return await tx.first(_QUOTE, id=quote_id)


async def decision(tx: Transaction, decision_id: UUID) -> Row | None:
    return await tx.first(_DECISION, id=decision_id)


async def add_quote(tx: Transaction, decided: Mapping[str, Any], quoted: Mapping[str, Any]) -> None:
    await tx.run(_ADD_DECISION, **decided)
    await tx.run(_ADD_QUOTE, **quoted)


async def line_counts(tx: Transaction, ids: Sequence[UUID]) -> list[Row]:
    return await tx.all(_LINE_COUNTS, ids=list(ids))


async def open_return(tx: Transaction, **values: Any) -> Row:
    """Write the opening; see ``_opening`` for what the counts in the answer mean."""
    row = await tx.first(_OPEN, **values)
    assert row is not None
    return row


async def move(
    tx: Transaction, return_id: UUID, seen: int, now: datetime, **values: Any
) -> int | None:
    """Set columns where the sequence is still ``seen``; the new sequence, or None."""
    sequence: int | None = await tx.value(
        _moving(frozenset(values)), return_id=return_id, seen=seen, now=now, **values
    )
    return sequence


async def set_refunded(tx: Transaction, return_id: UUID, refunded: int, now: datetime) -> None:
    """What arrived so far; no transition, so no sequence."""
    await tx.run(_SET_REFUNDED, id=return_id, refunded=refunded, now=now)


async def save_lines(tx: Transaction, changes: Sequence[LineChange]) -> None:
    """Move lines and give released units back to their order lines."""
    await tx.many(
        _SAVE_LINE,
        [
            {
                "id": change.line.id,
                "before": change.line.state,
                "state": change.state,
                "received": change.received,
                "inspected": change.inspected,
                "decision_code": change.decision_code,
                "decision_note": change.decision_note,
            }
            for change in changes
        ],
    )
    released = sorted(
        (change for change in changes if change.release), key=lambda c: c.line.order_line_id
    )
    if released:
        await tx.many(_RELEASE, [{"id": c.line.id, "units": list(c.release)} for c in released])
        await tx.many(
            _UNCOUNT,
            [{"id": c.line.order_line_id, "quantity": len(c.release)} for c in released],
        )


async def _whole(tx: Transaction, head: Row | None) -> ReturnRecord | None:
    if head is None:
        return None
    return _record(head, await tx.all(_LINES, return_ids=[head["id"]]))


def _record(head: Row, lines: Sequence[Row]) -> ReturnRecord:
    values = {name: head[name] for name in _RETURN_FIELDS}
    return ReturnRecord(
        **{**values, "terms": ReturnTerms.from_json(head["terms"])},
        lines=tuple(
            ReturnLineRecord(
                **{
                    **{name: line[name] for name in ReturnLineRecord.__dataclass_fields__},
                    "units": tuple(line["units"]),
                    "evidence": tuple(line["evidence"]),
                }
            )
            for line in lines
        ),
    )
