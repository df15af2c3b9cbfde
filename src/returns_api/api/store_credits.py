"""Store credit over HTTP: balances and what happened to them, debits and their reversals."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from returns_api.api import pages
from returns_api.api.deps import (
    Allowed,
    Caller,
    ContextDep,
    KeyHeader,
    Page,
    etag,
    json_answer,
    keyed,
    paged,
)
from returns_api.api.filters import OfOrder, asked_id
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.store_credits import (
    CreditMovementOut,
    CreditMovementsOut,
    DebitIn,
    LotOut,
    RecoveryIn,
    RecoveryOut,
    ReversalIn,
    StoreCreditOut,
    StoreCreditsOut,
)
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import Principal, Scope
from returns_api.domain.store_credits import TAKING
from returns_api.usecases import store_credits
from returns_api.usecases.store_credits import CreditView, Recovery

router = APIRouter(prefix="/v1/store-credits", tags=["store credit"])

Pages = Annotated[Page, Depends(paged("sc"))]
MovementPages = Annotated[Page, Depends(paged("scm"))]
CreditPath = Annotated[str, Path(examples=[example_id("sc")], max_length=100)]
MovementPath = Annotated[str, Path(examples=[example_id("scm")], max_length=100)]
Reader = Annotated[Caller, Depends(Allowed(Scope.STORE_CREDITS_READ))]
Till = Annotated[Caller, Depends(Allowed(Scope.STORE_CREDITS_SPEND))]
Manager = Annotated[Caller, Depends(Allowed(Scope.STORE_CREDITS_MANAGE))]


@router.get(
    "",
    operation_id="listStoreCredits",
    summary="List store credit",
    description=(
        "Newest first, or that of the person behind one order. A buyer's token shows the own."
        " Credit is issued by refunds (`to: store_credit`)."
    ),
    responses=refusals(),
)
async def list_store_credits(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    order: OfOrder = None,
) -> StoreCreditsOut:
    found = await store_credits.list_credits(
        ctx,
        caller.principal,
        before=pages.before(page, "sc"),
        limit=page.limit + 1,
        order_id=asked_id("ord", order),
    )
    shown, next_cursor = pages.cut(found, page, "sc", lambda each: each.account["id"])
    return StoreCreditsOut(
        items=[_credit(view) for view in shown],
        next_cursor=next_cursor,
    )


@router.get(
    "/{store_credit}",
    operation_id="getStoreCredit",
    summary="Read a balance",
    description="With the lots that it is made of, in the order in which they are used up.",
    responses=refusals(404),
)
async def get_store_credit(
    store_credit: CreditPath, ctx: ContextDep, caller: Reader, response: Response
) -> StoreCreditOut:
    view = await store_credits.get_credit(ctx, caller.principal, path_id("sc", store_credit))
    response.headers["ETag"] = etag(view.account["sequence"])
    return _credit(view)


@router.get(
    "/{store_credit}/movements",
    operation_id="listCreditMovements",
    summary="Read what happened to it",
    description="Newest first; each is one entry of the ledger and never changes.",
    responses=refusals(404),
)
async def list_credit_movements(
    store_credit: CreditPath, ctx: ContextDep, caller: Reader, page: MovementPages
) -> CreditMovementsOut:
    found = await store_credits.list_movements(
        ctx,
        caller.principal,
        path_id("sc", store_credit),
        before=pages.before(page, "scm"),
        limit=page.limit + 1,
    )
    shown, next_cursor = pages.cut(found, page, "scm")
    return CreditMovementsOut(
        items=[_movement(row, caller.principal) for row in shown],
        next_cursor=next_cursor,
    )


@router.post(
    "/{store_credit}/debits",
    status_code=201,
    operation_id="debitStoreCredit",
    summary="Pay with store credit",
    description=(
        "All of the amount or nothing: more than the balance is refused, naming it. What expires"
        " first is used first."
    ),
    response_model=CreditMovementOut,
    responses=refusals(*BODY, 404, 409),
)
async def debit_store_credit(
    store_credit: CreditPath,
    body: DebitIn,
    request: Request,
    ctx: ContextDep,
    caller: Till,
    idempotency_key: KeyHeader = None,
) -> Response:
    account_id = path_id("sc", store_credit)
    return await keyed(
        request,
        ctx,
        caller,
        idempotency_key,
        lambda tx: store_credits.spend(
            tx,
            ctx,
            caller.by,
            account_id,
            amount_minor=body.amount,
            client_reference=body.client_reference,
            reference=body.reference,
        ),
        lambda row: json_answer(201, _movement(row, caller.principal)),
    )


@router.post(
    "/{store_credit}/debits/{movement}/reversals",
    status_code=201,
    operation_id="reverseStoreCreditDebit",
    summary="Undo a purchase",
    description=(
        "Wholly or in part, never more than was taken. It goes back into the lots that it came"
        " from; what is past its day by then comes back for 30 days."
    ),
    response_model=CreditMovementOut,
    responses=refusals(*BODY, 404, 409),
)
async def reverse_store_credit_debit(
    store_credit: CreditPath,
    movement: MovementPath,
    body: ReversalIn,
    request: Request,
    ctx: ContextDep,
    caller: Till,
    idempotency_key: KeyHeader = None,
) -> Response:
    account_id, movement_id = path_id("sc", store_credit), path_id("scm", movement)
    return await keyed(
        request,
        ctx,
        caller,
        idempotency_key,
        lambda tx: store_credits.give_back(
            tx,
            ctx,
            caller.by,
            account_id,
            movement_id,
            amount_minor=body.amount,
            reference=body.reference,
        ),
        lambda row: json_answer(201, _movement(row, caller.principal)),
    )


@router.post(
    "/{store_credit}/recoveries",
    operation_id="recoverFromStoreCredit",
    summary="Take back what the buyer owes",
    description=(
        "As far as the credit goes, never below zero; the answer says what is still owed. For money"
        " that was paid ahead for goods that did not come."
    ),
    response_model=RecoveryOut,
    responses=refusals(*BODY, 404, 409),
)
async def recover_from_store_credit(
    store_credit: CreditPath,
    body: RecoveryIn,
    request: Request,
    ctx: ContextDep,
    caller: Manager,
    idempotency_key: KeyHeader = None,
) -> Response:
    account_id = path_id("sc", store_credit)
    return await keyed(
        request,
        ctx,
        caller,
        idempotency_key,
        lambda tx: store_credits.recover(
            tx, ctx, caller.by, account_id, amount_minor=body.amount, reference=body.reference
        ),
        lambda found: json_answer(200, _recovery(found, caller.principal)),
    )


def _credit(view: CreditView) -> StoreCreditOut:
    account = view.account
    return StoreCreditOut(
        store_credit=account["id"],
        holder=account["holder"],
        currency=account["currency"],
        balance=account["balance_minor"],
        lots=[
            LotOut(
                kind=lot["kind"],
                remaining=lot["remaining_minor"],
                expires_at=lot["expires_at"],
                issued_at=lot["created_at"],
            )
            for lot in view.lots
        ],
        sequence=account["sequence"],
        created_at=account["created_at"],
        updated_at=account["updated_at"],
        movements=f"/v1/store-credits/{ids.encode('sc', account['id'])}/movements",
    )


def _movement(row: Row, principal: Principal) -> CreditMovementOut:
    """A buyer's token is for one order: the numbers of others and the staff are left out."""
    order, staff = row["order_id"], principal.order_id is None
    return CreditMovementOut(
        movement=row["id"],
        store_credit=row["store_credit_id"],
        no=row["no"],
        kind=row["kind"],
        amount=-row["amount_minor"] if row["kind"] in TAKING else row["amount_minor"],
        balance=row["balance_minor"],
        currency=row["currency"],
        of=row["lot_kind"],
        expires_at=row["expires_at"],
        order=order if order is not None and principal.sees_order(order) else None,
        undoes=row["undoes_id"],
        can_come_back=None if row["kind"] != "spent" else row["left_minor"],
        client_reference=row["client_reference"] if staff else None,
        reference=row["reference"] if staff else None,
        ledger_entry=row["entry_id"],
        at=row["at"],
        actor=row["actor"],
        actor_key=row["actor_id"] if staff else None,
    )


def _recovery(found: Recovery, principal: Principal) -> RecoveryOut:
    movement = None if found.movement is None else _movement(found.movement, principal)
    return RecoveryOut(taken=found.taken_minor, owed=found.owed_minor, movement=movement)
