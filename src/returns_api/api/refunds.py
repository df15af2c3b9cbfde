"""Refunds over HTTP: create, read, approve, retry, cancel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from returns_api.api.deps import (
    Allowed,
    Caller,
    ContextDep,
    Flag,
    KeyHeader,
    Page,
    json_answer,
    keyed,
    paged,
)
from returns_api.api.filters import OfOrder, OfReturn, asked_id, in_state, known_state
from returns_api.api.pages import before, cut
from returns_api.api.refund_views import refund_out
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.refunds import ApprovalIn, RefundIn, RefundOut, RefundsOut
from returns_api.domain import ids
from returns_api.domain.access import Scope
from returns_api.domain.lifecycle.refunds import REFUND_STATES
from returns_api.usecases import refund_decisions, refunds
from returns_api.usecases.refunds import RefundWish

router = APIRouter(prefix="/v1/refunds", tags=["refunds"])

Pages = Annotated[Page, Depends(paged("ref"))]
InState = Annotated[str | None, in_state(REFUND_STATES, "needs_review")]
RefundPath = Annotated[str, Path(examples=[example_id("ref")], max_length=100)]
Reader = Annotated[Caller, Depends(Allowed(Scope.REFUNDS_READ))]
Manager = Annotated[Caller, Depends(Allowed(Scope.REFUNDS_MANAGE))]


@router.post(
    "",
    status_code=202,
    operation_id="createRefund",
    summary="Refund an amount",
    description=(
        "`202` means durably recorded and reserved on the order's payments, in their order; a"
        " worker sends it. `succeeded` comes only from the provider's evidence. Above what the"
        " caller may pay out alone (`refund_limits` of the shop) the refund waits in `requested`"
        " until a second person approves it."
    ),
    response_model=RefundOut,
    responses=refusals(*BODY, 404, 409),
)
async def create_refund(
    body: RefundIn,
    request: Request,
    ctx: ContextDep,
    caller: Annotated[Caller, Depends(Allowed(Scope.REFUNDS_CREATE))],
    idempotency_key: KeyHeader = None,
) -> Response:
    principal = caller.principal
    wish = RefundWish(
        kind=body.kind,
        amount_minor=body.amount,
        expected_refundable=body.expected_refundable,
        client_reference=body.client_reference,
        reason=body.reason,
        to=body.to,
        buyer_agreed=body.buyer_agreed,
    )
    return await keyed(
        request,
        ctx,
        caller,
        idempotency_key,
        lambda tx: refunds.create_refund(tx, ctx, caller.by, body.order, wish),
        lambda view: json_answer(
            202,
            refund_out(view, principal),
            Location=f"/v1/refunds/{ids.encode('ref', view.refund['id'])}",
        ),
    )


@router.get(
    "",
    operation_id="listRefunds",
    summary="List refunds",
    description=(
        "Newest first; of one order, one return or in one state. `overdue=true` lists what should"
        " have been paid by now and is not."
    ),
    responses=refusals(),
)
async def list_refunds(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    order: OfOrder = None,
    return_: OfReturn = None,
    state: InState = None,
    overdue: Annotated[Flag, Query(description="Only overdue ones.", examples=[True])] = False,
) -> RefundsOut:
    state = known_state(state, REFUND_STATES)
    found = await refunds.list_refunds(
        ctx,
        caller.principal,
        before=before(page, "ref"),
        limit=page.limit + 1,
        order_id=asked_id("ord", order),
        return_id=asked_id("ret", return_),
        state=state,
        overdue=overdue,
    )
    shown, next_cursor = cut(found, page, "ref", lambda each: each.refund["id"])
    return RefundsOut(
        items=[refund_out(view, caller.principal) for view in shown],
        next_cursor=next_cursor,
    )


@router.get(
    "/{refund}",
    operation_id="getRefund",
    summary="Read a refund",
    description="Its state and every movement of money behind it.",
    responses=refusals(404),
)
async def get_refund(refund: RefundPath, ctx: ContextDep, caller: Reader) -> RefundOut:
    view = await refunds.get_refund(ctx, caller.principal, path_id("ref", refund))
    return refund_out(view, caller.principal)


@router.post(
    "/{refund}/approve",
    operation_id="approveRefund",
    summary="Approve a refund as the second person",
    description=(
        "Sets free what waits. The approval holds for the amount, the currency and the"
        " destinations that `binding` stands for and for nothing else; whoever asked for the"
        " refund is refused. To turn it down, cancel it."
    ),
    response_model=RefundOut,
    responses=refusals(*BODY, 404, 409),
)
async def approve_refund(
    refund: RefundPath,
    body: ApprovalIn,
    request: Request,
    ctx: ContextDep,
    caller: Manager,
    idempotency_key: KeyHeader = None,
) -> Response:
    principal, refund_id = caller.principal, path_id("ref", refund)
    return await keyed(
        request,
        ctx,
        caller,
        idempotency_key,
        lambda tx: refund_decisions.approve_refund(
            tx, ctx, principal, caller.by, refund_id, body.binding
        ),
        lambda view: json_answer(200, refund_out(view, principal)),
    )


@router.post(
    "/{refund}/retry",
    operation_id="retryRefund",
    summary="Take up what is stuck, send anew what did not arrive",
    description=(
        "What waits for a person is taken up: looked up at the provider first if it was ever sent,"
        " never sent blindly. What failed, was reversed or was not covered goes out as new"
        " transfers, as far as the order's payments have something left."
    ),
    responses=refusals(404, 409),
)
async def retry_refund(refund: RefundPath, ctx: ContextDep, caller: Manager) -> RefundOut:
    view = await refund_decisions.retry_refund(
        ctx, caller.principal, caller.by, path_id("ref", refund)
    )
    return refund_out(view, caller.principal)


@router.post(
    "/{refund}/cancel",
    operation_id="cancelRefund",
    summary="Give up what was never sent and what did not arrive",
    description=(
        "Reserved amounts become refundable again, and what no payment covers is no longer due."
        " Refused while money may be on its way. What arrived stays: a refund of which a part"
        " arrived ends as `partially_succeeded`, else as `canceled`; the return ends with it."
    ),
    responses=refusals(404, 409),
)
async def cancel_refund(refund: RefundPath, ctx: ContextDep, caller: Manager) -> RefundOut:
    view = await refund_decisions.cancel_refund(
        ctx, caller.principal, caller.by, path_id("ref", refund)
    )
    return refund_out(view, caller.principal)
