"""What is done about a return over HTTP: review, questions, cancelling, sending, the label again.

Opening and reading one is ``returns``; what the warehouse does is ``inspections``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from returns_api.api.deps import Allowed, Caller, ContextDep, etag
from returns_api.api.paths import ReturnPath
from returns_api.api.preconditions import IfMatch, seen_version
from returns_api.api.responses import BODY, refusals
from returns_api.api.return_views import return_out
from returns_api.api.schemas.base import path_id
from returns_api.api.schemas.returns import AnswerIn, InfoIn, RejectIn, ReturnOut, ReviewIn
from returns_api.domain.access import Scope
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.returns import Change, ReturnRecord
from returns_api.usecases import returns, shipments
from returns_api.usecases.context import Context

router = APIRouter(prefix="/v1/returns", tags=["returns"])

Reviewer = Annotated[Caller, Depends(Allowed(Scope.RETURNS_REVIEW))]
Acting = Annotated[Caller, Depends(Allowed(Scope.RETURNS_ACT))]
Plan = Callable[[ReturnRecord, Actor, datetime], Change]


async def _act(
    ctx: Context, caller: Caller, text: str, plan: Plan, if_match: str | None, response: Response
) -> ReturnOut:
    view = await returns.act(
        ctx,
        caller.principal,
        caller.by,
        path_id("ret", text),
        plan,
        None if if_match is None else seen_version(if_match),
    )
    response.headers["ETag"] = etag(view.ret.sequence)
    return return_out(view, caller.principal)


_ACTED = refusals(*BODY, 404, 409, 412)


@router.post(
    "/{return}/approve",
    operation_id="approveReturn",
    summary="Approve a return or some of its lines",
    description="The label is bought as soon as no line waits for a decision.",
    responses=_ACTED,
)
async def approve_return(
    return_: ReturnPath,
    body: ReviewIn,
    ctx: ContextDep,
    caller: Reviewer,
    response: Response,
    if_match: IfMatch = None,
) -> ReturnOut:
    return await _act(ctx, caller, return_, returns.approving(body.lines), if_match, response)


@router.post(
    "/{return}/reject",
    operation_id="rejectReturn",
    summary="Reject a return or some of its lines",
    description="The units of rejected lines can be returned again. The rest keeps its life.",
    responses=_ACTED,
)
async def reject_return(
    return_: ReturnPath,
    body: RejectIn,
    ctx: ContextDep,
    caller: Reviewer,
    response: Response,
    if_match: IfMatch = None,
) -> ReturnOut:
    plan = returns.rejecting(body.code, body.note, body.lines)
    return await _act(ctx, caller, return_, plan, if_match, response)


@router.post(
    "/{return}/request-info",
    operation_id="requestReturnInfo",
    summary="Ask the buyer",
    description="The review clock stands still until the buyer answers.",
    responses=_ACTED,
)
async def request_info(
    return_: ReturnPath,
    body: InfoIn,
    ctx: ContextDep,
    caller: Reviewer,
    response: Response,
    if_match: IfMatch = None,
) -> ReturnOut:
    return await _act(ctx, caller, return_, returns.asking(body.question), if_match, response)


@router.post(
    "/{return}/provide-info",
    operation_id="provideReturnInfo",
    summary="Answer the shop's question",
    description=(
        "The review clock runs on with the time that it stood still given back. Photos go to"
        " `POST /v1/returns/{return}/photos`."
    ),
    responses=_ACTED,
)
async def provide_info(
    return_: ReturnPath,
    body: AnswerIn,
    ctx: ContextDep,
    caller: Acting,
    response: Response,
    if_match: IfMatch = None,
) -> ReturnOut:
    return await _act(ctx, caller, return_, returns.answering(body.answer), if_match, response)


@router.post(
    "/{return}/cancel",
    operation_id="cancelReturn",
    summary="Give up a return",
    description="Possible until it is on its way; its units can be returned again.",
    responses=_ACTED,
)
async def cancel_return(
    return_: ReturnPath,
    ctx: ContextDep,
    caller: Acting,
    response: Response,
    if_match: IfMatch = None,
) -> ReturnOut:
    return await _act(ctx, caller, return_, returns.canceling, if_match, response)


@router.post(
    "/{return}/ship",
    operation_id="shipReturn",
    summary="Say that the parcel was sent",
    description="A carrier's scan says the same by itself; this stops the clock for sending.",
    responses=_ACTED,
)
async def ship_return(
    return_: ReturnPath,
    ctx: ContextDep,
    caller: Acting,
    response: Response,
    if_match: IfMatch = None,
) -> ReturnOut:
    return await _act(ctx, caller, return_, returns.shipping, if_match, response)


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
