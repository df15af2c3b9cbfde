"""Back-tests of drafts on the shop's own returns: asked for, carried on as a job, read.

A job carries one back-test a few pages further and wakes itself for the rest, so that a worker can
stop at any page; killed in the middle, the next one goes on from the last page that was kept. The
old side of the comparison is made again from stored facts and the version of the return, and
compared with the stored digest: a history that does not replay is counted, not trusted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from returns_api.db import backtests as rows
from returns_api.db import decisions
from returns_api.db import policies as policy_rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain import ids
from returns_api.domain.allocation import paid_for
from returns_api.domain.backtests import PastLine, PastReturn, Tally, Trial
from returns_api.domain.errors import DoesNotFit, Invalid, PolicyInvalid
from returns_api.domain.events import By
from returns_api.domain.orders import LineKind
from returns_api.domain.policy import Facts, Policy
from returns_api.domain.policy.vocabulary import Grade
from returns_api.domain.policy.weighed import Weighed
from returns_api.domain.policy.writing import DecisionWriter
from returns_api.usecases import _runs
from returns_api.usecases._policies import compiled, compiled_beside
from returns_api.usecases._policy_versions import found
from returns_api.usecases.context import Context
from returns_api.usecases.recomputing import digest_of

OPEN_MAX: Final = 3
"""Back-tests of one shop that may wait or run."""
PAGE: Final = 500
PAGES_PER_JOB: Final = 10
"""After so many pages what was counted is kept and another worker may go on."""

FRAME: Final = _runs.Frame(
    rows.RUNS,
    job="run_backtest",
    noun="backtest",
    prefix="bt",
    words="back-tests",
    open_max=OPEN_MAX,
    told=lambda row: {"policy_version": ids.encode("pv", row["policy_version_id"])},
)
_FIRST: Final = UUID(int=0)


async def start_backtest(
    ctx: Context,
    shop: UUID,
    by: By,
    version_id: UUID,
    *,
    against: UUID | None,
    opened_from: datetime | None,
    opened_until: datetime | None,
) -> Row:
    """Queue a back-test of a version on returns opened in that time (to now, if not said).

    Each is compared with the version that it was opened under, or with ``against`` for all.

    Raises:
        NotFound: there is no such version.
        DoesNotFit: a time that ends before it begins, or begins in the future.
        Conflict: too many of this shop wait already.
    """
    until = _end_of_span(opened_from, opened_until, ctx.clock())
    async with ctx.database.transaction(shop) as tx:
        version = found(await policy_rows.by_id(tx, version_id, [version_id]))
        if against is not None:
            found(await policy_rows.by_id(tx, against, [against]))
        return await _runs.queue(
            tx,
            ctx,
            FRAME,
            by,
            policy_version_id=version_id,
            digest=version["digest"],
            against_id=against,
            opened_from=opened_from,
            opened_until=until,
            total=await decisions.history_count(tx, opened_from, until),
        )


def _end_of_span(begin: datetime | None, end: datetime | None, now: datetime) -> datetime:
    until = min(end or now, now)
    if begin is not None and begin >= until:
        problem = "not before the end, or in the future"
        raise DoesNotFit(
            "The time ends before it begins.",
            errors=[{"field": "opened_from", "problem": problem}],
        )
    return until


async def view_backtest(ctx: Context, shop: UUID, backtest_id: UUID) -> Row:
    """One with its report. Raises ``NotFound``."""
    return await _runs.view(ctx, shop, FRAME, backtest_id)


async def list_backtests(ctx: Context, shop: UUID, before: UUID, limit: int) -> list[Row]:
    """Newest first, without reports."""
    return await _runs.page(ctx, shop, FRAME, before=before, limit=limit)


async def due_backtests(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and key of back-tests that nobody carries on."""
    return await _runs.due(ctx, FRAME, limit)


async def run_backtest(ctx: Context, shop: UUID, backtest_id: UUID) -> None:
    """Carry a back-test on by some pages, unless it is not due or another holds it."""
    async with ctx.database.transaction(shop) as tx:
        row = await _runs.claim(tx, ctx, FRAME, backtest_id)
    if row is None:
        return
    try:
        await _carry_on(ctx, shop, row)
    except (PolicyInvalid, Invalid, _Changed) as problem:
        await _end(ctx, shop, row, done=row["done"], failure=str(problem))


class _Changed(Exception):
    """The draft is not the one that the back-test was begun with."""


async def _carry_on(ctx: Context, shop: UUID, row: Row) -> None:
    if row["attempt"] > _runs.ATTEMPTS_MAX:
        raise Invalid(_runs.TOO_OFTEN)
    draft, against = await _policies(ctx, shop, row)
    tally, cursor = Tally(), row["cursor"] or _FIRST
    if row["partial"] is not None:
        tally.merge(row["partial"])
    counting = Counting(tally, draft, against)
    for _ in range(PAGES_PER_JOB):
        page, versions = await _page(ctx, shop, row, cursor)
        await asyncio.to_thread(counting.count, page, versions)
        if len(page) < PAGE:
            await _end(ctx, shop, row, done=tally.returns, report=tally.report())
            return
        cursor = page[-1]["id"]
        async with ctx.database.transaction(shop) as tx:
            held = ctx.clock() + ctx.lease
            if not await rows.RUNS.hold(tx, row, done=tally.returns, until=held):
                return
    async with ctx.database.transaction(shop) as tx:
        await _runs.carry(
            tx,
            ctx,
            FRAME,
            row,
            let_go=True,
            done=tally.returns,
            cursor=cursor,
            partial=tally.to_json(),
        )


async def _policies(ctx: Context, shop: UUID, row: Row) -> tuple[Policy, Policy | None]:
    """The draft and what it is compared with, if that is one version for all."""
    async with ctx.database.transaction(shop) as tx:
        draft = found(await policy_rows.by_id(tx, row["policy_version_id"], ctx.policies.keys()))
        if draft["digest"] != row["digest"]:
            raise _Changed("The draft was changed while it was being tried.")
        other = None
        if row["against_id"] is not None:
            other = found(await policy_rows.by_id(tx, row["against_id"], ctx.policies.keys()))
    against = None if other is None else await compiled_beside(ctx, other)
    return await compiled_beside(ctx, draft), against


async def _page(
    ctx: Context, shop: UUID, row: Row, cursor: UUID
) -> tuple[list[Row], dict[UUID, Policy]]:
    """The next returns with the versions that they were opened under."""
    async with ctx.database.transaction(shop) as tx:
        page = await decisions.history(
            tx, after=cursor, since=row["opened_from"], until=row["opened_until"], limit=PAGE
        )
        wanted = {one["policy_version_id"] for one in page}
        return page, {version: await _version(tx, ctx, version) for version in wanted}


async def _version(tx: Transaction, ctx: Context, version_id: UUID) -> Policy:
    return compiled(ctx, found(await policy_rows.by_id(tx, version_id, ctx.policies.keys())))


class Counting:
    """Counts stored returns into a tally; remembers what the same policies decided before."""

    def __init__(self, tally: Tally, draft: Policy, against: Policy | None) -> None:
        self._tally, self._draft, self._against = tally, draft, against
        self._known: dict[UUID, tuple[Trial, DecisionWriter]] = {}

    def count(self, page: Sequence[Row], versions: Mapping[UUID, Policy]) -> None:
        """Judge and count a page; ``versions`` holds those that its returns were opened under.

        Raises:
            Invalid: stored facts that this program cannot read.
        """
        for row in page:
            trial, writer = self._of(row["policy_version_id"], versions)
            past = past_return(row)
            one = trial.compare(past)
            made = one.before
            if self._against is not None:
                own = versions[row["policy_version_id"]]
                made = tuple([own.weigh(line.facts) for line in past.lines])
            self._tally.add(one, replayed=_replays(row, past, made, writer))

    def _of(
        self, version_id: UUID, versions: Mapping[UUID, Policy]
    ) -> tuple[Trial, DecisionWriter]:
        known = self._known.get(version_id)
        if known is None:
            own = versions[version_id]
            known = Trial(self._against or own, self._draft), DecisionWriter(own)
            self._known[version_id] = known
        return known


def past_return(row: Row) -> PastReturn:
    """A row of ``decisions.history`` as a back-test reads it. Raises ``Invalid``."""
    graded = Counter(map(tuple, row["graded"] or ()))
    lines = tuple(
        [
            PastLine(
                Facts.from_json(row["facts"][line["order_line_id"]]),
                line["quantity"],
                tuple(
                    (Grade(g), n) for (of, g), n in graded.items() if of == line["order_line_id"]
                ),
            )
            for line in row["lines"]
        ]
    )
    certificate = row["certificate"]
    shipping = 0 if certificate is None else paid_for(certificate, LineKind.SHIPPING)
    return PastReturn(row["number"], lines, row["resolution"], row["method"], shipping)


def _replays(row: Row, past: PastReturn, made: Sequence[Weighed], writer: DecisionWriter) -> bool:
    """Whether the decisions of the return's own version are the stored one, to the byte."""
    keys = [line["order_line_id"] for line in row["lines"]]
    judged = {key: (line.facts, one) for key, line, one in zip(keys, past.lines, made, strict=True)}
    same: bool = digest_of(writer.write_all(judged)) == row["digest"]
    return same


async def stream_history(
    ctx: Context,
    shop: UUID,
    draft: Policy,
    against: Policy | None,
    *,
    progress: Callable[[int, int], None],
) -> Tally:
    """The whole history of a shop against a text that is not stored, for the command line.

    Each return is compared with the version that it was opened under, or with ``against`` for all.
    """
    now, tally, cursor = ctx.clock(), Tally(), _FIRST
    counting = Counting(tally, draft, against)
    async with ctx.database.transaction(shop) as tx:
        total = await decisions.history_count(tx, None, now)
    while True:
        async with ctx.database.transaction(shop) as tx:
            page = await decisions.history(tx, after=cursor, since=None, until=now, limit=PAGE)
            wanted = {row["policy_version_id"] for row in page}
            versions = {version: await _version(tx, ctx, version) for version in wanted}
        if not page:
            return tally
        await asyncio.to_thread(counting.count, page, versions)
        cursor = page[-1]["id"]
        progress(tally.returns, total)


async def _end(
    ctx: Context,
    shop: UUID,
    row: Row,
    *,
    done: int,
    report: Mapping[str, Any] | None = None,
    failure: str | None = None,
) -> None:
    async with ctx.database.transaction(shop) as tx:
        await _runs.finish(tx, ctx, FRAME, row, failure, done=done, report=report)
