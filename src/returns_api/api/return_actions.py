"""What is done about a return over HTTP: review, questions, cancelling, sending, the label again.

Opening and reading one is ``returns``; what the warehouse does is ``inspections``.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from returns_api.api.deps import Allowed, Caller, ContextDep
from returns_api.api.paths import ReturnPath
from returns_api.api.responses import refusals
from returns_api.api.return_acts import ACTED, Act, Acts
from returns_api.api.return_views import return_out
from returns_api.api.schemas.base import path_id
from returns_api.api.schemas.return_actions import AnswerIn, InfoIn, RejectIn, ReviewIn
from returns_api.api.schemas.returns import ReturnOut
from returns_api.domain.access import Scope
from returns_api.usecases import returns, shipments

router = APIRouter(prefix="/v1/returns", tags=["returns"])

Reviewer = Annotated[Caller, Depends(Allowed(Scope.RETURNS_REVIEW))]
Reviewing = Annotated[Act, Depends(Acts(Scope.RETURNS_REVIEW))]
Acting = Annotated[Act, Depends(Acts(Scope.RETURNS_ACT))]


@router.post(
    "/{return}/approve",
    operation_id="approveReturn",
    summary="Approve a return or some of its lines",
    description="The label is bought as soon as no line waits for a decision.",
    responses=ACTED,
)
async def approve_return(body: ReviewIn, act: Reviewing) -> ReturnOut:
    return return_out(await act.take(returns.approving(body.lines)), act.principal)


@router.post(
    "/{return}/reject",
    operation_id="rejectReturn",
    summary="Reject a return or some of its lines",
    description="The units of rejected lines can be returned again. The rest keeps its life.",
    responses=ACTED,
)
async def reject_return(body: RejectIn, act: Reviewing) -> ReturnOut:
    plan = returns.rejecting(body.code, body.note, body.lines)
    return return_out(await act.take(plan), act.principal)


@router.post(
    "/{return}/request-info",
    operation_id="requestReturnInfo",
    summary="Ask the buyer",
    description="The review clock stands still until the buyer answers.",
    responses=ACTED,
)
async def request_info(body: InfoIn, act: Reviewing) -> ReturnOut:
    return return_out(await act.take(returns.asking(body.question)), act.principal)


@router.post(
    "/{return}/provide-info",
    operation_id="provideReturnInfo",
    summary="Answer the shop's question",
    description=(
        "The review clock runs on with the time that it stood still given back. Photos go to"
        " `POST /v1/returns/{return}/photos`."
    ),
    responses=ACTED,
)
async def provide_info(body: AnswerIn, act: Acting) -> ReturnOut:
    return return_out(await act.take(returns.answering(body.answer)), act.principal)


@router.post(
    "/{return}/cancel",
    operation_id="cancelReturn",
    summary="Give up a return",
    description="Possible until it is on its way; its units can be returned again.",
    responses=ACTED,
)
async def cancel_return(act: Acting) -> ReturnOut:
    return return_out(await act.take(returns.canceling), act.principal)


@router.post(
    "/{return}/ship",
    operation_id="shipReturn",
    summary="Say that the parcel was sent",
    description="A carrier's scan says the same by itself; this stops the clock for sending.",
    responses=ACTED,
)
async def ship_return(act: Acting) -> ReturnOut:
    return return_out(await act.take(returns.shipping), act.principal)


@router.post(
    "/{return}/retry-label",
    operation_id="retryLabel",
    summary="Try the carrier again",
    description="For a label that the carrier refused, once its cause is mended.",
    responses=refusals(404, 409),
)
async def retry_label(return_: ReturnPath, ctx: ContextDep, caller: Reviewer) -> ReturnOut:
    return_id = path_id("ret", return_)
    await shipments.retry_label(ctx, caller.principal, caller.by, return_id)
    view = await returns.get_return(ctx, caller.principal, return_id)
    return return_out(view, caller.principal)
