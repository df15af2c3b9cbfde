"""The shop's own settings over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from returns_api.api.deps import Allowed, Caller, ContextDep, etag
from returns_api.api.preconditions import IfMatch, seen_version
from returns_api.api.responses import BODY, EDIT, refusals
from returns_api.api.schemas.shop import (
    AfterSales,
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

_PARTS: Final = {
    "refund_limits": RefundLimits,
    "store_credit": CreditTerms,
    "after_sales": AfterSales,
    "repairs": RepairSettings,
}
"""Settings that are kept whole, what differs from the defaults alone."""
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
    plain = ShopOut.model_fields.keys() - {"id", "return_address", "destinations", *_PARTS}
    parts: dict[str, Any] = {name: part(**row[name]) for name, part in _PARTS.items()}
    return ShopOut(
        id=row["shop_id"],
        return_address=ReturnAddress(**row["return_address"]),
        destinations={name: ReturnAddress(**at) for name, at in row["destinations"].items()},
        **parts,
        **{name: row[name] for name in plain},
    )
