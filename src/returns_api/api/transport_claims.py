"""Transport claims over HTTP: what carriers and insurers owe the shop. Buyers do not see them."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api.claim_views import claim_out
from returns_api.api.commands import Command, Commanded, CommandedOn
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, paged
from returns_api.api.filters import OfReturn, asked_id, in_state, known_state
from returns_api.api.paths import ReturnPath
from returns_api.api.resources import Resource
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.transport_claims import (
    AcceptIn,
    ClaimIn,
    PaidIn,
    RejectIn,
    SubmitIn,
    TransportClaimOut,
    TransportClaimsOut,
)
from returns_api.db.engine import Transaction
from returns_api.domain.access import Scope
from returns_api.domain.lifecycle.transport_claims import TRANSPORT_CLAIM
from returns_api.domain.transport_claims import ClaimRecord
from returns_api.usecases import transport_claims

router = APIRouter(prefix="/v1", tags=["transport claims"])

Pages = Annotated[Page, Depends(paged("clm"))]
InState = Annotated[str | None, in_state(TRANSPORT_CLAIM.states, "opened")]
ClaimPath = Annotated[str, Path(examples=[example_id("clm")], max_length=100)]
Reader = Annotated[Caller, Depends(Allowed(Scope.REFUNDS_CREATE))]
Claiming = Annotated[Command, Depends(Commanded(Scope.REFUNDS_CREATE))]
Handling = Annotated[Command, Depends(CommandedOn(Scope.REFUNDS_CREATE))]
Settling = Annotated[Command, Depends(CommandedOn(Scope.REFUNDS_MANAGE))]
_CLAIMS = Resource("transport-claims", "clm", claim_out)
_act = _CLAIMS.acts(transport_claims.act)

_MOVED = refusals(*BODY, 404, 409, 412)


@router.post(
    "/returns/{return}/transport-claims",
    status_code=201,
    operation_id="openTransportClaim",
    summary="Claim a parcel of the carrier",
    description=(
        "For a parcel that stalled or was damaged; one that the carrier reports lost is claimed by"
        " itself, and so is insured return freight. A return has at most one claim of the carrier."
    ),
    response_model=TransportClaimOut,
    responses=refusals(*BODY, 404, 409),
)
async def open_claim(return_: ReturnPath, body: ClaimIn, command: Claiming) -> Response:
    return_id = path_id("ret", return_)

    async def work(tx: Transaction) -> ClaimRecord:
        return await transport_claims.claim_parcel(
            tx,
            command.ctx,
            command.principal,
            command.by,
            return_id,
            cause=body.cause,
            amount_minor=body.amount,
            note=body.note,
        )

    return await _CLAIMS.once(command, work, 201)


@router.get(
    "/transport-claims",
    operation_id="listTransportClaims",
    summary="List transport claims",
    description="Newest first; of one return, or in one state.",
    responses=refusals(),
)
async def list_claims(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    return_: OfReturn = None,
    state: InState = None,
) -> TransportClaimsOut:
    find = partial(
        transport_claims.list_claims,
        ctx,
        caller.principal,
        return_id=asked_id("ret", return_),
        state=known_state(state, TRANSPORT_CLAIM.states),
    )
    items, next_cursor = await _CLAIMS.page(find, page, caller)
    return TransportClaimsOut(items=items, next_cursor=next_cursor)


@router.get(
    "/transport-claims/{claim}",
    operation_id="getTransportClaim",
    summary="Read a transport claim",
    description="What is claimed of whom, what they owe, and what is to be done.",
    responses=refusals(404),
)
async def get_claim(
    claim: ClaimPath, ctx: ContextDep, caller: Reader, response: Response
) -> TransportClaimOut:
    found = await transport_claims.get_claim(ctx, caller.principal, path_id("clm", claim))
    response.headers["ETag"] = etag(found.sequence)
    return claim_out(found, caller.principal)


@router.post(
    "/transport-claims/{claim}/submit",
    operation_id="submitTransportClaim",
    summary="Say that it was handed in",
    description="With the number that the carrier or the insurer gave it.",
    response_model=TransportClaimOut,
    responses=_MOVED,
)
async def submit_claim(claim: ClaimPath, body: SubmitIn, command: Handling) -> Response:
    return await _act(command, claim, "submit", reference=body.reference)


@router.post(
    "/transport-claims/{claim}/withdraw",
    operation_id="withdrawTransportClaim",
    summary="Give it up",
    description="Before they answered. A parcel that shows up does the same by itself.",
    response_model=TransportClaimOut,
    responses=refusals(404, 409, 412),
)
async def withdraw_claim(claim: ClaimPath, command: Handling) -> Response:
    return await _act(command, claim, "withdraw")


@router.post(
    "/transport-claims/{claim}/accept",
    operation_id="acceptTransportClaim",
    summary="Record that they owe it",
    description=(
        "The amount stands in the books from now on, on the account `carrier` or `insurer`. What an"
        " insurer owes for return freight is refunded to the buyer in the same transaction."
    ),
    response_model=TransportClaimOut,
    responses=_MOVED,
)
async def accept_claim(claim: ClaimPath, body: AcceptIn, command: Settling) -> Response:
    who = command.acting("clm", claim)

    async def work(tx: Transaction) -> ClaimRecord:
        return await transport_claims.accept(tx, command.ctx, who, body.amount)

    return await _CLAIMS.once(command, work)


@router.post(
    "/transport-claims/{claim}/reject",
    operation_id="rejectTransportClaim",
    summary="Record that they refuse",
    description="Also after they had accepted it: the books take the amount back.",
    response_model=TransportClaimOut,
    responses=_MOVED,
)
async def reject_claim(claim: ClaimPath, body: RejectIn, command: Settling) -> Response:
    return await _act(command, claim, "reject", note=body.note)


@router.post(
    "/transport-claims/{claim}/pay",
    operation_id="payTransportClaim",
    summary="Record that they paid",
    description="With the evidence of the payment; the amount is what they had accepted.",
    response_model=TransportClaimOut,
    responses=_MOVED,
)
async def pay_claim(claim: ClaimPath, body: PaidIn, command: Settling) -> Response:
    return await _act(command, claim, "pay", payment_reference=body.reference)
