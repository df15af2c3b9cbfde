"""Policy versions over HTTP, and the policy that a storefront shows."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api import pages
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, paged
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.policies import (
    FindingOut,
    PolicyDraftIn,
    PolicyOut,
    PolicyPublishIn,
    PolicyState,
    PolicyVersionDetailOut,
    PolicyVersionOut,
    PolicyVersionsOut,
)
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.usecases import policies

router = APIRouter(tags=["policies"])

Pages = Annotated[Page, Depends(paged("pv"))]
Manager = Annotated[Caller, Depends(Allowed(Scope.POLICIES_MANAGE))]
Reader = Annotated[Caller, Depends(Allowed(Scope.POLICY_READ))]
VersionPath = Annotated[
    str, Path(description="A policy version's id.", examples=[example_id("pv")])
]


@router.get(
    "/v1/policy",
    operation_id="getPolicy",
    summary="Read the policy in force",
    description="The version that judges an order placed now, as data for a storefront.",
    responses=refusals(404),
)
async def get_policy(ctx: ContextDep, caller: Reader, response: Response) -> PolicyOut:
    row, policy = await policies.policy_in_force(ctx, caller.principal.shop)
    response.headers["ETag"] = f'"{row["digest"]}"'
    return PolicyOut(
        policy_version=row["id"],
        number=row["number"],
        name=row["name"],
        digest=row["digest"],
        effective_from=row["effective_from"],
        document=policy.document.model_dump(mode="json", exclude_none=True),
    )


@router.post(
    "/v1/admin/policies",
    operation_id="draftPolicy",
    summary="Check a policy and keep it as a draft",
    description=(
        "The document is read and checked; faults come back as `policy_invalid` with line, path "
        "and suggestion. A draft judges nothing until it is published, and never changes."
    ),
    status_code=201,
    responses=refusals(*BODY),
)
async def draft_policy(
    body: PolicyDraftIn, ctx: ContextDep, caller: Manager, response: Response
) -> PolicyVersionDetailOut:
    row = await policies.draft_policy(ctx, caller.principal.shop, caller.by, body.source)
    return _detail(row, response)


@router.get(
    "/v1/admin/policies",
    operation_id="listPolicies",
    summary="List policy versions",
    description="Newest first, with their findings and without their text.",
    responses=refusals(),
)
async def list_policies(ctx: ContextDep, caller: Manager, page: Pages) -> PolicyVersionsOut:
    before = pages.before(page, "pv")
    found = await policies.list_policies(ctx, caller.principal.shop, before, page.limit + 1)
    shown, cursor = pages.cut(found, page, "pv")
    items = [PolicyVersionOut(**_members(row)) for row in shown]
    return PolicyVersionsOut(items=items, next_cursor=cursor)


@router.get(
    "/v1/admin/policies/{version}",
    operation_id="getPolicyVersion",
    summary="Read one policy version",
    description="With its text and its findings.",
    responses=refusals(404),
)
async def get_policy_version(
    version: VersionPath, ctx: ContextDep, caller: Manager, response: Response
) -> PolicyVersionDetailOut:
    row = await policies.view_policy(ctx, caller.principal.shop, path_id("pv", version))
    return _detail(row, response)


@router.post(
    "/v1/admin/policies/{version}/publish",
    operation_id="publishPolicy",
    summary="Publish a draft",
    description=(
        "Orders placed from `effective_from` on are judged by this version. Open returns keep "
        "theirs. Warnings have to be acknowledged in words."
    ),
    responses=refusals(*BODY, 404, 409),
)
async def publish_policy(
    version: VersionPath,
    body: PolicyPublishIn,
    ctx: ContextDep,
    caller: Manager,
    response: Response,
) -> PolicyVersionDetailOut:
    row = await policies.publish_policy(
        ctx,
        caller.principal.shop,
        caller.by,
        path_id("pv", version),
        effective_from=body.effective_from,
        acknowledge=body.acknowledge,
    )
    return _detail(row, response)


def _detail(row: Row, response: Response) -> PolicyVersionDetailOut:
    response.headers["ETag"] = etag(row["version"])
    return PolicyVersionDetailOut(**_members(row), source=row["source"])


def _members(row: Row) -> dict[str, Any]:
    plain = PolicyVersionOut.model_fields.keys() - {"state", "findings"}
    return {
        **{name: row[name] for name in plain},
        "state": PolicyState(row["state"]),
        "findings": [FindingOut(**finding) for finding in row["findings"]],
    }
