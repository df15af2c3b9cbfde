"""Days and months of reports: replaced whole, and found by what happened.

Owns writing the roll-ups and telling which days are to be counted anew. A day is replaced whole, so
counting it twice, late or after a crash gives the same rows. Refuses to own what is counted
(``report_sources``, ``report_costs``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Date,
    Text,
    any_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY

from returns_api.db import report_costs, report_sources
from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, among, given, here
from returns_api.db.report_sources import SINCE, numbers, total
from returns_api.db.tables import complaints, events, orders, report_rollups, returns
from returns_api.domain.report_days import next_month
from returns_api.domain.report_sources import SOURCES, Source

_OF: Final = {**report_sources.OF, **report_costs.OF}
_COLUMNS: Final = ("shop_id", "source", "span", "starts_on", "keys", "currency", "figures")


def _day(source: Source) -> Query:
    counted = _OF[source.name].subquery("counted")
    return Query(
        insert(report_rollups).from_select(
            _COLUMNS,
            select(
                SHOP,
                literal(source.name, Text),
                literal("day", Text),
                given("day", Date),
                counted.c["keys"],
                counted.c.currency,
                counted.c.figures,
            ),
        )
    )


def _month(source: Source) -> Query:
    t = report_rollups.c
    figures = [total(t.figures[place]) for place in range(1, len(source.figures) + 1)]
    return Query(
        insert(report_rollups).from_select(
            _COLUMNS,
            select(
                SHOP,
                t.source,
                literal("month", Text),
                given("month", Date),
                t["keys"],
                t.currency,
                numbers(figures),
            )
            .where(
                here(report_rollups),
                t.source == source.name,
                t.span == "day",
                t.starts_on >= given("month", Date),
                t.starts_on < given("next_month", Date),
            )
            .group_by(t.source, t["keys"], t.currency),
        )
    )


_DAYS: Final = tuple(_day(source) for source in SOURCES)
"""For each source, the rows of ``day`` between ``since`` and ``until``."""
_MONTHS: Final = tuple(_month(source) for source in SOURCES)
"""For each source, the rows of ``month`` from those of its days, up to ``next_month``."""
_NEXT: Final = Query(
    select(
        func.least(
            select(func.min(returns.c.created_at))
            .where(here(returns), returns.c.created_at >= SINCE)
            .scalar_subquery(),
            select(func.min(orders.c.placed_at))
            .where(here(orders), orders.c.placed_at >= SINCE)
            .scalar_subquery(),
            select(func.min(complaints.c.created_at))
            .where(here(complaints), complaints.c.created_at >= SINCE)
            .scalar_subquery(),
        )
    )
)
"""The next moment from ``since`` on at which anything was opened or an order placed."""
_told: Final = (
    select(
        events.c.id,
        events.c.return_id,
        events.c.order_id,
        events.c.resource_type,
        events.c.resource_id,
    )
    .where(
        here(events),
        events.c.id > given("after", events.c.id.type),
        or_(events.c.return_id.is_not(None), among(events.c.resource_type, ("order", "complaint"))),
    )
    .order_by(events.c.id)
    .limit(given("limit"))
)
_TOLD: Final = Query(_told)
"""The events after ``after`` that can change a figure, oldest first."""
_NEWEST: Final = Query(
    select(events.c.id).where(here(events)).order_by(events.c.id.desc()).limit(1)
)
_IDS: Final = ARRAY(events.c.id.type)
_MOMENTS: Final = Query(
    union(
        *(
            select(moment.label("moment")).where(
                here(moment.table), moment.table.c.id == any_(given(name, _IDS))
            )
            for name, moment in (
                ("returns", returns.c.created_at),
                ("orders", orders.c.placed_at),
                ("complaints", complaints.c.created_at),
            )
        )
    )
)
"""When these returns and complaints were opened and these orders placed."""
_DROP: Final = Query(
    delete(report_rollups).where(
        here(report_rollups),
        report_rollups.c.span == given("span", Text),
        report_rollups.c.starts_on == given("starts_on", Date),
    )
)
_DROP_ALL: Final = Query(delete(report_rollups).where(here(report_rollups)))


async def count_day(tx: Transaction, day: date, since: datetime, until: datetime) -> None:
    """Count one day anew."""
    await tx.run(_DROP, span="day", starts_on=day)
    for query in _DAYS:
        await tx.run(query, day=day, since=since, until=until)


async def count_month(tx: Transaction, day: date) -> None:
    """Add the month of ``day`` up anew from all of its days."""
    month = day.replace(day=1)
    await tx.run(_DROP, span="month", starts_on=month)
    for query in _MONTHS:
        await tx.run(query, month=month, next_month=next_month(month))


async def forget(tx: Transaction) -> None:
    """Drop every day and month of the shop."""
    await tx.run(_DROP_ALL)


async def next_moment(tx: Transaction, since: datetime) -> datetime | None:
    """When anything was opened or an order placed next; None when there is none any more."""
    found: datetime | None = await tx.value(_NEXT, since=since)
    return found


async def told(tx: Transaction, after: UUID, limit: int) -> list[Row]:
    """Events after that one which can change a figure, oldest first."""
    return await tx.all(_TOLD, after=after, limit=limit)


async def newest_event(tx: Transaction) -> UUID:
    """The newest of all; the lowest id where there is none."""
    return await tx.value(_NEWEST) or UUID(int=0)


async def moments_of(
    tx: Transaction,
    return_ids: Iterable[UUID],
    order_ids: Iterable[UUID],
    complaint_ids: Iterable[UUID],
) -> set[datetime]:
    """When these returns and complaints were opened and these orders placed."""
    rows = await tx.all(
        _MOMENTS,
        returns=list(return_ids),
        orders=list(order_ids),
        complaints=list(complaint_ids),
    )
    return {row["moment"] for row in rows}
