"""Audits over HTTP: asked for, followed, read."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api import pages
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, paged
from returns_api.api.responses import refusals
from returns_api.api.runs import locate, page_of, queued
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.ledger import (
    AuditDetailOut,
    AuditIn,
    AuditOut,
    AuditsOut,
    FindingOut,
)
from returns_api.api.schemas.runs import RunState
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.usecases import audits

router = APIRouter(prefix="/v1/audits", tags=["audits"])

Pages = Annotated[Page, Depends(paged("aud"))]
Auditor = Annotated[Caller, Depends(Allowed(Scope.AUDITS_RUN))]


@router.post(
    "",
    operation_id="startAudit",
    summary="Recompute every promise about money",
    description=(
        "A job goes through all of the shop's orders, events and books, and names each breach:"
        " counters that are not the sums of their rows, ledger accounts that differ from them,"
        " transitions that no table allows, a chain that does not hold."
    ),
    status_code=202,
    responses=queued(409),
)
async def start_audit(
    body: AuditIn,
    ctx: ContextDep,
    caller: Auditor,
    response: Response,
) -> AuditOut:
    row = await audits.start_audit(ctx, caller.principal.shop, caller.by)
    locate(response, "/v1/audits", "aud", row)
    return AuditOut(**_members(row))


@router.get(
    "",
    operation_id="listAudits",
    summary="List audits",
    description="Newest first, without what they found.",
    responses=refusals(),
)
async def list_audits(ctx: ContextDep, caller: Auditor, page: Pages) -> AuditsOut:
    before = pages.before(page, "aud")
    rows = await audits.list_audits(ctx, caller.principal.shop, before, page.limit + 1)
    items, cursor = page_of(rows, page, "aud", lambda row: AuditOut(**_members(row)))
    return AuditsOut(items=items, next_cursor=cursor)


@router.get(
    "/{audit}",
    operation_id="getAudit",
    summary="Follow an audit",
    description="How far it is and what it found so far.",
    responses=refusals(404),
)
async def get_audit(
    audit: Annotated[
        str, Path(description="An audit's id.", examples=[example_id("aud")], max_length=100)
    ],
    ctx: ContextDep,
    caller: Auditor,
) -> AuditDetailOut:
    row = await audits.view_audit(ctx, caller.principal.shop, path_id("aud", audit))
    report = row["report"] or {"counts": {}, "findings": []}
    return AuditDetailOut(
        **_members(row),
        counts=report["counts"],
        findings=[FindingOut(**one) for one in report["findings"]],
    )


def _members(row: Row) -> dict[str, Any]:
    made = {"state", "seal"}
    return {
        **{name: row[name] for name in AuditOut.model_fields if name not in made},
        "state": RunState(row["state"]),
        "seal": None if row["digest"] is None else row["digest"].hex(),
    }
