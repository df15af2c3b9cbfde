"""Disputes over HTTP: opened by the buyer, answered by the merchant, ruled by the platform."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api.commands import Command, Commanded, CommandedOn
from returns_api.api.deps import (
    Allowed,
    Caller,
    ContextDep,
    Page,
    etag,
    paged,
)
from returns_api.api.dispute_views import dispute_out
from returns_api.api.filters import OfReturn, asked_id, in_state, known_state
from returns_api.api.paths import ReturnPath
from returns_api.api.resources import Resource
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.disputes import (
    DisputeIn,
    DisputeOut,
    DisputesOut,
    RulingIn,
    StatementIn,
)
from returns_api.db.engine import Transaction
from returns_api.domain.access import Scope
from returns_api.domain.disputes import DisputeRecord
from returns_api.domain.lifecycle.disputes import DISPUTE
from returns_api.usecases import disputes

router = APIRouter(prefix="/v1", tags=["disputes"])

Pages = Annotated[Page, Depends(paged("dsp"))]
InState = Annotated[str | None, in_state(DISPUTE.states, "review")]
DisputePath = Annotated[str, Path(examples=[example_id("dsp")], max_length=100)]
Reader = Annotated[Caller, Depends(Allowed(Scope.REFUNDS_READ))]
Opening = Annotated[Command, Depends(Commanded(Scope.RETURNS_ACT))]
Acting = Annotated[Command, Depends(CommandedOn(Scope.RETURNS_ACT))]
Arbiter = Annotated[Command, Depends(CommandedOn(Scope.DISPUTES_RULE))]
_DISPUTES = Resource("disputes", "dsp", dispute_out)

_MADE = refusals(*BODY, 404, 409, 412)
_MOVED = refusals(404, 409, 412)


@router.post(
    "/returns/{return}/disputes",
    status_code=201,
    operation_id="openDispute",
    summary="Contest a rejection or a settlement",
    description=(
        "Once for a return, while its `dispute_window` is open. Both sides then put evidence"
        " forward, and the platform rules. No money moves before a ruling is final."
    ),
    response_model=DisputeOut,
    responses=refusals(*BODY, 404, 409),
)
async def open_dispute(
    return_: ReturnPath,
    body: DisputeIn,
    command: Opening,
) -> Response:
    return_id = path_id("ret", return_)

    async def work(tx: Transaction) -> DisputeRecord:
        return await disputes.open_dispute(
            tx,
            command.ctx,
            command.principal,
            command.by,
            return_id,
            claimed_minor=body.claim,
            statement=body.statement,
        )

    return await _DISPUTES.once(command, work, 201)


@router.get(
    "/disputes",
    operation_id="listDisputes",
    summary="List disputes",
    description="Newest first; of one return or in one state. A buyer sees those of the own order.",
    responses=refusals(),
)
async def list_disputes(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    return_: OfReturn = None,
    state: InState = None,
) -> DisputesOut:
    state = known_state(state, DISPUTE.states)
    find = partial(
        disputes.list_disputes,
        ctx,
        caller.principal,
        return_id=asked_id("ret", return_),
        states=None if state is None else [state],
    )
    items, next_cursor = await _DISPUTES.page(find, page, caller)
    return DisputesOut(items=items, next_cursor=next_cursor)


@router.get(
    "/disputes/{dispute}",
    operation_id="getDispute",
    summary="Read a dispute",
    description="What is claimed, what both sides said, how it was ruled, and what you may do.",
    responses=refusals(404),
)
async def get_dispute(
    dispute: DisputePath, ctx: ContextDep, caller: Reader, response: Response
) -> DisputeOut:
    found = await disputes.get_dispute(ctx, caller.principal, path_id("dsp", dispute))
    response.headers["ETag"] = etag(found.sequence)
    return dispute_out(found, caller.principal)


@router.post(
    "/disputes/{dispute}/evidence",
    operation_id="addDisputeEvidence",
    summary="Put evidence forward",
    description="For the own side; never changed afterwards.",
    response_model=DisputeOut,
    responses=_MADE,
)
async def add_evidence(
    dispute: DisputePath,
    body: StatementIn,
    command: Acting,
) -> Response:
    dispute_id, seen = path_id("dsp", dispute), command.seen

    async def work(tx: Transaction) -> DisputeRecord:
        return await disputes.add_evidence(
            tx, command.ctx, command.principal, command.by, dispute_id, body.statement, seen
        )

    return await _DISPUTES.once(command, work)


@router.post(
    "/disputes/{dispute}/appeal",
    operation_id="appealRuling",
    summary="Ask for a second ruling",
    description="Either side, once, while the `appeal` deadline runs. Somebody else rules on it.",
    response_model=DisputeOut,
    responses=_MADE,
)
async def appeal(
    dispute: DisputePath,
    body: StatementIn,
    command: Acting,
) -> Response:
    dispute_id, seen = path_id("dsp", dispute), command.seen

    async def work(tx: Transaction) -> DisputeRecord:
        return await disputes.appeal(
            tx, command.ctx, command.principal, command.by, dispute_id, body.statement, seen
        )

    return await _DISPUTES.once(command, work)


@router.post(
    "/disputes/{dispute}/rule",
    operation_id="ruleDispute",
    summary="Rule, as the platform",
    description=(
        "The first ruling becomes final when nobody appeals in time; the one on an appeal is final"
        " at once. What a final ruling awards is refunded once."
    ),
    response_model=DisputeOut,
    responses=_MADE,
)
async def rule(
    dispute: DisputePath,
    body: RulingIn,
    command: Arbiter,
) -> Response:
    dispute_id, seen = path_id("dsp", dispute), command.seen

    async def work(tx: Transaction) -> DisputeRecord:
        return await disputes.rule(
            tx,
            command.ctx,
            command.principal,
            command.by,
            dispute_id,
            award_minor=body.award,
            reason=body.reason,
            seen=seen,
        )

    return await _DISPUTES.once(command, work)


@router.post(
    "/disputes/{dispute}/begin-review",
    operation_id="beginDisputeReview",
    summary="Close the evidence early, as the platform",
    description="Once both sides were heard; otherwise the evidence closes with its deadline.",
    response_model=DisputeOut,
    responses=_MOVED,
)
async def begin_review(
    dispute: DisputePath,
    command: Arbiter,
) -> Response:
    return await _act(dispute, "begin_review", command)


@router.post(
    "/disputes/{dispute}/withdraw",
    operation_id="withdrawDispute",
    summary="Give a dispute up",
    description="What the merchant decided stands; it cannot be disputed again.",
    response_model=DisputeOut,
    responses=_MOVED,
)
async def withdraw(
    dispute: DisputePath,
    command: Acting,
) -> Response:
    return await _act(dispute, "withdraw", command)


async def _act(dispute: str, action: str, command: Command) -> Response:
    dispute_id, seen = path_id("dsp", dispute), command.seen

    async def work(tx: Transaction) -> DisputeRecord:
        return await disputes.act(
            tx, command.ctx, command.principal, command.by, dispute_id, action, seen
        )

    return await _DISPUTES.once(command, work)
