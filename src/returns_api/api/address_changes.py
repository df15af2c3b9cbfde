"""Address changes over HTTP: asked for by the buyer, answered by the shop."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api.address_change_views import address_change_out
from returns_api.api.commands import Command, Commanded, CommandedOn
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, paged
from returns_api.api.filters import OfOrder, asked_id, in_state, known_state
from returns_api.api.paths import OrderPath
from returns_api.api.resources import Resource
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.address_changes import (
    AddressChangeIn,
    AddressChangeOut,
    AddressChangesOut,
    DeclineAddressChangeIn,
)
from returns_api.api.schemas.base import example_id, path_id
from returns_api.db.engine import Transaction
from returns_api.domain.access import Scope
from returns_api.domain.address_changes import AddressChangeRecord
from returns_api.domain.lifecycle.address_changes import ADDRESS_CHANGE
from returns_api.usecases import address_changes

router = APIRouter(prefix="/v1", tags=["address changes"])

Pages = Annotated[Page, Depends(paged("adc"))]
InState = Annotated[str | None, in_state(ADDRESS_CHANGE.states, "requested")]
ChangePath = Annotated[
    str, Path(alias="address_change", examples=[example_id("adc")], max_length=100)
]
Reader = Annotated[Caller, Depends(Allowed(Scope.ORDERS_READ))]
Asking = Annotated[Command, Depends(Commanded(Scope.RETURNS_CREATE))]
Answering = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_REVIEW))]
Giving = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_ACT))]
_CHANGES = Resource("address-changes", "adc", address_change_out)
_act = _CHANGES.acts(address_changes.act)

_MOVED = refusals(404, 409, 412)


@router.post(
    "/orders/{order}/address-changes",
    status_code=201,
    operation_id="askAddressChange",
    summary="Ask for another address",
    description=(
        "For what of the order was not sent yet, within its country. The shop hears of it"
        " (`address_change.requested`, which names no address), reads it here and answers; where it"
        " does not within a day, the goods go where the order said."
    ),
    response_model=AddressChangeOut,
    responses=refusals(*BODY, 404, 409),
)
async def ask_change(order: OrderPath, body: AddressChangeIn, command: Asking) -> Response:
    order_id = path_id("ord", order)

    async def work(tx: Transaction) -> AddressChangeRecord:
        return await address_changes.ask(
            tx, command.ctx, command.principal, command.by, order_id, body.address.model_dump()
        )

    return await _CHANGES.once(command, work, 201)


@router.get(
    "/address-changes",
    operation_id="listAddressChanges",
    summary="List address changes",
    description=(
        "Newest first, without the addresses; of one order, or in one state. A buyer sees those of"
        " the own order."
    ),
    responses=refusals(),
)
async def list_changes(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    order: OfOrder = None,
    state: InState = None,
) -> AddressChangesOut:
    find = partial(
        address_changes.list_changes,
        ctx,
        caller.principal,
        order_id=asked_id("ord", order),
        state=known_state(state, ADDRESS_CHANGE.states),
    )
    items, next_cursor = await _CHANGES.page(find, page, caller)
    return AddressChangesOut(items=items, next_cursor=next_cursor)


@router.get(
    "/address-changes/{address_change}",
    operation_id="getAddressChange",
    summary="Read an address change",
    description="With the address, how far it is, and what you may do.",
    responses=refusals(404),
)
async def get_change(
    change: ChangePath, ctx: ContextDep, caller: Reader, response: Response
) -> AddressChangeOut:
    found = await address_changes.get_change(ctx, caller.principal, path_id("adc", change))
    response.headers["ETag"] = etag(found.sequence)
    return address_change_out(found, caller.principal, whole=True)


@router.post(
    "/address-changes/{address_change}/apply",
    operation_id="applyAddressChange",
    summary="Say that it goes to the new address",
    description="Once the shop has changed it. The order's own next word brings the address.",
    response_model=AddressChangeOut,
    responses=_MOVED,
)
async def apply_change(change: ChangePath, command: Answering) -> Response:
    return await _act(command, change, "apply")


@router.post(
    "/address-changes/{address_change}/decline",
    operation_id="declineAddressChange",
    summary="Say that it is too late",
    description="The goods go where the order said.",
    response_model=AddressChangeOut,
    responses=refusals(*BODY, 404, 409, 412),
)
async def decline_change(
    change: ChangePath, body: DeclineAddressChangeIn, command: Answering
) -> Response:
    return await _act(command, change, "decline", reason=body.reason)


@router.post(
    "/address-changes/{address_change}/withdraw",
    operation_id="withdrawAddressChange",
    summary="Take an address change back",
    description="The old address is right after all; before the shop answered.",
    response_model=AddressChangeOut,
    responses=_MOVED,
)
async def withdraw_change(change: ChangePath, command: Giving) -> Response:
    return await _act(command, change, "withdraw")
