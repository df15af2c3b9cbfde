"""Recoveries over HTTP: what has to come back of money that went out before the goods were seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from returns_api.api.commands import Command, CommandedOn
from returns_api.api.deps import (
    Allowed,
    Caller,
    ContextDep,
    Page,
    etag,
    json_answer,
    paged,
)
from returns_api.api.filters import OfOrder, OfReturn, asked_id, in_state, known_state
from returns_api.api.pages import before, cut
from returns_api.api.recovery_views import recovery_out
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.recoveries import (
    AdvanceRecoveryOut,
    RecoveriesOut,
    RecoveryApprovalIn,
    RecoveryDebitIn,
    RecoveryGivingUpIn,
    RecoveryPaymentIn,
    RecoveryRequestIn,
)
from returns_api.db.engine import Transaction
from returns_api.domain.access import Scope
from returns_api.domain.lifecycle.advances import RECOVERY
from returns_api.usecases import recoveries, recovery_decisions
from returns_api.usecases._acting import Acting
from returns_api.usecases._recovery_views import RecoveryView

router = APIRouter(prefix="/v1/recoveries", tags=["recoveries"])

Pages = Annotated[Page, Depends(paged("rcv"))]
InState = Annotated[str | None, in_state(RECOVERY.states, "open")]
RecoveryPath = Annotated[str, Path(examples=[example_id("rcv")], max_length=100)]
Reader = Annotated[Caller, Depends(Allowed(Scope.REFUNDS_READ))]
Manager = Annotated[Command, Depends(CommandedOn(Scope.REFUNDS_MANAGE))]
Work = Callable[[Transaction, Acting], Awaitable[RecoveryView]]
_ACTED = refusals(*BODY, 404, 409, 412)


@router.get(
    "",
    operation_id="listRecoveries",
    summary="List recoveries",
    description=(
        "Newest first; of one order, one return or in one state. A buyer sees those of the own"
        " order."
    ),
    responses=refusals(),
)
async def list_recoveries(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    order: OfOrder = None,
    return_: OfReturn = None,
    state: InState = None,
) -> RecoveriesOut:
    state = known_state(state, RECOVERY.states)
    found = await recoveries.list_recoveries(
        ctx,
        caller.principal,
        before=before(page, "rcv"),
        limit=page.limit + 1,
        order_id=asked_id("ord", order),
        return_id=asked_id("ret", return_),
        state=state,
    )
    shown, next_cursor = cut(found, page, "rcv", lambda each: each.recovery.id)
    return RecoveriesOut(
        items=[recovery_out(view, caller.principal) for view in shown],
        next_cursor=next_cursor,
    )


@router.get(
    "/{recovery}",
    operation_id="getRecovery",
    summary="Read a recovery",
    description="What is open of it, everything that was done about it, and what may be done next.",
    responses=refusals(404),
)
async def get_recovery(
    recovery: RecoveryPath, ctx: ContextDep, caller: Reader, response: Response
) -> AdvanceRecoveryOut:
    view = await recoveries.get_recovery(ctx, caller.principal, path_id("rcv", recovery))
    response.headers["ETag"] = etag(view.recovery.sequence)
    return recovery_out(view, caller.principal)


@router.post(
    "/{recovery}/request",
    operation_id="requestRecovery",
    summary="Ask the buyer to pay it back",
    description=(
        "`recovery.requested` tells your systems the amount and the day; they charge the buyer, for"
        " example by a payment link, and answer with `payments`. After that day it is `open` again"
        " and `recovery.unpaid` says so."
    ),
    response_model=AdvanceRecoveryOut,
    responses=_ACTED,
)
async def request_recovery(
    recovery: RecoveryPath,
    body: RecoveryRequestIn,
    command: Manager,
) -> Response:
    within = timedelta(days=body.pay_within_days)

    async def work(tx: Transaction, who: Acting) -> RecoveryView:
        return await recoveries.request_recovery(tx, command.ctx, who, within)

    return await _act(command, recovery, work)


@router.post(
    "/{recovery}/payments",
    operation_id="recordRecoveryPayment",
    summary="Tell that the buyer paid",
    description=(
        "All that is open, or a part. The reference is the evidence and counts once for the whole"
        " shop; the recovery is `paid` with its last open minor unit."
    ),
    response_model=AdvanceRecoveryOut,
    responses=_ACTED,
)
async def record_recovery_payment(
    recovery: RecoveryPath,
    body: RecoveryPaymentIn,
    command: Manager,
) -> Response:
    async def work(tx: Transaction, who: Acting) -> RecoveryView:
        return await recoveries.record_payment(
            tx, command.ctx, who, body.amount, body.reference, body.note
        )

    return await _act(command, recovery, work)


@router.post(
    "/{recovery}/debits",
    operation_id="debitRecovery",
    summary="Take it from the buyer's store credit",
    description=(
        "The amount that you name, or as much as the credit has; what is left of the recovery stays"
        " open. The account must be one of this order's buyer, in the same currency."
    ),
    response_model=AdvanceRecoveryOut,
    responses=_ACTED,
)
async def debit_recovery(
    recovery: RecoveryPath,
    body: RecoveryDebitIn,
    command: Manager,
) -> Response:
    async def work(tx: Transaction, who: Acting) -> RecoveryView:
        return await recoveries.debit_credit(tx, command.ctx, who, body.store_credit, body.amount)

    return await _act(command, recovery, work)


@router.post(
    "/{recovery}/write-off",
    operation_id="writeOffRecovery",
    summary="Write off what nobody will pay",
    description=(
        "All that is open, or a part. Above `refund_limits.write_off_above` of the shop it waits in"
        " `to_approve` until a second person agrees."
    ),
    response_model=AdvanceRecoveryOut,
    responses=_ACTED,
)
async def write_off_recovery(
    recovery: RecoveryPath,
    body: RecoveryGivingUpIn,
    command: Manager,
) -> Response:
    async def work(tx: Transaction, who: Acting) -> RecoveryView:
        return await recovery_decisions.give_up(
            tx, command.ctx, who, "write_off", body.amount, body.note
        )

    return await _act(command, recovery, work)


@router.post(
    "/{recovery}/waive",
    operation_id="waiveRecovery",
    summary="Let the buyer keep it",
    description="Like `write-off`, but as a present: it stands under goodwill in the books.",
    response_model=AdvanceRecoveryOut,
    responses=_ACTED,
)
async def waive_recovery(
    recovery: RecoveryPath,
    body: RecoveryGivingUpIn,
    command: Manager,
) -> Response:
    async def work(tx: Transaction, who: Acting) -> RecoveryView:
        return await recovery_decisions.give_up(
            tx, command.ctx, who, "waive", body.amount, body.note
        )

    return await _act(command, recovery, work)


@router.post(
    "/{recovery}/approve",
    operation_id="approveRecovery",
    summary="Agree to giving it up, as the second person",
    description=(
        "Holds for the action and the amount that `binding` stands for and for nothing else;"
        " whoever asked is refused."
    ),
    response_model=AdvanceRecoveryOut,
    responses=_ACTED,
)
async def approve_recovery(
    recovery: RecoveryPath,
    body: RecoveryApprovalIn,
    command: Manager,
) -> Response:
    async def work(tx: Transaction, who: Acting) -> RecoveryView:
        return await recovery_decisions.approve_giving_up(tx, command.ctx, who, body.binding)

    return await _act(command, recovery, work)


@router.post(
    "/{recovery}/decline",
    operation_id="declineRecovery",
    summary="Do not agree to giving it up",
    description="What was to be given up stays open.",
    response_model=AdvanceRecoveryOut,
    responses=refusals(404, 409, 412),
)
async def decline_recovery(
    recovery: RecoveryPath,
    command: Manager,
) -> Response:
    async def work(tx: Transaction, who: Acting) -> RecoveryView:
        return await recovery_decisions.decline_giving_up(tx, command.ctx, who)

    return await _act(command, recovery, work)


async def _act(command: Command, recovery: str, work: Work) -> Response:
    """One keyed action; with ``If-Match``, only on the version that the caller read."""
    principal = command.principal
    who = command.acting("rcv", recovery)
    return await command.once(
        lambda tx: work(tx, who),
        lambda view: json_answer(
            200, recovery_out(view, principal), ETag=etag(view.recovery.sequence)
        ),
    )
