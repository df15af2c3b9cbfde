"""Reports read from their roll-ups, and how far a shop's roll-ups are.

Owns the questions and ``report_progress``, which one job at a time holds. Refuses to own how days
and months are counted (``report_days``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Text,
    Uuid,
    and_,
    cast,
    collate,
    func,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from returns_api.db import report_days
from returns_api.db.engine import Row, Transaction
from returns_api.db.query import SHOP, Query, given, here
from returns_api.db.report_sources import numbers, texts
from returns_api.db.tables import report_progress as _p
from returns_api.db.tables import report_rollups as _t
from returns_api.db.tables import shops
from returns_api.domain.report_days import Days
from returns_api.domain.reports import PPM, REPORTS, Report

_MOMENT: Final = DateTime(timezone=True)
_NOW: Final = given("now", _MOMENT)
_UNTIL: Final = given("until", _MOMENT)
_FREE: Final = or_(_p.c.leased_until.is_(None), _p.c.leased_until <= _NOW)
_HELD: Final = and_(
    here(_p), _p.c.attempt == given("attempt", Integer), _p.c.leased_until.is_not(None)
)
_ZONE: Final = select(shops.c.timezone).where(here(shops)).scalar_subquery()

_PROGRESS: Final = Query(select(_p, _ZONE.label("shop_zone")).where(here(_p)))
_ADD: Final = Query(insert(_p).values(shop_id=SHOP, zone="", due_at=_NOW).on_conflict_do_nothing())
_HURRY: Final = Query(update(_p).where(here(_p), _p.c.due_at > _NOW).values(due_at=_NOW))
_RESET: Final = Query(
    update(_p)
    .where(here(_p))
    .values(zone="", as_of=null(), due_at=_NOW, attempt=_p.c.attempt + 1, leased_until=null())
)
DUE: Final = Query(
    select(_p.c.shop_id)
    .where(_p.c.due_at <= _NOW, _FREE)
    .order_by(_p.c.due_at)
    .limit(given("limit"))
)
"""Shops whose figures are to be brought up to date, for ``Database.sweep``."""
_CLAIM: Final = Query(
    update(_p)
    .where(here(_p), _p.c.due_at <= _NOW, _FREE)
    .values(attempt=_p.c.attempt + 1, leased_until=_UNTIL)
    .returning(_p, _ZONE.label("shop_zone"))
)
_BEGIN: Final = Query(
    update(_p)
    .where(_HELD)
    .values(
        zone=given("zone", Text),
        building_from=given("since", _MOMENT),
        cursor=given("cursor", Uuid),
        as_of=null(),
        quiet=False,
    )
    .returning(_p)
)
_HOLD: Final = Query(update(_p).where(_HELD).values(leased_until=_UNTIL))
_PLACE: Final = Query(
    update(_p).where(_HELD).values(building_from=given("since", _MOMENT), leased_until=_UNTIL)
)
_KEEP: Final = Query(
    update(_p)
    .where(_HELD)
    .values(
        cursor=given("cursor", Uuid),
        as_of=func.coalesce(given("as_of", _MOMENT), _p.c.as_of),
        quiet=given("quiet", _p.c.quiet.type),
    )
)
_LET_GO: Final = Query(
    update(_p).where(_HELD).values(due_at=given("due_at", _MOMENT), leased_until=null())
)


def _read(report: Report, group: str | None) -> Query:
    """A report's rows: whole months from theirs, the days beside them one by one."""
    source = report.source
    spans = union_all(
        *(
            select(_t.c["keys"], _t.c.currency, _t.c.figures).where(
                here(_t),
                _t.c.source == source.name,
                _t.c.span == span,
                _t.c.starts_on >= given(since, Date),
                _t.c.starts_on < given(until, Date),
            )
            for span, since, until in (
                ("day", "first", "whole_from"),
                ("month", "whole_from", "whole_until"),
                ("day", "whole_until", "until"),
            )
        )
    ).subquery("spans")
    keys = [spans.c["keys"][source.key(name) + 1] for name in report.grouped(group)]
    figures = [func.sum(spans.c.figures[n]) for n in range(1, len(source.figures) + 1)]
    by_name = dict(zip((each.name for each in source.figures), figures, strict=True))
    statement = select(
        texts(keys).label("keys"),
        spans.c.currency,
        numbers([cast(each, BigInteger) for each in figures]).label("figures"),
    ).group_by(*keys, spans.c.currency)
    if source.money:
        wanted = given("currency", Text)
        statement = statement.where(or_(wanted.is_(None), spans.c.currency == wanted))
    if report.volume is not None:
        statement = statement.having(by_name[report.volume] >= given("min_volume", BigInteger))
    ordered = [collate(key, "C") for key in keys]
    return Query(
        statement.order_by(
            _first(report, by_name).desc().nulls_last(), *ordered, collate(spans.c.currency, "C")
        ).limit(given("limit"))
    )


def _first(report: Report, figures: dict[str, Any]) -> ColumnElement[Any]:
    """What rows are ordered by, as ``domain.reports`` rounds it."""
    if report.first in figures:
        found: ColumnElement[Any] = figures[report.first]
        return found
    ratio = next(each for each in report.ratios if each.column.name == report.first)
    whole = func.nullif(figures[ratio.of], 0)
    return func.floor(figures[ratio.part] * PPM / whole)


_READS: Final = {
    (report.name, group): _read(report, group)
    for report in REPORTS.values()
    for group in (None, *report.keys)
}


async def read(
    tx: Transaction,
    report: Report,
    group: str | None,
    days: Days,
    *,
    currency: str | None,
    min_volume: int,
    limit: int,
) -> list[Row]:
    """Rows with ``keys``, ``currency`` and ``figures``, the first ones first."""
    money = {"currency": currency} if report.source.money else {}
    least = {} if report.volume is None else {"min_volume": min_volume}
    return await tx.all(
        _READS[report.name, group],
        first=days.first,
        until=days.until,
        whole_from=days.whole[0],
        whole_until=days.whole[1],
        limit=limit,
        **money,
        **least,
    )


async def progress(tx: Transaction) -> Row | None:
    """How far the shop's figures are, with its zone; None when nobody asked for any yet."""
    return await tx.first(_PROGRESS)


async def ask_for(tx: Transaction, now: datetime) -> None:
    """Let figures be made from now on, or brought up to date soon."""
    if not await tx.run(_ADD, now=now):
        await tx.run(_HURRY, now=now)


async def reset(tx: Transaction, now: datetime) -> None:
    """Forget how far they are; whoever is at work on them has lost them."""
    await tx.run(_ADD, now=now)
    await tx.run(_RESET, now=now)


async def claim(tx: Transaction, now: datetime, until: datetime) -> Row | None:
    """Take the shop's figures until then; None when they are not due or another has them."""
    return await tx.first(_CLAIM, now=now, until=until)


async def begin(tx: Transaction, attempt: int, zone: str, since: datetime) -> Row | None:
    """Drop everything and build it anew from ``since`` on; None when another has them by now."""
    cursor = await report_days.newest_event(tx)
    row = await tx.first(_BEGIN, attempt=attempt, zone=zone, since=since, cursor=cursor)
    if row is not None:
        await report_days.forget(tx)
    return row


async def hold(tx: Transaction, attempt: int, until: datetime) -> bool:
    """Lock the figures and hold them longer. False when another has them by now."""
    return bool(await tx.run(_HOLD, attempt=attempt, until=until))


async def place(tx: Transaction, attempt: int, since: datetime | None, until: datetime) -> bool:
    """Where a building goes on, None when it is done. False when another has them by now."""
    return bool(await tx.run(_PLACE, attempt=attempt, since=since, until=until))


async def keep(
    tx: Transaction, attempt: int, cursor: UUID, as_of: datetime | None, *, quiet: bool
) -> bool:
    """Up to which event they are counted, and the time of which they are, if it is reached."""
    return bool(await tx.run(_KEEP, attempt=attempt, cursor=cursor, as_of=as_of, quiet=quiet))


async def let_go(tx: Transaction, attempt: int, due_at: datetime) -> bool:
    """Until they are due again."""
    return bool(await tx.run(_LET_GO, attempt=attempt, due_at=due_at))
