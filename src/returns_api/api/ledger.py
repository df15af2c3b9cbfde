"""The books over HTTP: entries with their postings, and balances as of any time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from returns_api.api import pages
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, paged
from returns_api.api.filters import asked_id
from returns_api.api.responses import refusals
from returns_api.api.schemas.base import example_id, id_pattern
from returns_api.api.schemas.ledger import (
    BalanceOut,
    BalancesOut,
    LedgerEntriesOut,
    LedgerEntryOut,
    PostingOut,
)
from returns_api.api.schemas.times import MomentIn
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import Scope
from returns_api.domain.ledger import OWNER, Account
from returns_api.domain.webhooks import resource_id
from returns_api.usecases import ledger
from returns_api.usecases.ledger import EntryView

router = APIRouter(prefix="/v1", tags=["ledger"])

Pages = Annotated[Page, Depends(paged("le"))]
Reader = Annotated[Caller, Depends(Allowed(Scope.LEDGER_READ))]
OfOrder = Annotated[
    str | None,
    Query(
        pattern=id_pattern("ord"),
        description="Only what this order moved.",
        examples=[example_id("ord")],
    ),
]
_PREFIX = {"order": "ord", "payment": "pay", "store_credit": "sc"}


@router.get(
    "/ledger-entries",
    operation_id="listLedgerEntries",
    summary="Read the books",
    description=(
        "Every fact about money with its postings, newest first. Entries only grow; each is sealed"
        " into the shop's chain within seconds."
    ),
    responses=refusals(),
)
async def list_ledger_entries(
    ctx: ContextDep, caller: Reader, page: Pages, order: OfOrder = None
) -> LedgerEntriesOut:
    found = await ledger.list_entries(
        ctx,
        caller.principal.shop,
        before=pages.before(page, "le"),
        limit=page.limit + 1,
        order_id=asked_id("ord", order),
    )
    shown, next_cursor = pages.cut(found, page, "le", lambda each: each.entry["id"])
    return LedgerEntriesOut(
        items=[_shown(view) for view in shown],
        next_cursor=next_cursor,
    )


@router.get(
    "/ledger-balances",
    operation_id="listLedgerBalances",
    summary="Read balances",
    description=(
        "Debits less credits of every account at a time, of the whole shop or by the entries of one"
        " order. The balances of a currency add up to zero."
    ),
    responses=refusals(),
)
async def list_ledger_balances(
    ctx: ContextDep,
    caller: Reader,
    at: Annotated[
        MomentIn | None,
        Query(description="As of then; now, if not said.", examples=["2026-11-22T00:00:00Z"]),
    ] = None,
    order: OfOrder = None,
) -> BalancesOut:
    rows = await ledger.view_balances(
        ctx,
        caller.principal.shop,
        at=at,
        order_id=asked_id("ord", order),
    )
    return BalancesOut(at=at, items=[BalanceOut(**dict(row)) for row in rows])


def _shown(view: EntryView) -> LedgerEntryOut:
    entry = view.entry
    return LedgerEntryOut(
        id=entry["id"],
        fact=entry["fact"],
        source=resource_id(entry["source_type"], entry["source_id"]),
        order=entry["order_id"],
        at=entry["at"],
        actor=entry["actor"],
        actor_key=entry["actor_id"],
        position=entry["position"],
        seal=None if entry["digest"] is None else entry["digest"].hex(),
        postings=[_posting(row) for row in view.postings],
    )


def _posting(row: Row) -> PostingOut:
    return PostingOut(
        rule=row["rule"],
        debit=row["debit"],
        debit_of=_owner(row, "debit"),
        credit=row["credit"],
        credit_of=_owner(row, "credit"),
        amount=row["amount_minor"],
        currency=row["currency"],
    )


def _owner(row: Row, side: str) -> str | None:
    kind, owner = OWNER[Account(row[side])], row[f"{side}_of"]
    return None if kind is None or owner is None else ids.encode(_PREFIX[kind], owner)
