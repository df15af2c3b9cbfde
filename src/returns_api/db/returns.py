"""Returns: rows to facts, and compare-and-set transitions.

``move`` changes a return only where its sequence is still the one that the plan was made from.
How a return comes to be is ``db.opening``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db import deadlines as deadline_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.invitations import review_begun
from returns_api.db.quality import about_the_goods
from returns_api.db.query import Query, given, here
from returns_api.db.tables import (
    order_lines,
    return_lines,
    returns,
    unit_claims,
)
from returns_api.db.tables.returns import FLAGGED
from returns_api.domain.lifecycle.deadlines import Deadline
from returns_api.domain.returns import Hanging, LineChange, ReturnLineRecord, ReturnRecord
from returns_api.domain.terms import ReturnTerms

_NOW: Final = given("now", returns.c.updated_at.type)
_RETURN_FIELDS: Final = tuple(
    name
    for name in ReturnRecord.__dataclass_fields__
    if name not in {"lines", "deadlines", "hanging"}
)
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
        # They ride on the first line: a return is read by two statements, and the second one sees
        # what was committed before the first one got its lock.
        case(
            (
                return_lines.c.position == 0,
                deadline_rows.shown(return_lines.c.return_id),
            )
        ).label("deadlines"),
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
_page = (
    select(*(returns.c[name] for name in _RETURN_FIELDS))
    .where(
        here(returns),
        returns.c.id < given("before"),
        or_(given("order_id", Uuid).is_(None), returns.c.order_id == given("order_id", Uuid)),
        or_(given("gifts", Boolean), returns.c.gift_receipt_id.is_(None)),
        or_(
            given("states", ARRAY(Text)).is_(None),
            returns.c.state == any_(given("states", ARRAY(Text))),
        ),
    )
    .order_by(returns.c.id.desc())
    .limit(given("limit"))
)
_PAGE: Final = Query(_page)
_FLAGGED: Final = Query(_page.where(text(FLAGGED)))


@cache
def _moving(names: frozenset[str], *, deadlines: bool, ending: str | None, closing: bool) -> Query:
    """The compare-and-set update for one set of columns; few sets exist, each compiled once.

    The return's deadlines move with it in the same statement, or not at all. So does, with
    ``closing``, that its quality report is due, where it has something to report, and that the
    buyer is to be asked for a review, where the shop does so.
    """
    report = {"quality_at": case((about_the_goods(), _NOW))} if closing else {}
    moved = (
        update(returns)
        .where(
            here(returns),
            returns.c.id == bindparam("return_id", required=True),
            returns.c.sequence == bindparam("seen", required=True, type_=Integer),
        )
        .values(
            sequence=returns.c.sequence + 1,
            updated_at=_NOW,
            **{name: given(name, returns.c[name].type) for name in names},
            **report,
        )
        .returning(
            returns.c.id,
            returns.c.id.label("return_id"),
            returns.c.sequence,
            returns.c.order_id,
            returns.c.gift_receipt_id,
        )
        .cte("moved")
    )
    statement = select(moved.c.sequence)
    if closing:
        statement = statement.add_cte(review_begun(moved))
    if deadlines:
        statement = statement.add_cte(deadline_rows.written("return", moved))
    if ending:
        statement = statement.add_cte(deadline_rows.ending(moved, ending))
    return Query(statement)


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


async def one(tx: Transaction, return_id: UUID) -> ReturnRecord | None:
    return await _whole(tx, await tx.first(_ONE, id=return_id))


async def lock(tx: Transaction, return_id: UUID) -> Row | None:
    """The head row, locked. After payments, before refunds: the lock order of the house."""
    return await tx.first(_LOCK, id=return_id)


async def lock_whole(tx: Transaction, return_id: UUID) -> ReturnRecord | None:
    return await _whole(tx, await lock(tx, return_id))


async def page(tx: Transaction, *, flagged: bool = False, **filters: Any) -> list[ReturnRecord]:
    """Newest first; ``before``, ``limit`` and the optional filters order_id and states; ``gifts``:
    those by gift receipts too; only what a signal has a person look at where ``flagged``."""
    heads = await tx.all(_FLAGGED if flagged else _PAGE, **filters)
    lines = await tx.all(_LINES, return_ids=[head["id"] for head in heads]) if heads else []
    return [_record(head, [line for line in lines if line["return_id"] == head["id"]])
            for head in heads]  # fmt: skip


async def move(
    tx: Transaction,
    return_id: UUID,
    seen: int,
    now: datetime,
    *,
    deadlines: Sequence[Deadline] = (),
    ending: str | None = None,
    closing: bool = False,
    **values: Any,
) -> int | None:
    """Set columns and deadlines where the sequence is still ``seen``; the new sequence, or None.

    ``ending`` ends a kind of deadline where it stands, for a caller that has not read it.
    ``closing`` has the return's quality reported and its buyer asked for a review, see ``_moving``.
    """
    query = _moving(frozenset(values), deadlines=bool(deadlines), ending=ending, closing=closing)
    given_ones = {"deadlines": deadline_rows.to_json(deadlines)} if deadlines else {}
    sequence: int | None = await tx.value(
        query, return_id=return_id, seen=seen, now=now, **given_ones, **values
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
    timed = next((line["deadlines"] for line in lines), None) or ()
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
        deadlines=deadline_rows.records([d for d in timed if d["object"] == "return"]),
        hanging=tuple(
            Hanging(d["object"], UUID(d["object_id"]), Deadline.from_json(d))
            for d in sorted(timed, key=lambda d: (d["due_at"], d["object_id"], d["kind"]))
            if d["object"] != "return"
        ),
    )
