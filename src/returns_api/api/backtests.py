"""Back-tests over HTTP: asked for, followed, read."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api import pages
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, paged
from returns_api.api.responses import refusals
from returns_api.api.runs import locate, page_of, queued
from returns_api.api.schemas.backtests import (
    BacktestDetailOut,
    BacktestIn,
    BacktestOut,
    BacktestReportOut,
    BacktestsOut,
)
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.runs import RunState
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.usecases import backtests

router = APIRouter(prefix="/v1/admin/backtests", tags=["backtests"])

Pages = Annotated[Page, Depends(paged("bt"))]
Manager = Annotated[Caller, Depends(Allowed(Scope.POLICIES_MANAGE))]


@router.post(
    "",
    operation_id="startBacktest",
    summary="Try a draft on past returns",
    description=(
        "A job judges every return of that time by the draft and by the version that it was opened"
        " under: which decisions flip, in which direction, and how much money moves."
    ),
    status_code=202,
    responses=queued(404, 409),
)
async def start_backtest(
    body: BacktestIn, ctx: ContextDep, caller: Manager, response: Response
) -> BacktestOut:
    row = await backtests.start_backtest(
        ctx,
        caller.principal.shop,
        caller.by,
        body.policy_version,
        against=body.against,
        opened_from=body.opened_from,
        opened_until=body.opened_until,
    )
    locate(response, "/v1/admin/backtests", "bt", row)
    return BacktestOut(**_members(row))


@router.get(
    "",
    operation_id="listBacktests",
    summary="List back-tests",
    description="Newest first, without their reports.",
    responses=refusals(),
)
async def list_backtests(ctx: ContextDep, caller: Manager, page: Pages) -> BacktestsOut:
    before = pages.before(page, "bt")
    rows = await backtests.list_backtests(ctx, caller.principal.shop, before, page.limit + 1)
    items, cursor = page_of(rows, page, "bt", lambda row: BacktestOut(**_members(row)))
    return BacktestsOut(items=items, next_cursor=cursor)


@router.get(
    "/{backtest}",
    operation_id="getBacktest",
    summary="Follow a back-test",
    description="How far it is and, once it has succeeded, its report.",
    responses=refusals(404),
)
async def get_backtest(
    backtest: Annotated[str, Path(description="A back-test's id.", examples=[example_id("bt")])],
    ctx: ContextDep,
    caller: Manager,
) -> BacktestDetailOut:
    row = await backtests.view_backtest(ctx, caller.principal.shop, path_id("bt", backtest))
    report = None if row["report"] is None else _report(row["report"])
    return BacktestDetailOut(**_members(row), report=report)


def _report(stored: dict[str, Any]) -> BacktestReportOut:
    return BacktestReportOut.model_validate(stored)


def _members(row: Row) -> dict[str, Any]:
    made = {"policy_version", "against", "state", "report"}
    return {
        **{name: row[name] for name in BacktestOut.model_fields if name not in made},
        "policy_version": row["policy_version_id"],
        "against": row["against_id"],
        "state": RunState(row["state"]),
    }
