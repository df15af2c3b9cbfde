"""Gift receipts over HTTP, and the way in for whoever holds one.

Making one takes no Idempotency-Key, as making a key does not: a kept answer would keep the code. A
second try makes a second receipt, which the first one's units bound.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from returns_api.api.deps import Allowed, Caller, ContextDep
from returns_api.api.paths import OrderPath
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.gift_receipts import (
    GiftReceiptIn,
    GiftReceiptLineOut,
    GiftReceiptMadeOut,
    GiftReceiptOut,
    GiftReceiptsOut,
    GiftSessionIn,
    GiftSessionOut,
)
from returns_api.domain.access import Scope
from returns_api.domain.errors import DoesNotFit
from returns_api.domain.gifts import PER_ORDER, GiftReceipt
from returns_api.usecases import gift_receipts

router = APIRouter(prefix="/v1", tags=["gifts"])

ReceiptPath = Annotated[
    str, Path(alias="gift_receipt", examples=[example_id("gft")], max_length=100)
]
Maker = Annotated[Caller, Depends(Allowed(Scope.RETURNS_CREATE))]
Reader = Annotated[Caller, Depends(Allowed(Scope.ORDERS_READ))]


@router.post(
    "/orders/{order}/gift-receipts",
    status_code=201,
    operation_id="createGiftReceipt",
    summary="Make a gift receipt",
    description=(
        "For whoever gets goods of the order as a gift: with its code they bring them back for"
        " store credit of their own. They learn neither prices nor payments nor who bought it, and"
        " the buyer is not told of the return. The code is shown this once; only a hash of it is"
        f" kept. An order has at most {PER_ORDER} receipts."
    ),
    responses=refusals(*BODY, 404, 409),
)
async def create_receipt(
    order: OrderPath, body: GiftReceiptIn, ctx: ContextDep, caller: Maker, response: Response
) -> GiftReceiptMadeOut:
    lines = None
    if body.lines is not None:
        lines = {each.line: each.quantity for each in body.lines}
        if len(lines) < len(body.lines):
            problem = "Name each line once; add up its quantities."
            raise DoesNotFit(problem, errors=[{"field": "lines", "problem": problem}])
    made, code = await gift_receipts.make_receipt(
        ctx, caller.principal, caller.by, path_id("ord", order), lines, body.lasts_days
    )
    response.headers["Cache-Control"] = "no-store"
    shown = _receipt(made)
    return GiftReceiptMadeOut(
        **{name: getattr(shown, name) for name in GiftReceiptOut.model_fields}, code=code
    )


@router.get(
    "/orders/{order}/gift-receipts",
    operation_id="listGiftReceipts",
    summary="List an order's gift receipts",
    description="Newest first, revoked ones too; without their codes, which nobody has any more.",
    responses=refusals(404),
)
async def list_receipts(order: OrderPath, ctx: ContextDep, caller: Reader) -> GiftReceiptsOut:
    found = await gift_receipts.list_receipts(ctx, caller.principal, path_id("ord", order))
    return GiftReceiptsOut(items=[_receipt(each) for each in found])


@router.delete(
    "/gift-receipts/{gift_receipt}",
    operation_id="revokeGiftReceipt",
    summary="Revoke a gift receipt",
    description=(
        "It opens no returns from now on; those that it opened go their way. Revoking twice"
        " changes nothing."
    ),
    status_code=204,
    responses=refusals(404),
)
async def revoke_receipt(receipt: ReceiptPath, ctx: ContextDep, caller: Maker) -> None:
    receipt_id = path_id("gft", receipt)
    await gift_receipts.revoke_receipt(ctx, caller.principal, caller.by, receipt_id)


@router.post(
    "/gift-sessions",
    status_code=201,
    operation_id="openGiftSession",
    summary="Open a gift session",
    description=(
        "A token for whoever has the code of a gift receipt, valid for an hour. Every wrong code"
        " gets the same `404`, and so does one of a receipt that is over and opened no return."
        " Guesses are counted with those of `POST /v1/buyer-sessions`, per caller (20) and shop"
        " (200) per minute."
    ),
    responses=refusals(*BODY, 404, 429),
)
async def open_session(
    body: GiftSessionIn,
    request: Request,
    ctx: ContextDep,
    caller: Annotated[Caller, Depends(Allowed(Scope.SESSIONS_CREATE))],
    response: Response,
) -> GiftSessionOut:
    host = None if request.client is None else request.client.host
    session = await gift_receipts.open_session(ctx, caller.principal, body.code, host)
    response.headers["Cache-Control"] = "no-store"
    return GiftSessionOut(
        token=session.token, gift_receipt=session.receipt_id, expires_at=session.expires_at
    )


def _receipt(receipt: GiftReceipt) -> GiftReceiptOut:
    return GiftReceiptOut(
        gift_receipt=receipt.id,
        order=receipt.order_id,
        lines=[
            GiftReceiptLineOut(
                line=line.order_line_id, title=line.title, sku=line.sku, quantity=line.quantity
            )
            for line in receipt.lines
        ],
        made_by=receipt.made_by,
        created_at=receipt.created_at,
        expires_at=receipt.expires_at,
        revoked_at=receipt.revoked_at,
    )
