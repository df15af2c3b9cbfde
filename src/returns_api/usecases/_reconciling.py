"""The steps of a reconciliation: gather the other book, compare line by line, look back at ours.

Each step is a page: it reads outside with no transaction open, writes what it found with how far
it is, and can be done again without harm. What somebody did elsewhere becomes a fact here by the
very steps of the provider's own webhook (``_provider_facts``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from returns_api.db import books
from returns_api.db import reconciliations as rows
from returns_api.db.engine import Row
from returns_api.domain.reconciliations import APPLIED, FRESH, SETTLES_WITHIN, Found, compare
from returns_api.ports.errors import ProviderRejected
from returns_api.ports.payments import ActivityList, PaymentAccount, PaymentProvider
from returns_api.usecases import _provider_facts
from returns_api.usecases._book_lines import (
    difference,
    fact_of,
    left_fact,
    left_transfer,
    line_of_fact,
    ours_of,
    theirs_of,
)
from returns_api.usecases._waiting import NotYet
from returns_api.usecases.context import Context

PAGE: Final = 100
OURS_PAGE: Final = 500
"""Transfers of ours looked up in the other book at once; most are there and make no row."""
PAYMENTS_PAGE: Final = 10
"""Payments whose refunds are asked for one by one between two notes of how far it is."""
FACTS_MAX: Final = 1_000
MARGIN: Final = timedelta(minutes=10)
"""The other book is read from a little earlier: two clocks never agree."""
FIRST: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Book:
    """The other side of a run. Without a provider it stands in a file that was imported."""

    adapter: str
    provider: PaymentProvider | None
    account: PaymentAccount | None


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is after a page: its phase and cursor, and what to add to its counters."""

    phase: str
    cursor: str | None = None
    total: int = 0
    done: int = 0
    unmatched: int = 0


async def gather(ctx: Context, shop: UUID, run: Row, book: Book, cursor: str | None) -> Step:
    """A page of the provider's book becomes lines. Raises the three of ``ports.errors``."""
    assert book.provider is not None
    assert book.account is not None
    if isinstance(book.provider, ActivityList):
        page = await book.provider.list_activity(book.account, run["since"] - MARGIN, cursor)
        lines = [line_of_fact(run, fact) for fact in page.facts]
        async with ctx.database.transaction(shop) as tx:
            await rows.add_lines(tx, lines)
        phase = "compare" if page.cursor is None else "gather"
        return Step(phase, page.cursor, total=len(lines))
    return await _gather_payments(ctx, shop, run, book, cursor)


async def _gather_payments(
    ctx: Context, shop: UUID, run: Row, book: Book, cursor: str | None
) -> Step:
    assert book.provider is not None
    assert book.account is not None
    after = FIRST if cursor is None else UUID(cursor)
    async with ctx.database.transaction(shop) as tx:
        payments = await books.payments_of(
            tx, run, provider=book.adapter, after=after, limit=PAYMENTS_PAGE
        )
    lines, unmatched = [], 0
    for payment in payments:
        try:
            name = payment["provider_payment_id"]
            facts = await book.provider.list_refunds(book.account, name)
            lines += [line_of_fact(run, fact) for fact in facts]
        except ProviderRejected:
            unmatched += 1  # the provider does not know the payment: no book to compare with
    async with ctx.database.transaction(shop) as tx:
        await rows.add_lines(tx, lines)
    if len(payments) < PAYMENTS_PAGE:
        return Step("compare", total=len(lines), unmatched=unmatched)
    return Step("gather", str(payments[-1]["id"]), total=len(lines), unmatched=unmatched)


async def compare_lines(ctx: Context, shop: UUID, run: Row, book: Book, cursor: str | None) -> Step:
    """The next lines of the other book beside ours."""
    kind, _, external_id = (cursor or "/").partition("/")
    async with ctx.database.transaction(shop) as tx:
        page = await books.lines(
            tx, run, provider=book.adapter, after=(kind, external_id), limit=PAGE
        )
    unmatched, plain = 0, []
    for line in page:
        if line["payment_id"] is None and ours_of(line) is None:
            unmatched += 1  # the account also serves payments that are none of our orders'
            continue
        for found in compare(theirs_of(line), ours_of(line), ctx.clock()):
            if found.proposal in APPLIED:
                unmatched += not await _apply(ctx, shop, run, book, line, found)
            else:
                plain.append(difference(ctx, run, line, found, applied=False))
    async with ctx.database.transaction(shop) as tx:
        await rows.add_differences(tx, plain)
    following = "look_back" if run["whole"] else "over"
    step = following if len(page) < PAGE else "compare"
    at = None if step != "compare" else f"{page[-1]['kind']}/{page[-1]['external_id']}"
    return Step(step, at, done=len(page), unmatched=unmatched)


async def _apply(ctx: Context, shop: UUID, run: Row, book: Book, line: Row, found: Found) -> bool:
    """Take over what the provider says, and keep the difference, in one transaction.

    False when no payment of ours is behind it.
    """
    source = run["source"]
    async with ctx.database.transaction(shop) as tx:
        try:
            await _provider_facts.apply(tx, ctx, source, book.adapter, source, fact_of(line))
        except NotYet:
            return False
        await rows.add_differences(tx, [difference(ctx, run, line, found, applied=True)])
    ctx.wake()
    return True


async def look_back(ctx: Context, shop: UUID, run: Row, book: Book, cursor: str | None) -> Step:
    """Ours of the run's time that the other book does not have."""
    after = FIRST if cursor is None else UUID(cursor)
    grace = SETTLES_WITHIN if run["origin"] == "statement" else FRESH
    disputes = run["origin"] == "statement" or isinstance(book.provider, ActivityList)
    async with ctx.database.transaction(shop) as tx:
        ours = await books.confirmed_transfers(
            tx, run, provider=book.adapter, after=after, limit=OURS_PAGE
        )
        found = [left_transfer(ctx, run, row, grace) for row in ours if not row["has_line"]]
        if len(ours) < OURS_PAGE:
            facts = await books.facts_left(
                tx, run, provider=book.adapter, disputes=disputes, limit=FACTS_MAX
            )
            found += [left_fact(ctx, run, row, grace) for row in facts]
        await rows.add_differences(tx, found)
    if len(ours) < OURS_PAGE:
        return Step("over")
    return Step("look_back", str(ours[-1]["id"]))
