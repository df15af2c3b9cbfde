"""Returns by a gift receipt over HTTP: opened, read and sent by the gift's recipient.

The shop and its warehouse work on them as on any return (``returns``, ``inspections``).
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from returns_api.api.deps import (
    Allowed,
    Caller,
    ContextDep,
    KeyHeader,
    etag,
    json_answer,
    keyed,
)
from returns_api.api.gift_views import gift_return_out, place_of_return
from returns_api.api.labels import FILES, FormQuery, label_file
from returns_api.api.paths import ReturnPath
from returns_api.api.responses import BODY, refusals
from returns_api.api.return_acts import ACTED, Act, Acts
from returns_api.api.schemas.base import path_id
from returns_api.api.schemas.gift_returns import GiftReturnIn, GiftReturnOut
from returns_api.api.schemas.return_actions import AnswerIn
from returns_api.domain.access import Scope
from returns_api.domain.gifts import Recipient
from returns_api.ports.carriers import Form
from returns_api.usecases import gifts, returns
from returns_api.usecases.line_extras import LineExtras, Proof

router = APIRouter(prefix="/v1/gift/returns", tags=["gifts"])

Holder = Annotated[Caller, Depends(Allowed(Scope.GIFTS_RETURN))]
Acting = Annotated[Act, Depends(Acts(Scope.GIFTS_RETURN))]


@router.post(
    "",
    status_code=201,
    operation_id="openGiftReturn",
    summary="Bring a gift back",
    description=(
        "Accepts a quote for a gift. What is due for it becomes store credit of the e-mail address"
        " that is named here, and messages about it go there; the buyer is told nothing. The label"
        " names the address that is named here as its sender."
    ),
    response_model=GiftReturnOut,
    responses=refusals(*BODY, 404, 409),
)
async def open_gift_return(
    body: GiftReturnIn,
    request: Request,
    ctx: ContextDep,
    caller: Holder,
    idempotency_key: KeyHeader = None,
) -> Response:
    recipient = Recipient(**body.address.model_dump(), email=body.email, locale=body.locale)
    extras = [
        LineExtras(
            line.line, None, tuple(Proof(each.kind, each.photo, each.url) for each in line.evidence)
        )
        for line in body.lines
    ]
    principal, by = caller.principal, caller.by
    return await keyed(
        request,
        ctx,
        caller,
        idempotency_key,
        lambda tx: gifts.open_gift_return(tx, ctx, principal, by, body.quote, recipient, extras),
        lambda view: json_answer(
            201,
            gift_return_out(view, principal),
            Location=place_of_return(view.ret.id),
            ETag=etag(view.ret.sequence),
        ),
    )


@router.get(
    "/{return}",
    operation_id="getGiftReturn",
    summary="Read a return of a gift",
    description="Its state, its label, the credit, and what you may do next as ready links.",
    responses=refusals(404),
)
async def get_gift_return(
    return_: ReturnPath, ctx: ContextDep, caller: Holder, response: Response
) -> GiftReturnOut:
    view = await returns.get_return(ctx, caller.principal, path_id("ret", return_))
    response.headers["ETag"] = etag(view.ret.sequence)
    return gift_return_out(view, caller.principal)


@router.get(
    "/{return}/label-document",
    operation_id="getGiftLabelDocument",
    summary="Read a file of the label of a gift's return",
    description="As `GET /v1/returns/{return}/label-document`, for the gift's recipient.",
    response_class=Response,
    responses={**FILES, **refusals(404, 409)},
)
async def get_gift_label_document(
    return_: ReturnPath,
    ctx: ContextDep,
    caller: Holder,
    form: FormQuery = Form.LABEL,
) -> Response:
    return await label_file(ctx, caller, return_, form)


@router.post(
    "/{return}/provide-info",
    operation_id="provideGiftReturnInfo",
    summary="Answer the shop's question about a gift",
    description="The review clock runs on with the time that it stood still given back.",
    responses=ACTED,
)
async def provide_info(body: AnswerIn, act: Acting) -> GiftReturnOut:
    return gift_return_out(await act.take(returns.answering(body.answer)), act.principal)


@router.post(
    "/{return}/cancel",
    operation_id="cancelGiftReturn",
    summary="Keep the gift after all",
    description="Possible until it is on its way; its units can be returned again.",
    responses=ACTED,
)
async def cancel_return(act: Acting) -> GiftReturnOut:
    return gift_return_out(await act.take(returns.canceling), act.principal)


@router.post(
    "/{return}/ship",
    operation_id="shipGiftReturn",
    summary="Say that the gift was sent",
    description="A carrier's scan says the same by itself; this stops the clock for sending.",
    responses=ACTED,
)
async def ship_return(act: Acting) -> GiftReturnOut:
    return gift_return_out(await act.take(returns.shipping), act.principal)
