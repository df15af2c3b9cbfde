"""Returns over HTTP: open and read, with the decision and the timeline of each.

What is done about one is ``return_actions``.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from returns_api.api.deps import (
    Allowed,
    Caller,
    ContextDep,
    Flag,
    KeyHeader,
    Page,
    etag,
    json_answer,
    keyed,
    paged,
)
from returns_api.api.filters import asked_id, in_state, known_state
from returns_api.api.pages import before, cut
from returns_api.api.paths import ReturnPath
from returns_api.api.responses import BODY, refusals
from returns_api.api.return_views import return_out
from returns_api.api.schemas.base import example_id, id_pattern, path_id
from returns_api.api.schemas.opening import ReturnIn
from returns_api.api.schemas.returns import (
    DecisionOut,
    EventOut,
    ReturnOut,
    ReturnsOut,
    TimelineOut,
)
from returns_api.domain import ids
from returns_api.domain.access import Scope
from returns_api.domain.exchanges import Wanted
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.usecases import opening, returns
from returns_api.usecases.line_extras import LineExtras, Proof

router = APIRouter(prefix="/v1/returns", tags=["returns"])

Pages = Annotated[Page, Depends(paged("ret"))]
InState = Annotated[str | None, in_state(RETURN.states, "requested")]
EventPages = Annotated[Page, Depends(paged("evt"))]
Reader = Annotated[Caller, Depends(Allowed(Scope.RETURNS_READ))]

EXPECTED = ("approved", "in_transit", "received")


@router.post(
    "",
    status_code=201,
    operation_id="openReturn",
    summary="Open a return",
    description=(
        "Accepts a quote: claims its units, decides by the quoted terms, plans the label and tells"
        " every webhook endpoint, all or nothing. The same `Idempotency-Key` gives the same answer."
    ),
    response_model=ReturnOut,
    responses=refusals(*BODY, 404, 409),
)
async def open_return(
    body: ReturnIn,
    request: Request,
    ctx: ContextDep,
    caller: Annotated[Caller, Depends(Allowed(Scope.RETURNS_CREATE))],
    idempotency_key: KeyHeader = None,
) -> Response:
    extras = [
        LineExtras(
            line.line,
            line.note,
            tuple(Proof(proof.kind, proof.photo, proof.url) for proof in line.evidence),
            None if line.wanted is None else Wanted(line.wanted.variant, line.wanted.sku),
        )
        for line in body.lines
    ]
    principal = caller.principal
    return await keyed(
        request,
        ctx,
        caller,
        idempotency_key,
        lambda tx: opening.open_return(tx, ctx, principal, caller.by, body.quote, extras),
        lambda view: json_answer(
            201,
            return_out(view, principal),
            Location=f"/v1/returns/{ids.encode('ret', view.ret.id)}",
            ETag=etag(view.ret.sequence),
        ),
    )


@router.get(
    "",
    operation_id="listReturns",
    summary="List returns",
    description=(
        "Newest first. `expected=true` is the warehouse's list: what is on its way or here to be"
        " graded. A buyer sees the returns of the own order."
    ),
    responses=refusals(),
)
async def list_returns(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    order: Annotated[
        str | None,
        Query(pattern=id_pattern("ord"), examples=[example_id("ord")], description="Of one order."),
    ] = None,
    state: InState = None,
    expected: Annotated[
        Flag, Query(description="Only what the warehouse waits for.", examples=[True])
    ] = False,
    flagged: Annotated[
        Flag,
        Query(
            description="Only what a signal has a person look at; for who may review returns.",
            examples=[True],
        ),
    ] = False,
) -> ReturnsOut:
    state = known_state(state, RETURN.states)
    states = EXPECTED if expected else None if state is None else (state,)
    found = await returns.list_returns(
        ctx,
        caller.principal,
        before=before(page, "ret"),
        limit=page.limit + 1,
        order_id=asked_id("ord", order),
        states=states,
        flagged=flagged,
    )
    shown, next_cursor = cut(found, page, "ret", lambda each: each.ret.id)
    return ReturnsOut(
        items=[return_out(view, caller.principal) for view in shown],
        next_cursor=next_cursor,
    )


@router.get(
    "/{return}",
    operation_id="getReturn",
    summary="Read a return",
    description="Its state, its label, its money, and what you may do next as ready links.",
    responses=refusals(404),
)
async def get_return(
    return_: ReturnPath, ctx: ContextDep, caller: Reader, response: Response
) -> ReturnOut:
    view = await returns.get_return(ctx, caller.principal, path_id("ret", return_))
    response.headers["ETag"] = etag(view.ret.sequence)
    return return_out(view, caller.principal)


@router.get(
    "/{return}/decision",
    operation_id="getDecision",
    summary="Why",
    description=(
        "The decision of each line as it was stored with the quote: every term with its value,"
        " the rule or law that set it, and the facts used."
    ),
    responses=refusals(404),
)
async def get_decision(return_: ReturnPath, ctx: ContextDep, caller: Reader) -> DecisionOut:
    return_id = path_id("ret", return_)
    row = await returns.get_decision(ctx, caller.principal, return_id)
    return DecisionOut(
        return_=return_id,
        policy_version=row["policy_version_id"],
        at=row["at"],
        digest=row["digest"],
        facts=returns.by_public_line(returns.facts_for(caller.principal, row["facts"])),
        lines=returns.by_public_line(row["body"]),
    )


@router.get(
    "/{return}/events",
    operation_id="listReturnEvents",
    summary="The timeline of a return",
    description="Who did what, when and why; oldest first, never changed.",
    responses=refusals(404),
)
async def list_events(
    return_: ReturnPath, ctx: ContextDep, caller: Reader, page: EventPages
) -> TimelineOut:
    found = await returns.timeline(
        ctx, caller.principal, path_id("ret", return_), page.cursor, page.limit + 1
    )
    shown = found[: page.limit]
    return TimelineOut(
        items=[
            EventOut(
                event=ids.encode("evt", row["id"]),
                type=row["type"],
                at=row["at"],
                actor=row["actor"],
                reason=row["reason"],
                sequence=row["sequence"],
                data=row["data"],
            )
            for row in shown
        ],
        next_cursor=ids.encode("evt", shown[-1]["id"]) if len(found) > page.limit else None,
    )
