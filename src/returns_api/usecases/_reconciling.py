"""The steps of a reconciliation: gather the other book, compare line by line, look back at ours.

Each step is a page: it reads outside with no transaction open, writes what it found with how far
it is, and can be done again without harm. What somebody did elsewhere becomes a fact here by the
very steps of the provider's own webhook (``_provider_facts``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.db import books
from returns_api.db import reconciliations as rows
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.reconciliations import (
    APPLIED,
    FRESH,
    SETTLES_WITHIN,
    Found,
    Ours,
    Theirs,
    compare,
    fact_state,
    missing_there,
    shown_ours,
    shown_theirs,
)
from returns_api.ports.errors import ProviderRejected
from returns_api.ports.payments import (
    ActivityList,
    PaymentAccount,
    PaymentProvider,
    ProviderDispute,
    ProviderRefund,
    RefundStatus,
)
from returns_api.usecases import _provider_facts
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
        lines = [_line(run, fact) for fact in page.facts]
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
            lines += [_line(run, fact) for fact in facts]
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
        if line["payment_id"] is None and _ours(line) is None:
            unmatched += 1  # the account also serves payments that are none of our orders'
            continue
        for found in compare(_theirs(line), _ours(line), ctx.clock()):
            if found.proposal in APPLIED:
                unmatched += not await _apply(ctx, shop, run, book, line, found)
            else:
                plain.append(_difference(ctx, run, line, found, applied=False))
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
            await _provider_facts.apply(tx, ctx, source, book.adapter, source, _fact(line))
        except NotYet:
            return False
        await rows.add_differences(tx, [_difference(ctx, run, line, found, applied=True)])
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
        found = [_left_transfer(ctx, run, row, grace) for row in ours if not row["has_line"]]
        if len(ours) < OURS_PAGE:
            facts = await books.facts_left(
                tx, run, provider=book.adapter, disputes=disputes, limit=FACTS_MAX
            )
            found += [_left_fact(ctx, run, row, grace) for row in facts]
        await rows.add_differences(tx, found)
    if len(ours) < OURS_PAGE:
        return Step("over")
    return Step("look_back", str(ours[-1]["id"]))


def _line(run: Row, fact: ProviderRefund | ProviderDispute) -> dict[str, Any]:
    """A provider's fact as a line of its book."""
    if isinstance(fact, ProviderDispute):
        return line_of(
            run["id"],
            kind="dispute",
            external_id=fact.provider_dispute_id,
            payment=fact.provider_payment_id,
            reference=None,
            amount_minor=fact.amount_minor,
            currency=fact.currency,
            status=fact_state(active=fact.open),
            at=fact.created_at,
        )
    return line_of(
        run["id"],
        kind="refund",
        external_id=fact.provider_refund_id,
        payment=fact.provider_payment_id,
        reference=fact.reference,
        amount_minor=fact.amount_minor,
        currency=fact.currency,
        status=fact.status.value,
        at=fact.created_at,
    )


def line_of(
    run_id: UUID,
    *,
    kind: str,
    external_id: str,
    payment: str,
    reference: str | None,
    amount_minor: int,
    currency: str,
    status: str,
    at: datetime | None,
) -> dict[str, Any]:
    """The row of one line; a reference that is none of ours names no transfer."""
    return {
        "reconciliation_id": run_id,
        "kind": kind,
        "external_id": external_id,
        "payment": payment,
        "transfer_id": None if reference is None else ids.decode("trf", reference),
        "amount_minor": amount_minor,
        "currency": currency,
        "status": status,
        "at": at,
    }


def _fact(line: Row) -> ProviderRefund | ProviderDispute:
    """The line as the provider's webhook would have told it."""
    if line["kind"] == "dispute":
        return ProviderDispute(
            provider_dispute_id=line["external_id"],
            provider_payment_id=line["payment"],
            amount_minor=line["amount_minor"],
            currency=line["currency"],
            open=line["status"] == fact_state(active=True),
            created_at=line["at"],
        )
    transfer = line["transfer_id"]
    return ProviderRefund(
        provider_refund_id=line["external_id"],
        provider_payment_id=line["payment"],
        reference=None if transfer is None else ids.encode("trf", transfer),
        status=RefundStatus(line["status"]),
        amount_minor=line["amount_minor"],
        currency=line["currency"],
        created_at=line["at"],
    )


def _theirs(line: Row) -> Theirs:
    return Theirs(
        kind=line["kind"],
        external_id=line["external_id"],
        amount_minor=line["amount_minor"],
        currency=line["currency"],
        status=line["status"],
        at=line["at"],
    )


def _ours(line: Row) -> Ours | None:
    if line["our_transfer"] is not None:
        return Ours(
            line["our_transfer"],
            line["our_amount"],
            line["our_currency"],
            line["our_state"],
            line["our_at"],
        )
    if line["fact_amount"] is None:
        return None
    state = fact_state(active=line["fact_active"])
    return Ours(None, line["fact_amount"], line["fact_currency"], state, line["fact_at"])


def _difference(
    ctx: Context, run: Row, line: Row, found: Found, *, applied: bool
) -> dict[str, Any]:
    ours = _ours(line)
    return {
        "id": ctx.new_id(),
        "reconciliation_id": run["id"],
        "subject": line["kind"],
        "kind": found.kind.value,
        "about": line["external_id"],
        "order_id": line["our_order"] or line["order_id"],
        "payment_id": line["our_payment"] or line["payment_id"],
        "transfer_id": line["our_transfer"],
        "refund_id": line["our_refund"],
        "external_id": line["external_id"],
        "ours": None if ours is None else shown_ours(ours),
        "theirs": shown_theirs(_theirs(line)),
        "proposal": found.proposal.value,
        "applied": applied,
        "created_at": ctx.clock(),
    }


def _left_transfer(ctx: Context, run: Row, row: Row, grace: timedelta) -> dict[str, Any]:
    sent = row["first_sent_at"]
    ours = Ours(row["id"], row["amount_minor"], row["currency"], row["state"], sent)
    return _left(ctx, run, ours, grace) | {
        "subject": "refund",
        "about": ids.encode("trf", row["id"]),
        "order_id": row["order_id"],
        "payment_id": row["payment_id"],
        "transfer_id": row["id"],
        "refund_id": row["refund_id"],
        "external_id": row["provider_refund_id"],
    }


def _left_fact(ctx: Context, run: Row, row: Row, grace: timedelta) -> dict[str, Any]:
    state = fact_state(active=True)
    ours = Ours(None, row["amount_minor"], row["currency"], state, row["at"])
    return _left(ctx, run, ours, grace) | {
        "subject": row["kind"],
        "about": row["external_id"],
        "order_id": row["order_id"],
        "payment_id": row["its_payment"],
        "transfer_id": None,
        "refund_id": None,
        "external_id": row["external_id"],
    }


def _left(ctx: Context, run: Row, ours: Ours, grace: timedelta) -> dict[str, Any]:
    found = missing_there(ours, run["until"], grace)
    return {
        "id": ctx.new_id(),
        "reconciliation_id": run["id"],
        "kind": found.kind.value,
        "ours": shown_ours(ours),
        "theirs": None,
        "proposal": found.proposal.value,
        "applied": False,
        "created_at": ctx.clock(),
    }
