"""Offers over HTTP: an amount for keeping the goods, answered by the other side."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api.commands import Command, Commanded, CommandedOn
from returns_api.api.deps import (
    Allowed,
    Caller,
    ContextDep,
    Page,
    etag,
    paged,
)
from returns_api.api.offer_views import offer_out
from returns_api.api.paths import ReturnPath
from returns_api.api.resources import Resource
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.offers import CounterIn, OfferIn, OfferOut, OffersOut
from returns_api.db.engine import Transaction
from returns_api.domain.access import Scope
from returns_api.domain.offers import OfferRecord
from returns_api.usecases import offers

router = APIRouter(prefix="/v1", tags=["offers"])

Pages = Annotated[Page, Depends(paged("off"))]
OfferPath = Annotated[str, Path(examples=[example_id("off")], max_length=100)]
Reader = Annotated[Caller, Depends(Allowed(Scope.REFUNDS_READ))]
Reviewer = Annotated[Command, Depends(Commanded(Scope.RETURNS_REVIEW))]
Acting = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_ACT))]
Second = Annotated[Command, Depends(CommandedOn(Scope.REFUNDS_MANAGE))]
_OFFERS = Resource("offers", "off", offer_out)

_MADE = refusals(*BODY, 404, 409, 412)
_MOVED = refusals(404, 409, 412)


@router.post(
    "/returns/{return}/offers",
    status_code=201,
    operation_id="makeOffer",
    summary="Offer an amount for keeping the goods",
    description=(
        "One offer stands at a time. What the caller may promise alone is bounded per order and per"
        " day (`refund_limits` of the shop); above it the offer is `awaiting_approval` and the"
        " buyer does not see it until a second person approved it."
    ),
    response_model=OfferOut,
    responses=_MADE,
)
async def make_offer(
    return_: ReturnPath,
    body: OfferIn,
    command: Reviewer,
) -> Response:
    who = command.acting("ret", return_)

    async def work(tx: Transaction) -> OfferRecord:
        return await offers.make_offer(
            tx,
            command.ctx,
            who,
            amount_minor=body.amount,
            note=body.note,
            valid_seconds=body.valid_seconds,
        )

    return await _OFFERS.once(command, work, 201)


@router.get(
    "/returns/{return}/offers",
    operation_id="listOffers",
    summary="The offers of a return",
    description="Newest first. A buyer does not see what nobody has approved yet.",
    responses=refusals(404),
)
async def list_offers(
    return_: ReturnPath, ctx: ContextDep, caller: Reader, page: Pages
) -> OffersOut:
    find = partial(offers.list_offers, ctx, caller.principal, path_id("ret", return_))
    items, next_cursor = await _OFFERS.page(find, page, caller)
    return OffersOut(items=items, next_cursor=next_cursor)


@router.get(
    "/offers/{offer}",
    operation_id="getOffer",
    summary="Read an offer",
    description="Its amount, who has to answer until when, and what you may do next.",
    responses=refusals(404),
)
async def get_offer(
    offer: OfferPath, ctx: ContextDep, caller: Reader, response: Response
) -> OfferOut:
    found = await offers.get_offer(ctx, caller.principal, path_id("off", offer))
    response.headers["ETag"] = etag(found.sequence)
    return offer_out(found, caller.principal)


@router.post(
    "/offers/{offer}/counter",
    status_code=201,
    operation_id="counterOffer",
    summary="Answer with another amount",
    description=(
        "The offer ends as `countered`, and the new one is given back; now the other side has to"
        " answer. A merchant's counter-offer is bounded like an offer."
    ),
    response_model=OfferOut,
    responses=_MADE,
)
async def counter_offer(
    offer: OfferPath,
    body: CounterIn,
    command: Acting,
) -> Response:
    who = command.acting("off", offer)

    async def work(tx: Transaction) -> OfferRecord:
        return await offers.counter_offer(
            tx, command.ctx, who, amount_minor=body.amount, note=body.note
        )

    return await _OFFERS.once(command, work, 201)


@router.post(
    "/offers/{offer}/accept",
    operation_id="acceptOffer",
    summary="Agree to the other side's offer",
    description=(
        "The refund is reserved in the same transaction, once; the goods stay with the buyer, their"
        " units cannot be returned again, and a label that nobody needs is given back."
    ),
    response_model=OfferOut,
    responses=_MOVED,
)
async def accept_offer(
    offer: OfferPath,
    command: Acting,
) -> Response:
    who = command.acting("off", offer)

    async def work(tx: Transaction) -> OfferRecord:
        return await offers.accept_offer(tx, command.ctx, who)

    return await _OFFERS.once(command, work)


@router.post(
    "/offers/{offer}/approve",
    operation_id="approveOffer",
    summary="Let an offer reach the buyer, as the second person",
    description="Its time begins with the approval. Whoever made the offer is refused.",
    response_model=OfferOut,
    responses=_MOVED,
)
async def approve_offer(
    offer: OfferPath,
    command: Second,
) -> Response:
    who = command.acting("off", offer)

    async def work(tx: Transaction) -> OfferRecord:
        return await offers.approve_offer(tx, command.ctx, who)

    return await _OFFERS.once(command, work)


@router.post(
    "/offers/{offer}/decline",
    operation_id="declineOffer",
    summary="Say no to the other side's offer",
    description="The return goes on as if it had not been made.",
    response_model=OfferOut,
    responses=_MOVED,
)
async def decline_offer(
    offer: OfferPath,
    command: Acting,
) -> Response:
    return await _answer(offer, "decline", command)


@router.post(
    "/offers/{offer}/withdraw",
    operation_id="withdrawOffer",
    summary="Take the own side's offer back",
    description=(
        "Possible until the other side answered. What it counted against an allowance stays"
        " counted."
    ),
    response_model=OfferOut,
    responses=_MOVED,
)
async def withdraw_offer(
    offer: OfferPath,
    command: Acting,
) -> Response:
    return await _answer(offer, "withdraw", command)


async def _answer(offer: str, action: str, command: Command) -> Response:
    who = command.acting("off", offer)

    async def work(tx: Transaction) -> OfferRecord:
        return await offers.answer_offer(tx, command.ctx, who, action)

    return await _OFFERS.once(command, work)
