"""Quality reports that are due: which closed returns are about the goods, and what was found.

Whether a return has something to report is said by the statement that completes it, see
``about_the_goods``; nothing else is asked there. Refuses to own what a report says
(``domain.quality``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, FromClause, and_, func, or_, select, update

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, among, given, here
from returns_api.db.tables import events, inspected_units, order_lines, return_lines, returns
from returns_api.domain.quality import REPORTED
from returns_api.domain.reasons import BY_CODE, QUALITY_REASONS, Fault

_MOMENT: Final = DateTime(timezone=True)
_line: Final = return_lines.c


def of_quality(lines: FromClause = return_lines) -> ColumnElement[bool]:
    """Whether the reason of a line is one, as ``domain.reasons.is_quality`` says it."""
    return or_(
        among(lines.c.reason, sorted(QUALITY_REASONS)),
        and_(~among(lines.c.reason, sorted(BY_CODE)), lines.c.fault == Fault.MERCHANT.value),
    )


def about_the_goods() -> ColumnElement[bool]:
    """Whether the return of an update has a line of quality."""
    own = (here(return_lines), _line.return_id == returns.c.id)
    return select(_line.id).where(*own, of_quality()).correlate(returns).exists()


DUE: Final = Query(
    select(returns.c.shop_id, returns.c.id)
    .where(returns.c.quality_at <= given("now", _MOMENT))
    .order_by(returns.c.quality_at)
    .limit(given("limit"))
)
_LOCK: Final = Query(
    select(returns.c.id, returns.c.order_id, returns.c.closed_at)
    .where(
        here(returns), returns.c.id == given("id"), returns.c.quality_at <= given("now", _MOMENT)
    )
    .with_for_update()
)
_AGAIN: Final = Query(
    update(returns)
    .where(here(returns), returns.c.id == given("id"))
    .values(quality_at=given("at", _MOMENT))
)
_graded: Final = (
    select(inspected_units.c.grade, func.count().label("units"))
    .where(here(inspected_units), inspected_units.c.return_line_id == _line.id)
    .group_by(inspected_units.c.grade)
    .correlate(return_lines)
    .subquery("graded")
)
_LINES: Final = Query(
    select(
        _line.id,
        _line.reason,
        _line.fault,
        _line.quantity,
        _line.received,
        _line.inspected,
        _line.note.is_not(None).label("noted"),
        order_lines.c.sku,
        order_lines.c.product_id,
        order_lines.c.vendor,
        order_lines.c.options,
        select(func.jsonb_object_agg(_graded.c.grade, _graded.c.units))
        .correlate(return_lines)
        .scalar_subquery()
        .label("grades"),
    )
    .join_from(
        return_lines,
        order_lines,
        and_(here(order_lines), order_lines.c.id == _line.order_line_id),
    )
    .where(
        here(return_lines),
        _line.return_id == given("return_id"),
        of_quality(),
        among(_line.state, REPORTED),
        ~select(events.c.id)
        .where(here(events), events.c.resource_id == _line.id)
        .correlate(return_lines)
        .exists(),
    )
    .order_by(_line.position)
)


async def lock_due(tx: Transaction, return_id: UUID, now: datetime) -> Row | None:
    """The head of a return whose report is due; None when it is not (any more)."""
    return await tx.first(_LOCK, id=return_id, now=now)


async def untold(tx: Transaction, return_id: UUID) -> list[Row]:
    """Lines of quality that came back or were kept and that no event tells of yet, with their
    goods, and ``grades`` as units by grade (None without any)."""
    return await tx.all(_LINES, return_id=return_id)


async def again(tx: Transaction, return_id: UUID, at: datetime | None) -> None:
    """Look again then; None for never."""
    await tx.run(_AGAIN, id=return_id, at=at)
