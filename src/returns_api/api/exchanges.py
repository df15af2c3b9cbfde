"""Exchanges over HTTP: the shop answers about goods, the buyer agrees or chooses, goods go out."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api.commands import Command, CommandedOn
from returns_api.api.deps import (
    Allowed,
    Caller,
    ContextDep,
    Page,
    etag,
    paged,
)
from returns_api.api.exchange_views import exchange_out
from returns_api.api.filters import OfReturn, asked_id, in_state, known_state
from returns_api.api.resources import Resource
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.exchange_answers import AlternativeIn, ChoiceIn, StockIn
from returns_api.api.schemas.exchanges import (
    ExchangeOut,
    ExchangePaymentIn,
    ExchangeShipmentIn,
    ExchangesOut,
    PaymentLinkIn,
)
from returns_api.domain.access import Scope
from returns_api.domain.exchanges import Alternative
from returns_api.domain.lifecycle.exchanges import EXCHANGE
from returns_api.usecases import exchanges

router = APIRouter(prefix="/v1/exchanges", tags=["exchanges"])

Pages = Annotated[Page, Depends(paged("exc"))]
InState = Annotated[str | None, in_state(EXCHANGE.states, "requested")]
ExchangePath = Annotated[str, Path(examples=[example_id("exc")], max_length=100)]
Reader = Annotated[Caller, Depends(Allowed(Scope.REFUNDS_READ))]
Shop = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_REVIEW))]
Either = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_ACT))]
Money = Annotated[Command, Depends(CommandedOn(Scope.REFUNDS_MANAGE))]
_EXCHANGES = Resource("exchanges", "exc", exchange_out)
_act = _EXCHANGES.acts(exchanges.act)

_TOLD = refusals(*BODY, 404, 409, 412)
_MOVED = refusals(404, 409, 412)


@router.get(
    "",
    operation_id="listExchanges",
    summary="List exchanges",
    description=(
        "Newest first; of one return or in one state: `requested` ones wait for the shop's answer,"
        " `released` ones for being sent. A buyer sees those of the own order."
    ),
    responses=refusals(),
)
async def list_exchanges(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    return_: OfReturn = None,
    state: InState = None,
) -> ExchangesOut:
    state = known_state(state, EXCHANGE.states)
    find = partial(
        exchanges.list_exchanges,
        ctx,
        caller.principal,
        return_id=asked_id("ret", return_),
        states=None if state is None else [state],
    )
    items, next_cursor = await _EXCHANGES.page(find, page, caller)
    return ExchangesOut(items=items, next_cursor=next_cursor)


@router.get(
    "/{exchange}",
    operation_id="getExchange",
    summary="Read an exchange",
    description="Which goods, at what price, what is due, who has to act and what you may do.",
    responses=refusals(404),
)
async def get_exchange(
    exchange: ExchangePath, ctx: ContextDep, caller: Reader, response: Response
) -> ExchangeOut:
    found = await exchanges.get_exchange(ctx, caller.principal, path_id("exc", exchange))
    response.headers["ETag"] = etag(found.sequence)
    return exchange_out(found, caller.principal)


@router.post(
    "/{exchange}/answer",
    operation_id="answerExchange",
    summary="Answer whether the goods are there, as the shop",
    description=(
        "The answer to `exchange.stock_requested`. In stock with a price: up to what the goods that"
        " come back count for it is settled at once, above it the buyer has to agree. Not in stock:"
        " the buyer chooses among your alternatives and a refund. Say it again when goods ran out"
        " or came back; a price that was told stands."
    ),
    response_model=ExchangeOut,
    responses=_TOLD,
)
async def answer_exchange(exchange: ExchangePath, body: StockIn, command: Shop) -> Response:
    if body.in_stock:
        plan = exchanges.in_stock(body.unit_price, body.title, body.payment_url)
    else:
        plan = exchanges.out_of_stock([_alternative(each) for each in body.alternatives])
    return await _act(command, exchange, plan)


def _alternative(told: AlternativeIn) -> Alternative:
    return Alternative(told.kind, told.variant, told.sku, told.title, told.unit_price, told.gift)


@router.post(
    "/{exchange}/accept",
    operation_id="acceptExchange",
    summary="Agree to pay the difference",
    description="What exactly is due is known once the goods were judged; nothing is paid before.",
    response_model=ExchangeOut,
    responses=_MOVED,
)
async def accept_exchange(exchange: ExchangePath, command: Either) -> Response:
    return await _act(command, exchange, exchanges.accepting)


@router.post(
    "/{exchange}/choose",
    operation_id="chooseAlternative",
    summary="Take something else instead",
    description=(
        "Other goods at the price that is shown, or money: then the return goes on as one for"
        " store credit or a refund, and its money moves once."
    ),
    response_model=ExchangeOut,
    responses=_TOLD,
)
async def choose_alternative(exchange: ExchangePath, body: ChoiceIn, command: Either) -> Response:
    return await _act(command, exchange, exchanges.choosing(body.alternative))


@router.post(
    "/{exchange}/cancel",
    operation_id="cancelExchange",
    summary="Give the goods up",
    description=(
        "Until they are released. The return goes on and is settled as `fallback` says; to give"
        " that up, too, cancel the return."
    ),
    response_model=ExchangeOut,
    responses=_MOVED,
)
async def cancel_exchange(exchange: ExchangePath, command: Either) -> Response:
    return await _act(command, exchange, exchanges.canceling)


@router.post(
    "/{exchange}/payment-link",
    operation_id="setExchangePaymentLink",
    summary="Say where the buyer can pay the difference",
    description="The answer to `exchange.payment_due`, where its link depends on the amount.",
    response_model=ExchangeOut,
    responses=_TOLD,
)
async def set_payment_link(exchange: ExchangePath, body: PaymentLinkIn, command: Shop) -> Response:
    return await _act(command, exchange, exchanges.linking(body.payment_url))


@router.post(
    "/{exchange}/payments",
    operation_id="recordExchangePayment",
    summary="Take note that the buyer paid the difference",
    description=(
        "All of it, with the payment's id as evidence; the goods are released in the same"
        " transaction. A reference counts once, for ever."
    ),
    response_model=ExchangeOut,
    responses=_TOLD,
)
async def record_payment(
    exchange: ExchangePath, body: ExchangePaymentIn, command: Money
) -> Response:
    who = command.acting("exc", exchange)
    return await _EXCHANGES.once(
        command,
        lambda tx: exchanges.record_payment(tx, command.ctx, who, body.amount, body.reference),
    )


@router.post(
    "/{exchange}/ship",
    operation_id="shipExchange",
    summary="Say that the new goods are on their way",
    description="The answer to `exchange.released`, which names the goods and the order.",
    response_model=ExchangeOut,
    responses=_TOLD,
)
async def ship_exchange(
    exchange: ExchangePath, body: ExchangeShipmentIn, command: Shop
) -> Response:
    return await _act(command, exchange, exchanges.shipping(body.carrier, body.tracking))


@router.post(
    "/{exchange}/complete",
    operation_id="completeExchange",
    summary="Say that the new goods arrived",
    description="Silence says so, too, 14 days after they were sent.",
    response_model=ExchangeOut,
    responses=_MOVED,
)
async def complete_exchange(exchange: ExchangePath, command: Either) -> Response:
    return await _act(command, exchange, exchanges.completing)
