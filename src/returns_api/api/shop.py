"""The shop's own settings over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from returns_api.api.deps import Allowed, Caller, ContextDep, etag
from returns_api.api.preconditions import IfMatch, seen_version
from returns_api.api.responses import BODY, EDIT, refusals
from returns_api.api.schemas.shop import (
    CreditTerms,
    RefundLimits,
    RepairSettings,
    ReturnAddress,
    ShopOut,
    ShopPatch,
)
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.usecases import shops

router = APIRouter(prefix="/v1/admin/shop", tags=["shop"])

Manager = Annotated[Caller, Depends(Allowed(Scope.SHOP_MANAGE))]


@router.get(
    "",
    operation_id="getShop",
    summary="Read the shop's settings",
    description="The shop is the one that the key belongs to.",
    responses=refusals(),
)
async def get_shop(ctx: ContextDep, caller: Manager, response: Response) -> ShopOut:
    return _shown(await shops.view_shop(ctx, caller.principal.shop), response)


@router.patch(
    "",
    operation_id="changeShop",
    summary="Change the shop's settings",
    description=(
        "What is left out stays. The zone decides when a day ends: open returns keep the deadlines "
        "they were given."
    ),
    responses=refusals(*BODY, *EDIT),
)
async def change_shop(
    body: ShopPatch,
    ctx: ContextDep,
    caller: Manager,
    response: Response,
    if_match: IfMatch = None,
) -> ShopOut:
    row = await shops.change_shop(
        ctx,
        caller.principal.shop,
        caller.by,
        seen_version(if_match),
        body.model_dump(include=body.model_fields_set),
    )
    return _shown(row, response)


def _shown(row: Row, response: Response) -> ShopOut:
    response.headers["ETag"] = etag(row["version"])
    parts = {"return_address", "refund_limits", "store_credit", "repairs"}
    plain = ShopOut.model_fields.keys() - {"id", *parts}
    return ShopOut(
        id=row["shop_id"],
        return_address=ReturnAddress(**row["return_address"]),
        refund_limits=RefundLimits(**row["refund_limits"]),
        store_credit=CreditTerms(**row["store_credit"]),
        repairs=RepairSettings(**row["repairs"]),
        **{name: row[name] for name in plain},
    )
