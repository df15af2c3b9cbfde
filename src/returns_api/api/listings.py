"""Listings over HTTP: who is on the shop's allow or block list."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from returns_api.api.commands import Command, Commanded
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, paged
from returns_api.api.filters import OfOrder, asked_id
from returns_api.api.listing_views import listing_out
from returns_api.api.resources import Resource
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.listings import List, ListingIn, ListingOut, ListingsOut
from returns_api.db.engine import Transaction
from returns_api.domain.access import Scope
from returns_api.domain.listings import ListingRecord, NewListing, customer_name
from returns_api.usecases import listings
from returns_api.usecases._acting import Acting

router = APIRouter(prefix="/v1/listings", tags=["listings"])

Pages = Annotated[Page, Depends(paged("lst"))]
ListingPath = Annotated[str, Path(examples=[example_id("lst")], max_length=100)]
Reader = Annotated[Caller, Depends(Allowed(Scope.RETURNS_REVIEW))]
Reviewer = Annotated[Command, Depends(Commanded(Scope.RETURNS_REVIEW))]
_LISTINGS = Resource("listings", "lst", listing_out)


@router.post(
    "",
    status_code=201,
    operation_id="createListing",
    summary="Put a person on a list",
    description=(
        "On the block list, a person of yours looks at each of their returns before it is approved,"
        " and no money goes out before the goods; nothing is refused and no buyer is told. On the"
        " allow list, no signal and no tier holds them up. Kept is a keyed hash, not the name. A"
        " person is on one list at a time."
    ),
    response_model=ListingOut,
    responses=refusals(*BODY, 404, 409),
)
async def create_listing(body: ListingIn, command: Reviewer) -> Response:
    customer = None
    if body.source is not None and body.customer_id is not None:
        customer = customer_name(body.source, body.customer_id)
    new = NewListing(
        list=body.list,
        reason=body.reason,
        expires_at=body.expires_at,
        email=body.email,
        customer=customer,
        order_id=body.order,
    )

    async def work(tx: Transaction) -> ListingRecord:
        return await listings.add_listing(tx, command.ctx, command.by, new)

    return await _LISTINGS.once(command, work, 201)


@router.get(
    "",
    operation_id="listListings",
    summary="List who is on a list",
    description="Newest first; of one list, or of the person who placed an order.",
    responses=refusals(404),
)
async def list_listings(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    order: OfOrder = None,
    on: Annotated[List | None, Query(alias="list", examples=["block"])] = None,
) -> ListingsOut:
    find = partial(
        listings.list_listings,
        ctx,
        caller.principal,
        list=on,
        order_id=asked_id("ord", order),
    )
    items, next_cursor = await _LISTINGS.page(find, page, caller)
    return ListingsOut(items=items, next_cursor=next_cursor)


@router.get(
    "/{listing}",
    operation_id="getListing",
    summary="Read a listing",
    description="Which list, why, by whom, since and until when; also one that has ended.",
    responses=refusals(404),
)
async def get_listing(
    listing: ListingPath, ctx: ContextDep, caller: Reader, response: Response
) -> ListingOut:
    found = await listings.get_listing(ctx, caller.principal, path_id("lst", listing))
    response.headers["ETag"] = etag(found.sequence)
    return listing_out(found, caller.principal)


@router.delete(
    "/{listing}",
    operation_id="removeListing",
    summary="Take a person off a list",
    description="From now on; whom it named is forgotten, that it was stays.",
    status_code=204,
    responses=refusals(404),
)
async def remove_listing(listing: ListingPath, ctx: ContextDep, caller: Reader) -> None:
    who = Acting(caller.principal, caller.by, path_id("lst", listing))
    await listings.remove_listing(ctx, who)
