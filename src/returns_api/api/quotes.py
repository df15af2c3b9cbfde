"""What can go back, and the binding offer for it, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from returns_api.api.deps import Allowed, Caller, ContextDep
from returns_api.api.paths import OrderPath
from returns_api.api.quote_views import quote_out
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.quotes import FreightOut, QuoteIn, QuoteOut
from returns_api.api.schemas.returnable import ReasonOut, ReturnableLineOut, ReturnableOut
from returns_api.domain.access import Scope
from returns_api.domain.order_facts import AskedLine
from returns_api.domain.policy import decision_to_json
from returns_api.usecases import quotes
from returns_api.usecases.quotes import ReturnableLine, ReturnableReason

router = APIRouter(tags=["quotes"])

QuotePath = Annotated[str, Path(examples=[example_id("qt")], max_length=100)]


@router.get(
    "/v1/orders/{order}/returnable",
    operation_id="listReturnable",
    summary="What can go back, and why not",
    description=(
        "Each goods line with what is left of it and, for every reason, whether it may come back,"
        " until when, who pays the way and what would turn a refusal. Name `reason` to ask about"
        " some reasons only."
    ),
    responses=refusals(404, 409),
)
async def list_returnable(
    order: OrderPath,
    ctx: ContextDep,
    caller: Annotated[Caller, Depends(Allowed(Scope.ORDERS_READ))],
    reason: Annotated[
        list[Annotated[str, Query(max_length=64)]] | None,
        Query(
            max_length=50,
            description="Codes of reasons to judge; all when left out.",
            examples=[["size_too_small"]],
        ),
    ] = None,
) -> ReturnableOut:
    found = await quotes.list_returnable(ctx, caller.principal, path_id("ord", order), reason)
    return ReturnableOut(
        order=found.order.id,
        number=found.order.number,
        currency=found.order.currency,
        policy_version=found.policy_version_id,
        lines=[_line(line) for line in found.lines],
    )


def _line(line: ReturnableLine) -> ReturnableLineOut:
    return ReturnableLineOut(
        line=line.line.id,
        title=line.line.title,
        delivered=line.delivered,
        open=line.line.claimed,
        returned_elsewhere=line.line.outside_returned,
        left=line.left,
        reasons=[_reason(reason) for reason in line.reasons],
    )


def _reason(judged: ReturnableReason) -> ReasonOut:
    decision = judged.decision
    data = decision_to_json(decision)
    first = decision.resolutions[0] if decision.resolutions else None
    return ReasonOut(
        reason=judged.reason.code,
        eligible=decision.eligible,
        until=None if first is None else first.until,
        until_local=None if first is None else first.until_local,
        resolutions=[r.kind.value for r in decision.resolutions],
        methods=[m.kind.value for m in decision.methods],
        freight=FreightOut(payer=decision.freight.payer.value, fee=decision.freight.fee_minor),
        evidence=data["evidence"],
        because=[dict(because) for because in judged.because],
        flips_if=[dict(flip) for flip in judged.flips_if],
    )


@router.post(
    "/v1/quotes",
    status_code=201,
    operation_id="createQuote",
    summary="Get a binding quote",
    description=(
        "Decides every line by the policy in force when the order was placed, and prices the"
        " return. The offer is binding until `expires_at`; a fee that is not in it is never"
        " charged. A quote reserves nothing: units are claimed when the return is opened."
    ),
    responses=refusals(*BODY, 404, 409),
)
async def create_quote(
    body: QuoteIn,
    ctx: ContextDep,
    caller: Annotated[Caller, Depends(Allowed(Scope.QUOTES_CREATE))],
    response: Response,
) -> QuoteOut:
    quote = await quotes.make_quote(
        ctx,
        caller.principal,
        body.order,
        [AskedLine(x.line, x.quantity, x.reason, x.condition) for x in body.lines],
        resolution=body.resolution,
        method=body.method,
    )
    shown = quote_out(quote, caller.principal, ctx.clock())
    response.headers["Location"] = f"/v1/quotes/{shown.model_dump()['quote']}"
    return shown


@router.get(
    "/v1/quotes/{quote}",
    operation_id="getQuote",
    summary="Read a quote",
    description="The offer as it was made; `return` names the return that accepted it. `actions`"
    " say whether you can still accept it, and until when.",
    responses=refusals(404),
)
async def get_quote(
    quote: QuotePath,
    ctx: ContextDep,
    caller: Annotated[Caller, Depends(Allowed(Scope.QUOTES_CREATE))],
) -> QuoteOut:
    found = await quotes.get_quote(ctx, caller.principal, path_id("qt", quote))
    return quote_out(found, caller.principal, ctx.clock())
