"""The policy that everybody may read before they buy."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from returns_api.api.deps import Allowed, Caller, ContextDep
from returns_api.api.responses import refusals
from returns_api.api.schemas.publications import PolicyOut
from returns_api.domain.access import Scope
from returns_api.usecases import policies

router = APIRouter(tags=["policies"])

Reader = Annotated[Caller, Depends(Allowed(Scope.POLICY_READ))]


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
