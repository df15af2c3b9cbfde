"""Policy versions over HTTP: drafted, edited, checked, explained, published, retired."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api import pages
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, paged
from returns_api.api.policy_views import step_out, version_detail_out, version_out
from returns_api.api.preconditions import IfMatch, seen_version, version_if_named
from returns_api.api.responses import BODY, EDIT, VERSIONED, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.policies import (
    PolicyDraftIn,
    PolicyHistoryOut,
    PolicyPublishIn,
    PolicyRetireIn,
    PolicyVersionDetailOut,
    PolicyVersionsOut,
    ReportOut,
)
from returns_api.api.schemas.policy_explanations import ExplainedOut, ExplainIn, RecomputedOut
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.domain.errors import Invalid
from returns_api.usecases import explaining, policies, recomputing
from returns_api.usecases.returns import by_public_line

router = APIRouter(prefix="/v1/admin", tags=["policies"])

Pages = Annotated[Page, Depends(paged("pv"))]
Steps = Annotated[Page, Depends(paged("ph"))]
Manager = Annotated[Caller, Depends(Allowed(Scope.POLICIES_MANAGE))]
VersionPath = Annotated[
    str, Path(description="A policy version's id.", examples=[example_id("pv")])
]
ReturnPath = Annotated[str, Path(alias="return", examples=[example_id("ret")])]

_SHOWN: Final[dict[str, Any]] = {"headers": VERSIONED}


@router.post(
    "/policies",
    operation_id="draftPolicy",
    summary="Keep a policy as a draft",
    description=(
        "The document is read; faults come back as `policy_invalid` with line, path and "
        "suggestion. A draft judges nothing until it is published."
    ),
    status_code=201,
    responses={201: _SHOWN, **refusals(*BODY)},
)
async def draft_policy(
    body: PolicyDraftIn, ctx: ContextDep, caller: Manager, response: Response
) -> PolicyVersionDetailOut:
    row = await policies.draft_policy(ctx, caller.principal.shop, caller.by, body.source)
    return await _detail(ctx, row, response, caller)


@router.get(
    "/policies",
    operation_id="listPolicies",
    summary="List policy versions",
    description="Newest first, with their findings counted and without their text.",
    responses=refusals(),
)
async def list_policies(ctx: ContextDep, caller: Manager, page: Pages) -> PolicyVersionsOut:
    before, shop = pages.before(page, "pv"), caller.principal.shop
    found = await policies.list_policies(ctx, shop, before, page.limit + 1)
    shown, cursor = pages.cut(found, page, "pv")
    current = await policies.id_in_force(ctx, shop)
    items = [version_out(row, current) for row in shown]
    return PolicyVersionsOut(items=items, next_cursor=cursor)


@router.post(
    "/policies/check",
    operation_id="checkPolicySource",
    summary="Check a text without keeping it",
    description=(
        "Everything that is wrong or odd in the document: severity, place, a witness (a case that "
        "shows it) and a suggestion. The analysis is exact, and its work is bounded."
    ),
    responses=refusals(*BODY),
)
async def check_source(body: PolicyDraftIn, ctx: ContextDep, caller: Manager) -> ReportOut:
    loaded, report = await policies.check_source(ctx, body.source)
    data: dict[str, Any] = report.as_json()
    return ReportOut(name=loaded.document.name, digest=loaded.digest, **data)


@router.post(
    "/policies/explain",
    operation_id="explainPolicy",
    summary="Judge a made-up case",
    description=(
        "The whole decision for the facts that you name, under a text, one of your versions or the"
        " policy in force; why, and the smallest change that would turn each refusal and each fee."
    ),
    responses=refusals(*BODY, 404),
)
async def explain_policy(body: ExplainIn, ctx: ContextDep, caller: Manager) -> ExplainedOut:
    if body.source is not None and body.policy_version is not None:
        problem = "Give a source or a policy_version, not both."
        raise Invalid(problem, errors=[{"field": "source", "problem": problem}])
    found = await explaining.explain_asked(
        ctx,
        caller.principal.shop,
        source=body.source,
        version_id=body.policy_version,
        facts=body.facts.model_dump(exclude_none=True),
        locale=body.lang,
    )
    return ExplainedOut(policy_version=found.version_id, **found.as_json())


@router.get(
    "/policy-history",
    operation_id="listPolicyHistory",
    summary="Who did what to the shop's policies",
    description="Every step of every version, newest first; warnings with who acknowledged them.",
    responses=refusals(),
)
async def list_policy_history(ctx: ContextDep, caller: Manager, page: Steps) -> PolicyHistoryOut:
    return await _history(ctx, caller, page, None)


@router.get(
    "/policies/{version}",
    operation_id="getPolicyVersion",
    summary="Read one policy version",
    description="With its text and its findings.",
    responses={200: _SHOWN, **refusals(404)},
)
async def get_policy_version(
    version: VersionPath, ctx: ContextDep, caller: Manager, response: Response
) -> PolicyVersionDetailOut:
    row = await policies.view_policy(ctx, caller.principal.shop, path_id("pv", version))
    return await _detail(ctx, row, response, caller)


@router.put(
    "/policies/{version}",
    operation_id="editPolicy",
    summary="Put another text into a draft",
    description="What was found in the old text is forgotten; check it again before publishing.",
    responses={200: _SHOWN, **refusals(*BODY, *EDIT, 404, 409)},
)
async def edit_policy(
    version: VersionPath,
    body: PolicyDraftIn,
    ctx: ContextDep,
    caller: Manager,
    response: Response,
    if_match: IfMatch = None,
) -> PolicyVersionDetailOut:
    row = await policies.edit_policy(
        ctx,
        caller.principal.shop,
        caller.by,
        path_id("pv", version),
        seen_version(if_match),
        body.source,
    )
    return await _detail(ctx, row, response, caller)


@router.get(
    "/policies/{version}/history",
    operation_id="listPolicyVersionHistory",
    summary="Who did what to one version",
    description="Newest first; never changed.",
    responses=refusals(404),
)
async def list_version_history(
    version: VersionPath, ctx: ContextDep, caller: Manager, page: Steps
) -> PolicyHistoryOut:
    return await _history(ctx, caller, page, path_id("pv", version))


@router.post(
    "/policies/{version}/check",
    operation_id="checkPolicy",
    summary="Check a draft",
    description="Analyses the draft under the law of today and keeps the findings with it.",
    responses={200: _SHOWN, **refusals(404, 409)},
)
async def check_policy(
    version: VersionPath, ctx: ContextDep, caller: Manager, response: Response
) -> PolicyVersionDetailOut:
    shop, version_id = caller.principal.shop, path_id("pv", version)
    row = await policies.check_policy(ctx, shop, caller.by, version_id)
    return await _detail(ctx, row, response, caller)


@router.post(
    "/policies/{version}/publish",
    operation_id="publishPolicy",
    summary="Publish a draft",
    description=(
        "Orders placed from `effective_from` on are judged by this version. Open returns keep "
        "theirs. It is checked first where that was not done; errors forbid publishing, warnings "
        "have to be acknowledged in words. With `If-Match`, only what you saw is published."
    ),
    responses={200: _SHOWN, **refusals(*BODY, 404, 409, 412)},
)
async def publish_policy(
    version: VersionPath,
    body: PolicyPublishIn,
    ctx: ContextDep,
    caller: Manager,
    response: Response,
    if_match: IfMatch = None,
) -> PolicyVersionDetailOut:
    row = await policies.publish_policy(
        ctx,
        caller.principal.shop,
        caller.by,
        path_id("pv", version),
        effective_from=body.effective_from,
        acknowledge=body.acknowledge,
        seen=version_if_named(if_match),
    )
    return await _detail(ctx, row, response, caller)


@router.post(
    "/policies/{version}/retire",
    operation_id="retirePolicy",
    summary="Retire a published version",
    description=(
        "It judges no order placed from now on; the version before it does. What it has judged "
        "stays as it is. The last one cannot be retired: a shop always has a policy."
    ),
    responses={200: _SHOWN, **refusals(*BODY, 404, 409, 412)},
)
async def retire_policy(
    version: VersionPath,
    body: PolicyRetireIn,
    ctx: ContextDep,
    caller: Manager,
    response: Response,
    if_match: IfMatch = None,
) -> PolicyVersionDetailOut:
    row = await policies.retire_policy(
        ctx,
        caller.principal.shop,
        caller.by,
        path_id("pv", version),
        note=body.note,
        seen=version_if_named(if_match),
    )
    return await _detail(ctx, row, response, caller)


@router.get(
    "/returns/{return}/decision/recomputed",
    operation_id="recomputeDecision",
    summary="Make a decision again",
    description=(
        "From the facts that were stored and the policy version that they were judged by, whatever"
        " was published since. `identical` says whether the same bytes came out."
    ),
    responses=refusals(404),
)
async def recompute_decision(
    return_: ReturnPath, ctx: ContextDep, caller: Manager
) -> RecomputedOut:
    return_id = path_id("ret", return_)
    found = await recomputing.recompute_return(ctx, caller.principal.shop, return_id)
    return RecomputedOut(
        return_=return_id,
        policy_version=found.version_id,
        at=found.at,
        stored_digest=found.stored_digest,
        recomputed_digest=found.digest,
        identical=found.identical,
        bytes_=found.size,
        lines=by_public_line(found.body),
    )


async def _history(
    ctx: ContextDep, caller: Caller, page: Page, version_id: UUID | None
) -> PolicyHistoryOut:
    rows = await policies.policy_history(
        ctx, caller.principal.shop, version_id, pages.before(page, "ph"), page.limit + 1
    )
    shown, cursor = pages.cut(rows, page, "ph")
    return PolicyHistoryOut(items=[step_out(row) for row in shown], next_cursor=cursor)


async def _detail(
    ctx: ContextDep, row: Row, response: Response, caller: Caller
) -> PolicyVersionDetailOut:
    response.headers["ETag"] = etag(row["version"])
    return version_detail_out(row, await policies.id_in_force(ctx, caller.principal.shop))
