"""Pickups over HTTP: when a courier would come, a time chosen, a missed one chosen anew."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api.commands import Command, Commanded, CommandedOn
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, paged
from returns_api.api.paths import ReturnPath
from returns_api.api.pickup_views import pickup_out
from returns_api.api.resources import Resource
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.pickups import PickupIn, PickupOut, PickupsOut, SlotOut, SlotsOut
from returns_api.db.engine import Transaction
from returns_api.domain.access import Scope
from returns_api.domain.pickups import PickupRecord
from returns_api.usecases import pickups

router = APIRouter(prefix="/v1", tags=["pickups"])

Pages = Annotated[Page, Depends(paged("pku"))]
PickupPath = Annotated[str, Path(examples=[example_id("pku")], max_length=100)]
Reader = Annotated[Caller, Depends(Allowed(Scope.RETURNS_READ))]
Asking = Annotated[Caller, Depends(Allowed(Scope.RETURNS_ACT))]
Booking = Annotated[Command, Depends(Commanded(Scope.RETURNS_ACT))]
Acting = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_ACT))]
_PICKUPS = Resource("pickups", "pku", pickup_out)

_MADE = refusals(*BODY, 404, 409, 412)
_MOVED = refusals(404, 409, 412)


@router.get(
    "/returns/{return}/pickup-slots",
    operation_id="listPickupSlots",
    summary="Ask when a courier would come",
    description=(
        "Asks the carrier for the next two working days, for a return whose way back is `pickup`"
        " and whose label is there. Nothing is booked. What the buyer pays was fixed by the"
        " accepted quote, whichever time is chosen."
    ),
    responses=refusals(404, 409),
)
async def list_slots(return_: ReturnPath, ctx: ContextDep, caller: Asking) -> SlotsOut:
    found = await pickups.list_slots(ctx, caller.principal, path_id("ret", return_))
    return SlotsOut(
        items=[
            SlotOut(slot=each.token, from_=each.starts_at, until=each.ends_at, choose_by=each.until)
            for each in found
        ]
    )


@router.post(
    "/returns/{return}/pickups",
    status_code=201,
    operation_id="bookPickup",
    summary="Choose a time for the courier",
    description=(
        "At most one pickup stands for a return. The carrier is told right after, once, however"
        " often it has to be asked; `pickup.booked` or `pickup.failed` says what came of it."
    ),
    response_model=PickupOut,
    responses=refusals(*BODY, 404, 409),
)
async def book_pickup(return_: ReturnPath, body: PickupIn, command: Booking) -> Response:
    return_id = path_id("ret", return_)

    async def work(tx: Transaction) -> PickupRecord:
        return await pickups.book(
            tx, command.ctx, command.principal, command.by, return_id, body.slot
        )

    return await _PICKUPS.once(command, work, 201)


@router.get(
    "/returns/{return}/pickups",
    operation_id="listPickups",
    summary="The pickups of a return",
    description="Newest first, with those that were missed or called off.",
    responses=refusals(404),
)
async def list_pickups(
    return_: ReturnPath, ctx: ContextDep, caller: Reader, page: Pages
) -> PickupsOut:
    find = partial(pickups.list_pickups, ctx, caller.principal, path_id("ret", return_))
    items, next_cursor = await _PICKUPS.page(find, page, caller)
    return PickupsOut(items=items, next_cursor=next_cursor)


@router.get(
    "/pickups/{pickup}",
    operation_id="getPickup",
    summary="Read a pickup",
    description="When the courier comes, and what may be done about it.",
    responses=refusals(404),
)
async def get_pickup(
    pickup: PickupPath, ctx: ContextDep, caller: Reader, response: Response
) -> PickupOut:
    found = await pickups.get_pickup(ctx, caller.principal, path_id("pku", pickup))
    response.headers["ETag"] = etag(found.sequence)
    return pickup_out(found, caller.principal)


@router.post(
    "/pickups/{pickup}/rebook",
    status_code=201,
    operation_id="rebookPickup",
    summary="Choose another time",
    description="The old pickup ends as `rebooked`, and the new one is given back.",
    response_model=PickupOut,
    responses=_MADE,
)
async def rebook_pickup(pickup: PickupPath, body: PickupIn, command: Acting) -> Response:
    pickup_id, seen = path_id("pku", pickup), command.seen

    async def work(tx: Transaction) -> PickupRecord:
        return await pickups.rebook(
            tx, command.ctx, command.principal, command.by, pickup_id, body.slot, seen
        )

    return await _PICKUPS.once(command, work, 201)


@router.post(
    "/pickups/{pickup}/cancel",
    operation_id="cancelPickup",
    summary="Call the courier off",
    description="The carrier is told by a job; where it is too late, the pickup is `booked` again.",
    response_model=PickupOut,
    responses=_MOVED,
)
async def cancel_pickup(pickup: PickupPath, command: Acting) -> Response:
    return await _act(pickup, "cancel", command)


@router.post(
    "/pickups/{pickup}/miss",
    operation_id="missPickup",
    summary="Say that nobody came",
    description="Possible once the chosen time is over; a day later it is taken to be so.",
    response_model=PickupOut,
    responses=_MOVED,
)
async def miss_pickup(pickup: PickupPath, command: Acting) -> Response:
    return await _act(pickup, "miss", command)


async def _act(pickup: str, action: str, command: Command) -> Response:
    pickup_id, seen = path_id("pku", pickup), command.seen

    async def work(tx: Transaction) -> PickupRecord:
        return await pickups.act(
            tx, command.ctx, command.principal, command.by, pickup_id, action, seen
        )

    return await _PICKUPS.once(command, work)
