"""Complaints over HTTP: opened by the buyer, answered by the shop in a promised time, rated."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from returns_api.api.commands import Command, Commanded, CommandedOn
from returns_api.api.complaint_views import complaint_out
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, paged
from returns_api.api.filters import OfOrder, OfReturn, asked_id, in_state, known_state
from returns_api.api.paths import ComplaintPath
from returns_api.api.resources import Resource
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import path_id
from returns_api.api.schemas.complaints import (
    ComplaintIn,
    ComplaintOut,
    ComplaintsOut,
    ComplaintTextIn,
    RatingIn,
)
from returns_api.db.engine import Transaction
from returns_api.domain.access import Scope
from returns_api.domain.complaints import ComplaintRecord
from returns_api.domain.lifecycle.complaints import COMPLAINT
from returns_api.usecases import complaints

router = APIRouter(prefix="/v1/complaints", tags=["complaints"])

Pages = Annotated[Page, Depends(paged("cpl"))]
InState = Annotated[str | None, in_state(COMPLAINT.states, "escalated")]
Reader = Annotated[Caller, Depends(Allowed(Scope.RETURNS_READ))]
Opening = Annotated[Command, Depends(Commanded(Scope.RETURNS_ACT))]
Acting = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_ACT))]
Handling = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_REVIEW))]
_COMPLAINTS = Resource("complaints", "cpl", complaint_out)
_act = _COMPLAINTS.acts(complaints.act)

_SAID = refusals(*BODY, 404, 409, 412)


@router.post(
    "",
    status_code=201,
    operation_id="openComplaint",
    summary="Complain about an order or a return",
    description=(
        "By the buyer, or by staff for a buyer on the telephone. An answer is promised by the end"
        " of a business day; a promise that passes escalates by itself."
    ),
    response_model=ComplaintOut,
    responses=refusals(*BODY, 404, 409),
)
async def open_complaint(body: ComplaintIn, command: Opening) -> Response:
    async def work(tx: Transaction) -> ComplaintRecord:
        return await complaints.open_complaint(
            tx,
            command.ctx,
            command.principal,
            command.by,
            body.order,
            return_id=body.return_,
            category=body.category,
            text=body.text,
        )

    return await _COMPLAINTS.once(command, work, 201)


@router.get(
    "",
    operation_id="listComplaints",
    summary="List complaints",
    description=(
        "Newest first; of one order or return, or in one state: `escalated` are those whose"
        " promise passed. A buyer sees those of the own order."
    ),
    responses=refusals(),
)
async def list_complaints(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    order: OfOrder = None,
    return_: OfReturn = None,
    state: InState = None,
) -> ComplaintsOut:
    find = partial(
        complaints.list_complaints,
        ctx,
        caller.principal,
        order_id=asked_id("ord", order),
        return_id=asked_id("ret", return_),
        state=known_state(state, COMPLAINT.states),
    )
    items, next_cursor = await _COMPLAINTS.page(find, page, caller)
    return ComplaintsOut(items=items, next_cursor=next_cursor)


@router.get(
    "/{complaint}",
    operation_id="getComplaint",
    summary="Read a complaint",
    description="What was promised, how far it is, how it was answered, and what you may do.",
    responses=refusals(404),
)
async def get_complaint(
    complaint: ComplaintPath, ctx: ContextDep, caller: Reader, response: Response
) -> ComplaintOut:
    found = await complaints.get_complaint(ctx, caller.principal, path_id("cpl", complaint))
    response.headers["ETag"] = etag(found.sequence)
    return complaint_out(found, caller.principal)


@router.post(
    "/{complaint}/progress",
    operation_id="reportComplaintProgress",
    summary="Tell how far it is",
    description="The buyer is told; the promised time stays as it is.",
    response_model=ComplaintOut,
    responses=_SAID,
)
async def report_progress(
    complaint: ComplaintPath, body: ComplaintTextIn, command: Handling
) -> Response:
    return await _act(command, complaint, "progress", body.text)


@router.post(
    "/{complaint}/ask",
    operation_id="askComplaintQuestion",
    summary="Ask the buyer something",
    description="The clock of the promise stands still until the buyer answers.",
    response_model=ComplaintOut,
    responses=_SAID,
)
async def ask_question(
    complaint: ComplaintPath, body: ComplaintTextIn, command: Handling
) -> Response:
    return await _act(command, complaint, "ask", body.text)


@router.post(
    "/{complaint}/answer",
    operation_id="answerComplaintQuestion",
    summary="Answer what the shop asked",
    description="The clock of the promise runs on.",
    response_model=ComplaintOut,
    responses=_SAID,
)
async def answer_question(
    complaint: ComplaintPath, body: ComplaintTextIn, command: Acting
) -> Response:
    return await _act(command, complaint, "answer", body.text)


@router.post(
    "/{complaint}/resolve",
    operation_id="resolveComplaint",
    summary="Answer the complaint",
    description="The buyer is told, and may come back to it for a while; then it closes.",
    response_model=ComplaintOut,
    responses=_SAID,
)
async def resolve(complaint: ComplaintPath, body: ComplaintTextIn, command: Handling) -> Response:
    return await _act(command, complaint, "resolve", body.text)


@router.post(
    "/{complaint}/reopen",
    operation_id="reopenComplaint",
    summary="Come back to an answered complaint",
    description="A new answer is promised.",
    response_model=ComplaintOut,
    responses=_SAID,
)
async def reopen(complaint: ComplaintPath, body: ComplaintTextIn, command: Acting) -> Response:
    return await _act(command, complaint, "reopen", body.text)


@router.post(
    "/{complaint}/rate",
    operation_id="rateComplaint",
    summary="Say how satisfied you are",
    description="Once, after it was answered or closed; it ends the complaint.",
    response_model=ComplaintOut,
    responses=_SAID,
)
async def rate(complaint: ComplaintPath, body: RatingIn, command: Acting) -> Response:
    return await _act(command, complaint, "rate", body.text, score=body.score)


@router.post(
    "/{complaint}/withdraw",
    operation_id="withdrawComplaint",
    summary="Give a complaint up",
    description="Nothing more is promised.",
    response_model=ComplaintOut,
    responses=refusals(404, 409, 412),
)
async def withdraw(complaint: ComplaintPath, command: Acting) -> Response:
    return await _act(command, complaint, "withdraw")
