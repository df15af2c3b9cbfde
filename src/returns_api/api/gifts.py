"""A gift over HTTP, for whoever holds its receipt: what it is, and what it counts for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api.deps import Allowed, Caller, ContextDep
from returns_api.api.gift_views import gift_out, gift_quote_out
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.gifts import GiftOut, GiftQuoteIn, GiftQuoteOut
from returns_api.domain.access import Scope
from returns_api.domain.order_facts import AskedLine
from returns_api.usecases import gifts, quotes

router = APIRouter(prefix="/v1/gift", tags=["gifts"])

QuotePath = Annotated[str, Path(examples=[example_id("qt")], max_length=100)]
Holder = Annotated[Caller, Depends(Allowed(Scope.GIFTS_RETURN))]


@router.get(
    "",
    operation_id="getGift",
    summary="What the gift is",
    description=(
        "The goods that the receipt is for, how many of them can come back now and for which"
        " reasons, and the returns that it opened. Neither prices nor payments nor persons."
    ),
    responses=refusals(404, 409),
)
async def get_gift(ctx: ContextDep, caller: Holder) -> GiftOut:
    found = await gifts.view_gift(ctx, caller.principal)
    return gift_out(found, caller.principal, ctx.clock())


@router.post(
    "/quotes",
    status_code=201,
    operation_id="createGiftQuote",
    summary="Get a binding quote for a gift",
    description=(
        "What it counts for as store credit, by the policy in force when the order was placed. Of"
        " how that sum is made up only the deductions are told, and of a refusal only the line."
    ),
    responses=refusals(*BODY, 404, 409),
)
async def create_gift_quote(
    body: GiftQuoteIn, ctx: ContextDep, caller: Holder, response: Response
) -> GiftQuoteOut:
    asked = [AskedLine(x.line, x.quantity, x.reason, x.condition) for x in body.lines]
    quote = await gifts.quote_gift(ctx, caller.principal, asked, body.method)
    shown = gift_quote_out(quote, caller.principal, ctx.clock())
    response.headers["Location"] = f"/v1/gift/quotes/{shown.model_dump()['quote']}"
    return shown


@router.get(
    "/quotes/{quote}",
    operation_id="getGiftQuote",
    summary="Read a quote for a gift",
    description="The offer as it was made; `actions` say whether it can still be accepted.",
    responses=refusals(404),
)
async def get_gift_quote(quote: QuotePath, ctx: ContextDep, caller: Holder) -> GiftQuoteOut:
    found = await quotes.get_quote(ctx, caller.principal, path_id("qt", quote))
    return gift_quote_out(found, caller.principal, ctx.clock())
