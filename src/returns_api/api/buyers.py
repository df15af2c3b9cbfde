"""Buyer sessions over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from returns_api.api.deps import Allowed, Caller, ContextDep
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.buyers import BuyerSessionIn, BuyerSessionOut
from returns_api.domain.access import Scope
from returns_api.usecases import buyers

router = APIRouter(tags=["buyers"])


@router.post(
    "/v1/buyer-sessions",
    operation_id="openBuyerSession",
    summary="Open a buyer session",
    description=(
        "A token bound to one order, valid for an hour. A guest gives the order number and the "
        "e-mail address it was placed with; every wrong guess gets the same `404`. Look-ups are "
        "limited per order number (5), caller (20) and shop (200) per minute. A shop that knows "
        "its customer names the order instead, with an agent or admin key."
    ),
    status_code=201,
    responses=refusals(*BODY, 404, 429),
)
async def open_buyer_session(
    body: BuyerSessionIn,
    request: Request,
    ctx: ContextDep,
    caller: Annotated[Caller, Depends(Allowed(Scope.SESSIONS_CREATE))],
    response: Response,
) -> BuyerSessionOut:
    if body.order is not None:
        session = await buyers.open_known_session(ctx, caller.principal, body.order)
    else:
        assert body.number is not None
        assert body.email is not None
        session = await buyers.open_guest_session(
            ctx,
            caller.principal,
            number=body.number,
            email=body.email,
            host=None if request.client is None else request.client.host,
        )
    response.headers["Cache-Control"] = "no-store"
    return BuyerSessionOut(
        token=session.token, order=session.order_id, expires_at=session.expires_at
    )
