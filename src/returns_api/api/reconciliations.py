"""Reconciliations over HTTP: asked for, imported, followed, read."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from returns_api.api import pages
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, paged
from returns_api.api.responses import refusals
from returns_api.api.runs import locate, page_of, queued
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.connections import SLUG
from returns_api.api.schemas.reconciliations import (
    DifferenceCountOut,
    DifferenceOut,
    DifferencesOut,
    ReconciliationDetailOut,
    ReconciliationIn,
    ReconciliationOut,
    ReconciliationsOut,
    SideOut,
    StatementIn,
)
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.domain.reconciliations import Difference
from returns_api.usecases import reconciliations

router = APIRouter(prefix="/v1/reconciliations", tags=["reconciliations"])

Pages = Annotated[Page, Depends(paged("rcn"))]
DifferencePages = Annotated[Page, Depends(paged("dif"))]
Reader = Annotated[Caller, Depends(Allowed(Scope.REFUNDS_MANAGE))]
RunPath = Annotated[
    str, Path(description="A reconciliation's id.", examples=[example_id("rcn")], max_length=100)
]


@router.post(
    "",
    operation_id="startReconciliation",
    summary="Compare an account with our books",
    description=(
        "A job reads the provider's list and compares it with ours. Refunds and chargebacks that"
        " somebody made elsewhere are recorded as the provider's webhook would; everything that"
        " differs is listed with what is to be done. The service does the same by itself every 15"
        " minutes, or once a day where each payment has to be asked about."
    ),
    status_code=202,
    responses=queued(404, 409),
)
async def start_reconciliation(
    body: ReconciliationIn, ctx: ContextDep, caller: Reader, response: Response
) -> ReconciliationOut:
    row = await reconciliations.start_reconciliation(
        ctx, caller.principal.shop, caller.by, body.source, body.since
    )
    return _started(row, response)


@router.post(
    "/statements",
    operation_id="importStatement",
    summary="Compare a settlement file with our books",
    description=(
        "The same for a file that the provider settled by: the only list there is at some of them."
        " A row that names one of our refunds moves it as the provider's webhook would."
    ),
    status_code=202,
    responses=queued(404, 409),
)
async def import_statement(
    body: StatementIn, ctx: ContextDep, caller: Reader, response: Response
) -> ReconciliationOut:
    row = await reconciliations.import_statement(
        ctx, caller.principal.shop, caller.by, body.source, body.statement, body.since, body.until
    )
    return _started(row, response)


@router.get(
    "",
    operation_id="listReconciliations",
    summary="List reconciliations",
    description="Newest first, of one account or all. Sweeps that found nothing go after 14 days.",
    responses=refusals(),
)
async def list_reconciliations(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    account: Annotated[
        str | None,
        Query(pattern=SLUG, description="A connection's slug.", examples=["stripe"]),
    ] = None,
) -> ReconciliationsOut:
    rows = await reconciliations.list_reconciliations(
        ctx,
        caller.principal.shop,
        before=pages.before(page, "rcn"),
        limit=page.limit + 1,
        source=account,
    )
    items, cursor = page_of(rows, page, "rcn", lambda row: ReconciliationOut(**_members(row)))
    return ReconciliationsOut(items=items, next_cursor=cursor)


@router.get(
    "/{reconciliation}",
    operation_id="getReconciliation",
    summary="Follow a reconciliation",
    description="How far it is, and how many differences of each sort it has found.",
    responses=refusals(404),
)
async def get_reconciliation(
    reconciliation: RunPath, ctx: ContextDep, caller: Reader
) -> ReconciliationDetailOut:
    view = await reconciliations.view_reconciliation(
        ctx, caller.principal.shop, path_id("rcn", reconciliation)
    )
    report = [DifferenceCountOut(**dict(each)) for each in view.report]
    return ReconciliationDetailOut(**_members(view.row), report=report)


@router.get(
    "/{reconciliation}/differences",
    operation_id="listDifferences",
    summary="List what a reconciliation found",
    description="Newest first, of one kind or all.",
    responses=refusals(404),
)
async def list_differences(
    reconciliation: RunPath,
    ctx: ContextDep,
    caller: Reader,
    page: DifferencePages,
    kind: Annotated[Difference | None, Query(examples=["missing_here"])] = None,
) -> DifferencesOut:
    rows = await reconciliations.list_differences(
        ctx,
        caller.principal.shop,
        path_id("rcn", reconciliation),
        before=pages.before(page, "dif"),
        limit=page.limit + 1,
        kind=None if kind is None else kind.value,
    )
    shown, cursor = pages.cut(rows, page, "dif")
    return DifferencesOut(items=[_shown(row) for row in shown], next_cursor=cursor)


def _started(row: Row, response: Response) -> ReconciliationOut:
    locate(response, "/v1/reconciliations", "rcn", row)
    return ReconciliationOut(**_members(row))


def _members(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ReconciliationOut.model_fields}


def _shown(row: Row) -> DifferenceOut:
    return DifferenceOut(
        **{
            name: row[name]
            for name in ("id", "subject", "kind", "external_id", "proposal", "applied")
        },
        order=row["order_id"],
        payment=row["payment_id"],
        refund=row["refund_id"],
        transfer=row["transfer_id"],
        ours=_side(row["ours"]),
        theirs=_side(row["theirs"]),
        created_at=row["created_at"],
    )


def _side(stored: dict[str, Any] | None) -> SideOut | None:
    return None if stored is None else SideOut(**stored)
