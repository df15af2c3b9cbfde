"""Stored decisions read back: one by one for a proof, and in order for a whole history.

A decision is written with its quote (``returns.add_quote``) and never changes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Uuid, and_, func, not_, or_, select

from returns_api.db.engine import Row, Transaction
from returns_api.db.query import Query, given, here
from returns_api.db.tables import certificates as _certificates
from returns_api.db.tables import decisions as _t
from returns_api.db.tables import inspected_units as _units
from returns_api.db.tables import quotes as _quotes
from returns_api.db.tables import return_lines as _return_lines
from returns_api.db.tables import returns as _returns

_from, _until = (
    given("since", DateTime(timezone=True)),
    given("until", DateTime(timezone=True)),
)


def _between(col: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(or_(_from.is_(None), col >= _from), col < _until)


_OF_RETURN: Final = Query(
    select(_t)
    .join(_returns, and_(_returns.c.shop_id == _t.c.shop_id, _returns.c.decision_id == _t.c.id))
    .where(here(_t), _returns.c.id == given("return_id"))
)
_PAGE: Final = Query(
    select(_t)
    .where(here(_t), _t.c.id > given("after", Uuid), _between(_t.c.at))
    .order_by(_t.c.id)
    .limit(given("limit"))
)
_COUNT: Final = Query(select(func.count()).select_from(_t).where(here(_t), _between(_t.c.at)))
_earlier = _returns.alias("earlier")
_is_first = not_(
    select(_earlier.c.id)
    .where(
        _earlier.c.shop_id == _returns.c.shop_id,
        _earlier.c.order_id == _returns.c.order_id,
        _earlier.c.id < _returns.c.id,
    )
    .correlate(_returns)
    .exists()
)
_certificate = (
    select(_certificates.c.body)
    .where(
        _certificates.c.shop_id == _returns.c.shop_id,
        _certificates.c.order_id == _returns.c.order_id,
        _is_first,
    )
    .order_by(_certificates.c.version.desc())
    .limit(1)
    .correlate(_returns)
    .scalar_subquery()
)
_graded = (
    select(func.jsonb_agg(func.jsonb_build_array(_return_lines.c.order_line_id, _units.c.grade)))
    .select_from(_return_lines)
    .join(
        _units,
        and_(
            _units.c.shop_id == _return_lines.c.shop_id,
            _units.c.return_line_id == _return_lines.c.id,
        ),
    )
    .where(
        _return_lines.c.shop_id == _returns.c.shop_id,
        _return_lines.c.return_id == _returns.c.id,
    )
    .correlate(_returns)
    .scalar_subquery()
)
_HISTORY: Final = Query(
    select(
        _returns.c.id,
        _returns.c.number,
        _returns.c.policy_version_id,
        _returns.c.method,
        _returns.c.resolution,
        _quotes.c.lines,
        _t.c.facts,
        _t.c.digest,
        _certificate.label("certificate"),
        _graded.label("graded"),
    )
    .join(_t, and_(_t.c.shop_id == _returns.c.shop_id, _t.c.id == _returns.c.decision_id))
    .join(
        _quotes, and_(_quotes.c.shop_id == _returns.c.shop_id, _quotes.c.id == _returns.c.quote_id)
    )
    .where(here(_returns), _returns.c.id > given("after", Uuid), _between(_returns.c.created_at))
    .order_by(_returns.c.id)
    .limit(given("limit"))
)
_HISTORY_COUNT: Final = Query(
    select(func.count())
    .select_from(_returns)
    .where(here(_returns), _between(_returns.c.created_at))
)


async def of_return(tx: Transaction, return_id: UUID) -> Row | None:
    """The decision that a return was opened under."""
    return await tx.first(_OF_RETURN, return_id=return_id)


async def page(
    tx: Transaction, *, after: UUID, since: datetime | None, until: datetime, limit: int
) -> list[Row]:
    """Decisions made from ``since`` to before ``until``, oldest first."""
    return await tx.all(_PAGE, after=after, since=since, until=until, limit=limit)


async def count(tx: Transaction, since: datetime | None, until: datetime) -> int:
    return int(await tx.value(_COUNT, since=since, until=until))


async def history(
    tx: Transaction, *, after: UUID, since: datetime | None, until: datetime, limit: int
) -> list[Row]:
    """Returns opened in that time with what was asked and decided, oldest first.

    ``certificate`` is there for the first return of an order only: original shipping is refunded
    once. ``graded`` has a pair of order line and grade for each unit that was inspected.
    """
    return await tx.all(_HISTORY, after=after, since=since, until=until, limit=limit)


async def history_count(tx: Transaction, since: datetime | None, until: datetime) -> int:
    return int(await tx.value(_HISTORY_COUNT, since=since, until=until))
