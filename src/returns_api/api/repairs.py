"""Repairs over HTTP: the shop quotes, the buyer agrees or not, the goods are mended and go back."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api.commands import Command, CommandedOn
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, paged
from returns_api.api.filters import OfReturn, asked_id, in_state, known_state
from returns_api.api.repair_views import repair_out
from returns_api.api.resources import Resource
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.exchanges import PaymentLinkIn
from returns_api.api.schemas.repairs import (
    GiveUpIn,
    RepairOut,
    RepairPaymentIn,
    RepairPricesOut,
    RepairQuoteIn,
    RepairShipmentIn,
    RepairsOut,
    TakeIn,
)
from returns_api.api.schemas.shop import RepairPrice
from returns_api.domain.access import Scope
from returns_api.domain.lifecycle.repairs import REPAIR
from returns_api.domain.repair_prices import Asked
from returns_api.usecases import repairs

router = APIRouter(prefix="/v1", tags=["repairs"])

Pages = Annotated[Page, Depends(paged("rep"))]
InState = Annotated[str | None, in_state(REPAIR.states, "diagnosing")]
RepairPath = Annotated[str, Path(examples=[example_id("rep")], max_length=100)]
Anybody = Annotated[Caller, Depends(Allowed(Scope.POLICY_READ))]
Reader = Annotated[Caller, Depends(Allowed(Scope.REFUNDS_READ))]
Shop = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_REVIEW))]
Either = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_ACT))]
Money = Annotated[Command, Depends(CommandedOn(Scope.REFUNDS_MANAGE))]
_REPAIRS = Resource("repairs", "rep", repair_out)
_act = _REPAIRS.acts(repairs.act)

_TOLD = refusals(*BODY, 404, 409, 412)
_MOVED = refusals(404, 409, 412)


@router.get(
    "/repair-prices",
    operation_id="getRepairPrices",
    summary="Read the price list of repairs",
    description=(
        "What a repair is charged by where neither the policy nor a law covers it; empty where the"
        " shop has no list. The shop writes it as `repairs` of its settings."
    ),
    responses=refusals(),
)
async def get_repair_prices(ctx: ContextDep, caller: Anybody) -> RepairPricesOut:
    found = await repairs.get_prices(ctx, caller.principal)
    return RepairPricesOut(
        currency=found.currency,
        prices={code: RepairPrice(**each) for code, each in found.prices.items()},
    )


@router.get(
    "/repairs",
    operation_id="listRepairs",
    summary="List repairs",
    description=(
        "Newest first; of one return or in one state: `diagnosing` ones wait for a quote, `ready`"
        " ones for being sent back. A buyer sees those of the own order."
    ),
    responses=refusals(),
)
async def list_repairs(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    return_: OfReturn = None,
    state: InState = None,
) -> RepairsOut:
    state = known_state(state, REPAIR.states)
    find = partial(
        repairs.list_repairs,
        ctx,
        caller.principal,
        return_id=asked_id("ret", return_),
        states=None if state is None else [state],
    )
    items, next_cursor = await _REPAIRS.page(find, page, caller)
    return RepairsOut(items=items, next_cursor=next_cursor)


@router.get(
    "/repairs/{repair}",
    operation_id="getRepair",
    summary="Read a repair",
    description="What it takes, what it costs, what is due, who has to act and what you may do.",
    responses=refusals(404),
)
async def get_repair(
    repair: RepairPath, ctx: ContextDep, caller: Reader, response: Response
) -> RepairOut:
    found = await repairs.get_repair(ctx, caller.principal, path_id("rep", repair))
    response.headers["ETag"] = etag(found.sequence)
    return repair_out(found, caller.principal)


@router.post(
    "/repairs/{repair}/quote",
    operation_id="quoteRepair",
    summary="Say what the repair takes, for the repair point",
    description=(
        "The answer to `repair.diagnosing`, by codes of the shop's price list. What costs the buyer"
        " nothing is begun at once; else the buyer agrees or declines. Quote anew until then."
    ),
    response_model=RepairOut,
    responses=_TOLD,
)
async def quote_repair(repair: RepairPath, body: RepairQuoteIn, command: Shop) -> Response:
    who = command.acting("rep", repair)
    asked = [Asked(each.code, each.quantity, each.covered) for each in body.positions]
    return await _REPAIRS.once(
        command, lambda tx: repairs.quote(tx, command.ctx, who, asked, body.note)
    )


@router.post(
    "/repairs/{repair}/accept",
    operation_id="acceptRepair",
    summary="Agree to pay for the repair",
    description="What is quoted is due once the work is done, before the goods go back.",
    response_model=RepairOut,
    responses=_MOVED,
)
async def accept_repair(repair: RepairPath, command: Either) -> Response:
    return await _act(command, repair, repairs.accepting)


@router.post(
    "/repairs/{repair}/decline",
    operation_id="declineRepair",
    summary="Have it not repaired",
    description=(
        "`if_declined` is due then, and the goods go back as they are; or what `instead` offers:"
        " then nothing but what a refund of this return deducts."
    ),
    response_model=RepairOut,
    responses=_TOLD,
)
async def decline_repair(repair: RepairPath, body: TakeIn, command: Either) -> Response:
    return await _act(command, repair, repairs.declining(body.take))


@router.post(
    "/repairs/{repair}/give-up",
    operation_id="giveUpRepair",
    summary="Say that it cannot be repaired, for the repair point",
    description="Nothing is charged; the buyer takes the goods or what `instead` offers.",
    response_model=RepairOut,
    responses=_TOLD,
)
async def give_up_repair(repair: RepairPath, body: GiveUpIn, command: Shop) -> Response:
    return await _act(command, repair, repairs.giving_up(body.cause))


@router.post(
    "/repairs/{repair}/choose",
    operation_id="chooseInstead",
    summary="Say what you want for goods that cannot be repaired",
    description="The goods as they are, or what `instead` offers: the return goes on as that.",
    response_model=RepairOut,
    responses=_TOLD,
)
async def choose_instead(repair: RepairPath, body: TakeIn, command: Either) -> Response:
    return await _act(command, repair, repairs.choosing(body.take))


@router.post(
    "/repairs/{repair}/finish",
    operation_id="finishRepair",
    summary="Say that the work is done, for the repair point",
    description="What the buyer agreed to pay is due now, by `repair.payment_due`.",
    response_model=RepairOut,
    responses=_MOVED,
)
async def finish_repair(repair: RepairPath, command: Shop) -> Response:
    return await _act(command, repair, repairs.finishing)


@router.post(
    "/repairs/{repair}/payment-link",
    operation_id="setRepairPaymentLink",
    summary="Say where the buyer can pay for the repair",
    description="The answer to `repair.payment_due`.",
    response_model=RepairOut,
    responses=_TOLD,
)
async def set_payment_link(repair: RepairPath, body: PaymentLinkIn, command: Shop) -> Response:
    return await _act(command, repair, repairs.linking(body.payment_url))


@router.post(
    "/repairs/{repair}/payments",
    operation_id="recordRepairPayment",
    summary="Take note that the buyer paid for the repair",
    description=(
        "All that is due, with the payment's id as evidence; the goods can go back then. A"
        " reference counts once, for ever."
    ),
    response_model=RepairOut,
    responses=_TOLD,
)
async def record_payment(repair: RepairPath, body: RepairPaymentIn, command: Money) -> Response:
    who = command.acting("rep", repair)
    return await _REPAIRS.once(
        command,
        lambda tx: repairs.record_payment(tx, command.ctx, who, body.amount, body.reference),
    )


@router.post(
    "/repairs/{repair}/waive",
    operation_id="waiveRepair",
    summary="Give the goods back without payment",
    description="Nobody owes anything for it any more.",
    response_model=RepairOut,
    responses=_MOVED,
)
async def waive_repair(repair: RepairPath, command: Money) -> Response:
    return await _act(command, repair, repairs.waiving)


@router.post(
    "/repairs/{repair}/ship",
    operation_id="shipRepair",
    summary="Say that the goods are on their way back",
    description="The answer to `repair.ready`. The return ends; its units can come back again.",
    response_model=RepairOut,
    responses=_TOLD,
)
async def ship_repair(repair: RepairPath, body: RepairShipmentIn, command: Shop) -> Response:
    who = command.acting("rep", repair)
    return await _REPAIRS.once(
        command, lambda tx: repairs.ship(tx, command.ctx, who, body.carrier, body.tracking)
    )


@router.post(
    "/repairs/{repair}/complete",
    operation_id="completeRepair",
    summary="Say that the goods arrived",
    description="Silence says so, too, 14 days after they were sent.",
    response_model=RepairOut,
    responses=_MOVED,
)
async def complete_repair(repair: RepairPath, command: Either) -> Response:
    return await _act(command, repair, repairs.completing)
