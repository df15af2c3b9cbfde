"""Reports: asked for, and kept up to date beside the work they are about.

A job reads what happened since it last looked, and counts the days of the returns and orders that
it happened to anew. No request of a return or a refund does anything for it. Events are found by
their ids, which are made before they are committed: the job looks again at the last minute before
the newest that it knew, so what came late is counted as well. A day is counted whole, so being
killed, running twice or late changes nothing, and building everything anew gives the same rows.

Refuses to own what is counted (``domain.report_sources``, ``db.report_sources``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from typing import Any, Final
from uuid import UUID

from returns_api.db import report_days
from returns_api.db import reports as rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job
from returns_api.domain.errors import Conflict, DoesNotFit
from returns_api.domain.report_days import Days, asked_days, bounds, day_of
from returns_api.domain.reports import VOLUME_USUAL, Report, known, shown
from returns_api.usecases._announce import announce
from returns_api.usecases.context import Context

FRESH: Final = timedelta(minutes=5)
"""How old figures become before they are brought up to date, while anybody's returns move."""
IDLE: Final = timedelta(hours=1)
"""The same where nothing moves and nobody asks."""
OVERLAP: Final = timedelta(seconds=60)
"""Longer than any transaction lives (``db.engine``), with room for clocks that differ."""
PAGE: Final = 20_000
"""Events of one look."""
LOOKS_PER_JOB: Final = 5
DAYS_PER_JOB: Final = 120
"""Days that one job of a building counts."""
_LONG_AGO: Final = datetime(1900, 1, 1, tzinfo=UTC)
_MILLISECONDS: Final = 80
"""Bits to the right of a UUIDv7's time."""
JOB: Final = "roll_up_reports"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a report; None takes the usual."""

    first: date | None = None
    last: date | None = None
    group: str | None = None
    currency: str | None = None
    min_volume: int | None = None
    limit: int = 1_000


@dataclass(frozen=True, slots=True)
class Answered:
    """Rows under the names of their columns. Everything committed by ``as_of`` is in them."""

    report: Report
    question: Question
    days: Days
    zone: str
    as_of: datetime
    min_volume: int | None
    rows: Sequence[dict[str, Any]]
    truncated: bool


async def view_progress(ctx: Context, shop: UUID) -> Row | None:
    """In which zone the shop's figures are and as of when; None when nobody asked for any yet."""
    async with ctx.database.transaction(shop) as tx:
        return await rows.progress(tx)


async def rebuild(ctx: Context, shop: UUID) -> Row:
    """Count everything anew; until that is done, reports are refused."""
    async with ctx.database.transaction(shop) as tx:
        await rows.reset(tx, ctx.clock())
        await announce(tx, ctx, [], [Job(JOB, shop)])
        found = await rows.progress(tx)
    assert found is not None
    return found


async def view_report(ctx: Context, shop: UUID, name: str, asked: Question) -> Answered:
    """The figures as they were counted last; asking lets old ones be brought up to date.

    Raises:
        NotFound: there is no such report.
        DoesNotFit: it has no such key, no money or no volume; or days that cannot be.
        Conflict: they are being counted for the first time, or anew.
    """
    report = known(name)
    _fits(report, asked)
    now, days, found = ctx.clock(), None, []
    async with ctx.database.transaction(shop) as tx:
        made = await rows.progress(tx)
        if made is None or _old(made, now):
            await rows.ask_for(tx, now)
            await announce(tx, ctx, [], [Job(JOB, shop)])
        if made is not None and made["as_of"] is not None:
            days = asked_days(asked.first, asked.last, day_of(now, made["zone"]))
            found = await _read(tx, report, asked, days)
    if made is None or days is None:
        raise Conflict("The reports of this shop are being made; ask again in a minute.")
    return Answered(
        report,
        asked,
        days,
        made["zone"],
        made["as_of"],
        _least(report, asked),
        [shown(report, asked.group, dict(row.items())) for row in found[: asked.limit]],
        len(found) > asked.limit,
    )


def _fits(report: Report, asked: Question) -> None:
    report.grouped(asked.group)
    for name, fits in (
        ("currency", report.source.money or asked.currency is None),
        ("min_volume", report.volume is not None or asked.min_volume is None),
    ):
        if not fits:
            problem = "does not belong to this report"
            error = {"field": name, "in": "query", "problem": problem}
            raise DoesNotFit(f"'{name}' {problem}.", errors=[error])


def _least(report: Report, asked: Question) -> int | None:
    if report.volume is None:
        return None
    return VOLUME_USUAL if asked.min_volume is None else asked.min_volume


async def _read(tx: Transaction, report: Report, asked: Question, days: Days) -> list[Row]:
    return await rows.read(
        tx,
        report,
        asked.group,
        days,
        currency=asked.currency,
        min_volume=_least(report, asked) or 0,
        limit=asked.limit + 1,
    )


def _old(made: Row, now: datetime) -> bool:
    if made["as_of"] is None or made["zone"] != made["shop_zone"]:
        return True
    return bool(now - made["as_of"] > FRESH)


async def due_roll_ups(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shops whose figures are to be brought up to date."""
    due = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["shop_id"]) for row in due]


class _Lost(Exception):
    """Another job has the shop's figures by now: nothing of this one may stay."""


async def roll_up(ctx: Context, shop: UUID, _key: UUID) -> None:
    """Bring a shop's figures up to date, unless they are not due or another job has them."""
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        held: Row | None = await rows.claim(tx, now, now + ctx.lease)
        if held is not None and held["zone"] != held["shop_zone"]:
            held = await rows.begin(tx, held["attempt"], held["shop_zone"], _LONG_AGO)
    if held is None:
        return
    try:
        if held["building_from"] is not None and not await _build(ctx, shop, held):
            return
        await _follow(ctx, shop, held)
    except _Lost:
        return


async def _build(ctx: Context, shop: UUID, held: Row) -> bool:
    """Count the next days that have something; False when days are left for the next job."""
    moment, attempt, zone = held["building_from"], held["attempt"], held["zone"]
    for _ in range(DAYS_PER_JOB):
        async with ctx.database.transaction(shop) as tx:
            await _hold(tx, ctx, attempt)
            day = day_of(moment, zone)
            moment = await report_days.next_moment(tx, bounds(day, zone)[1])
            following = None if moment is None else day_of(moment, zone)
            await _count(tx, zone, day, following)
            await rows.place(tx, attempt, moment, ctx.clock() + ctx.lease)
        if moment is None:
            return True
    await _let_go(ctx, shop, attempt, ctx.clock())
    return False


async def _follow(ctx: Context, shop: UUID, held: Row) -> None:
    """Count the days anew to which something happened since the last look."""
    known_until, after = held["cursor"], _earlier(held["cursor"], OVERLAP)
    now, quiet, whole = ctx.clock(), False, False
    for _ in range(LOOKS_PER_JOB):
        now = ctx.clock()
        async with ctx.database.transaction(shop) as tx:
            told = await report_days.told(tx, after, PAGE)
            days = await _days(tx, held["zone"], told)
        newest = max([known_until, *(row["id"] for row in told)])
        whole, quiet = len(told) < PAGE, newest == known_until
        if not (quiet and held["quiet"]):
            await _count_all(ctx, shop, held, days)
        async with ctx.database.transaction(shop) as tx:
            as_of = now if whole else None
            if not await rows.keep(tx, held["attempt"], newest, as_of, quiet=quiet):
                raise _Lost
        if whole:
            break
        known_until = after = newest
    rest = (IDLE if quiet else FRESH) if whole else timedelta(0)
    await _let_go(ctx, shop, held["attempt"], now + rest)


async def _days(tx: Transaction, zone: str, told: Sequence[Row]) -> list[date]:
    """Days on which these returns and complaints were opened, and on which their orders or these
    were placed."""
    returns = {row["return_id"] for row in told if row["return_id"] is not None}
    orders = {row["order_id"] for row in told if row["order_id"] is not None}
    complaints = {row["resource_id"] for row in told if row["resource_type"] == "complaint"}
    moments = await report_days.moments_of(tx, returns, orders, complaints)
    return sorted({day_of(moment, zone) for moment in moments})


async def _count_all(ctx: Context, shop: UUID, held: Row, days: Sequence[date]) -> None:
    for day, following in zip_longest(days, days[1:]):
        async with ctx.database.transaction(shop) as tx:
            await _hold(tx, ctx, held["attempt"])
            await _count(tx, held["zone"], day, following)


async def _count(tx: Transaction, zone: str, day: date, following: date | None) -> None:
    """Count a day and, with the last one of its month, the month; ``following`` comes next."""
    since, until = bounds(day, zone)
    await report_days.count_day(tx, day, since, until)
    if following is None or (following.year, following.month) != (day.year, day.month):
        await report_days.count_month(tx, day)


async def _hold(tx: Transaction, ctx: Context, attempt: int) -> None:
    """Lock the shop's figures until the end of the transaction. Raises ``_Lost``."""
    if not await rows.hold(tx, attempt, ctx.clock() + ctx.lease):
        raise _Lost


async def _let_go(ctx: Context, shop: UUID, attempt: int, due_at: datetime) -> None:
    """Until they are due; a job comes at once where they are by now."""
    async with ctx.database.transaction(shop) as tx:
        kept = await rows.let_go(tx, attempt, due_at)
        if kept and due_at <= ctx.clock():
            await announce(tx, ctx, [], [Job(JOB, shop)])


def _earlier(event: UUID, by: timedelta) -> UUID:
    """The lowest id that could have been made so long before a UUIDv7."""
    moment = event.int >> _MILLISECONDS
    return UUID(int=max(moment - int(by.total_seconds() * 1000), 0) << _MILLISECONDS)
