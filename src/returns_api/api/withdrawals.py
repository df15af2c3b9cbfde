"""The online withdrawal function over HTTP (Directive 2011/83/EU, article 11a)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from returns_api.api.actions import withdrawal_actions
from returns_api.api.commands import Command, Commanded
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, json_answer, paged
from returns_api.api.pages import before, cut
from returns_api.api.paths import OrderPath
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.withdrawals import (
    AcknowledgementOut,
    WithdrawalIn,
    WithdrawalOut,
    WithdrawalsOut,
    WithdrawnLineOut,
)
from returns_api.api.views import action_out
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.access import Principal, Scope
from returns_api.domain.withdrawals import WithdrawnLine
from returns_api.usecases import withdrawals
from returns_api.usecases.withdrawals import WithdrawalView

router = APIRouter(prefix="/v1", tags=["withdrawals"])

Pages = Annotated[Page, Depends(paged("wdr"))]
WithdrawalPath = Annotated[str, Path(examples=[example_id("wdr")], max_length=100)]
Reader = Annotated[Caller, Depends(Allowed(Scope.RETURNS_READ))]
Withdrawing = Annotated[Command, Depends(Commanded(Scope.RETURNS_CREATE))]
Work = Callable[[Transaction], Awaitable[WithdrawalView]]


class WithdrawalState(StrEnum):
    """``unopened`` needs a person: the withdrawal stands, no return could be opened."""

    SUBMITTED = "submitted"
    CONFIRMED = "confirmed"
    OPENED = "opened"
    UNOPENED = "unopened"


async def _once(command: Command, status: int, work: Work) -> Response:
    return await command.once(
        work,
        lambda view: json_answer(
            status,
            _withdrawal(view, command.principal),
            Location=f"/v1/withdrawals/{ids.encode('wdr', view.row['id'])}",
            ETag=etag(view.row["sequence"]),
        ),
    )


@router.post(
    "/orders/{order}/withdrawals",
    status_code=201,
    operation_id="submitWithdrawal",
    summary="Withdraw from the contract: the statement",
    description=(
        "The first of two steps (`withdraw from contract here`). A guest opens a buyer session by"
        " order number and e-mail address before. Nothing follows until it is confirmed."
    ),
    response_model=WithdrawalOut,
    responses=refusals(*BODY, 404, 409),
)
async def submit_withdrawal(order: OrderPath, body: WithdrawalIn, command: Withdrawing) -> Response:
    order_id = path_id("ord", order)
    lines = [WithdrawnLine(each.line, each.quantity) for each in body.lines]

    async def work(tx: Transaction) -> WithdrawalView:
        return await withdrawals.submit_withdrawal(
            tx,
            command.ctx,
            command.principal,
            command.by,
            order_id,
            name=body.name,
            contact=body.contact,
            lines=lines,
        )

    return await _once(command, 201, work)


@router.post(
    "/withdrawals/{withdrawal}/confirm",
    operation_id="confirmWithdrawal",
    summary="Withdraw from the contract: confirm",
    description=(
        "The second step (`confirm withdrawal`); it counts from this moment. Receipt is"
        " acknowledged in the same transaction, with content and exact time, and sent to `contact`."
        " A return for what can come back is opened right after."
    ),
    response_model=WithdrawalOut,
    responses=refusals(404, 409),
)
async def confirm_withdrawal(withdrawal: WithdrawalPath, command: Withdrawing) -> Response:
    withdrawal_id = path_id("wdr", withdrawal)

    async def work(tx: Transaction) -> WithdrawalView:
        return await withdrawals.confirm_withdrawal(
            tx, command.ctx, command.principal, command.by, withdrawal_id
        )

    return await _once(command, 200, work)


@router.get(
    "/withdrawals",
    operation_id="listWithdrawals",
    summary="List withdrawals",
    description="Newest first. A buyer sees those of the own order.",
    responses=refusals(),
)
async def list_withdrawals(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    state: Annotated[WithdrawalState | None, Query(description="Which ones.")] = None,
) -> WithdrawalsOut:
    found = await withdrawals.list_withdrawals(
        ctx,
        caller.principal,
        before=before(page, "wdr"),
        limit=page.limit + 1,
        state=None if state is None else state.value,
    )
    shown, next_cursor = cut(found, page, "wdr", _id)
    items = [_withdrawal(view, caller.principal) for view in shown]
    return WithdrawalsOut(items=items, next_cursor=next_cursor)


@router.get(
    "/withdrawals/{withdrawal}",
    operation_id="getWithdrawal",
    summary="Read a withdrawal",
    description="With its acknowledgement, once it was confirmed, to be saved or printed.",
    responses=refusals(404),
)
async def get_withdrawal(
    withdrawal: WithdrawalPath, ctx: ContextDep, caller: Reader, response: Response
) -> WithdrawalOut:
    view = await withdrawals.get_withdrawal(ctx, caller.principal, path_id("wdr", withdrawal))
    response.headers["ETag"] = etag(view.row["sequence"])
    return _withdrawal(view, caller.principal)


def _id(view: WithdrawalView) -> UUID:
    found: UUID = view.row["id"]
    return found


def _withdrawal(view: WithdrawalView, principal: Principal) -> WithdrawalOut:
    row = view.row
    acknowledged = None
    if view.text is not None:
        acknowledged = AcknowledgementOut(
            received_at=row["acknowledged_at"], text=view.text, seal=bytes(row["seal"]).hex()
        )
    actions = withdrawal_actions(row["id"], row["state"], principal)
    return WithdrawalOut(
        withdrawal=row["id"],
        order=row["order_id"],
        lines=[WithdrawnLineOut(**{**line, "line": UUID(line["line"])}) for line in row["lines"]],
        submitted_at=row["created_at"],
        acknowledgement=acknowledged,
        return_=row["return_id"],
        actions=[action_out(action) for action in actions],
        **{
            name: row[name]
            for name in (
                "state",
                "name",
                "contact",
                "language",
                "confirmed_at",
                "problem",
                "sequence",
            )
        },
    )
