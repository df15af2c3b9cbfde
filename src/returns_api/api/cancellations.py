"""Cancellations over HTTP: asked for by the buyer, answered by the shop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api.cancellation_views import cancellation_out
from returns_api.api.commands import Command, Commanded, CommandedOn
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, paged
from returns_api.api.filters import OfOrder, asked_id, in_state, known_state
from returns_api.api.paths import OrderPath
from returns_api.api.resources import Resource
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.cancellations import (
    CancellationIn,
    CancellationOut,
    CancellationsOut,
    CancelledLineIn,
    ConfirmCancellationIn,
    DeclineCancellationIn,
)
from returns_api.db.engine import Transaction
from returns_api.domain.access import Scope
from returns_api.domain.cancellations import CancellationRecord, unfit
from returns_api.domain.lifecycle.cancellations import CANCELLATION
from returns_api.usecases import cancellations

router = APIRouter(prefix="/v1", tags=["cancellations"])

Pages = Annotated[Page, Depends(paged("can"))]
InState = Annotated[str | None, in_state(CANCELLATION.states, "requested")]
CancellationPath = Annotated[str, Path(examples=[example_id("can")], max_length=100)]
Reader = Annotated[Caller, Depends(Allowed(Scope.RETURNS_READ))]
Asking = Annotated[Command, Depends(Commanded(Scope.RETURNS_CREATE))]
Answering = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_REVIEW))]
Giving = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_ACT))]
Receiving = Annotated[Command, Depends(CommandedOn(Scope.RECEIPTS_WRITE))]
_CANCELLATIONS = Resource("cancellations", "can", cancellation_out)
_act = _CANCELLATIONS.acts(cancellations.act)

_ANSWERED = refusals(*BODY, 404, 409, 412)
_MOVED = refusals(404, 409, 412)


def _units(lines: Sequence[CancelledLineIn]) -> Mapping[UUID, int]:
    """Units by line. Raises ``DoesNotFit`` for a line that is named twice."""
    found = {each.line: each.quantity for each in lines}
    if len(found) < len(lines):
        raise unfit("Name each line once.", "lines")
    return found


@router.post(
    "/orders/{order}/cancellations",
    status_code=201,
    operation_id="cancelOrder",
    summary="Cancel units of an order",
    description=(
        "All or part of what was not sent yet, or of a parcel that should not or did not reach the"
        " buyer. The units are held and the shop hears of it (`cancellation.requested`); what was"
        " paid for them goes back once it confirms, or lets its time pass where that is enough."
    ),
    response_model=CancellationOut,
    responses=refusals(*BODY, 404, 409),
)
async def cancel_order(order: OrderPath, body: CancellationIn, command: Asking) -> Response:
    order_id = path_id("ord", order)

    async def work(tx: Transaction) -> CancellationRecord:
        wish = cancellations.Wish(body.cause, body.parcel, _units(body.lines))
        return await cancellations.open_cancellation(
            tx, command.ctx, command.principal, command.by, order_id, wish
        )

    return await _CANCELLATIONS.once(command, work, 201)


@router.get(
    "/cancellations",
    operation_id="listCancellations",
    summary="List cancellations",
    description="Newest first; of one order, or in one state. A buyer sees those of the own order.",
    responses=refusals(),
)
async def list_cancellations(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    order: OfOrder = None,
    state: InState = None,
) -> CancellationsOut:
    find = partial(
        cancellations.list_cancellations,
        ctx,
        caller.principal,
        order_id=asked_id("ord", order),
        state=known_state(state, CANCELLATION.states),
    )
    items, next_cursor = await _CANCELLATIONS.page(find, page, caller)
    return CancellationsOut(items=items, next_cursor=next_cursor)


@router.get(
    "/cancellations/{cancellation}",
    operation_id="getCancellation",
    summary="Read a cancellation",
    description="What is cancelled, how far it is, what follows on silence, and what you may do.",
    responses=refusals(404),
)
async def get_cancellation(
    cancellation: CancellationPath, ctx: ContextDep, caller: Reader, response: Response
) -> CancellationOut:
    cancellation_id = path_id("can", cancellation)
    found = await cancellations.get_cancellation(ctx, caller.principal, cancellation_id)
    response.headers["ETag"] = etag(found.sequence)
    return cancellation_out(found, caller.principal)


@router.post(
    "/cancellations/{cancellation}/confirm",
    operation_id="confirmCancellation",
    summary="Say that it was stopped, or did not arrive",
    description=(
        "What was paid for the units goes back, with the shipping charge once nothing of the order"
        " is left to be sent. Name the lines where only part could be stopped."
    ),
    response_model=CancellationOut,
    responses=_ANSWERED,
)
async def confirm(
    cancellation: CancellationPath, body: ConfirmCancellationIn, command: Answering
) -> Response:
    stopped = _units(body.lines) if body.lines else None
    return await _act(command, cancellation, "confirm", stopped=stopped)


@router.post(
    "/cancellations/{cancellation}/turn-back",
    operation_id="turnBackParcel",
    summary="Say that the carrier turns the parcel back",
    description="Of a recalled parcel. Money goes once it is here.",
    response_model=CancellationOut,
    responses=_MOVED,
)
async def turn_back(cancellation: CancellationPath, command: Answering) -> Response:
    return await _act(command, cancellation, "turn_back")


@router.post(
    "/cancellations/{cancellation}/decline",
    operation_id="declineCancellation",
    summary="Say that it is too late, or not so",
    description="The units can be returned as usual.",
    response_model=CancellationOut,
    responses=_ANSWERED,
)
async def decline(
    cancellation: CancellationPath, body: DeclineCancellationIn, command: Answering
) -> Response:
    return await _act(command, cancellation, "decline", reason=body.reason)


@router.post(
    "/cancellations/{cancellation}/receive",
    operation_id="receiveCancelledParcel",
    summary="Say that the parcel is back",
    description="Of a recalled or refused parcel: what was paid for its units goes back now.",
    response_model=CancellationOut,
    responses=_MOVED,
)
async def receive(cancellation: CancellationPath, command: Receiving) -> Response:
    return await _act(command, cancellation, "receive")


@router.post(
    "/cancellations/{cancellation}/withdraw",
    operation_id="withdrawCancellation",
    summary="Take a cancellation back",
    description="The buyer wants the goods after all; before the shop answered.",
    response_model=CancellationOut,
    responses=_MOVED,
)
async def withdraw(cancellation: CancellationPath, command: Giving) -> Response:
    return await _act(command, cancellation, "withdraw")
