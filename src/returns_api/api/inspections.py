"""Receipts and inspections over HTTP, for the warehouse."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from returns_api.api.actions import allowed_actions
from returns_api.api.deps import Allowed, Caller, ContextDep, KeyHeader, json_answer, keyed
from returns_api.api.paths import ReturnPath
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.base import path_id
from returns_api.api.schemas.warehouse import (
    FollowingRefundOut,
    InspectionIn,
    InspectionOut,
    ReceiptIn,
    ReceiptLineOut,
    ReceiptOut,
    ReceiptsOut,
    UnitOut,
    UnitsOut,
)
from returns_api.api.views import action_out, sees_money
from returns_api.db.engine import Row
from returns_api.domain.access import Principal, Scope
from returns_api.domain.errors import Invalid
from returns_api.usecases import warehouse
from returns_api.usecases.warehouse import GradedUnit, Inspection, Receipt

router = APIRouter(prefix="/v1/returns/{return}", tags=["inspections"])

Reader = Annotated[Caller, Depends(Allowed(Scope.RETURNS_READ))]
Warehouse = Annotated[Caller, Depends(Allowed(Scope.RECEIPTS_WRITE))]


@router.post(
    "/receipts",
    status_code=201,
    operation_id="createReceipt",
    summary="Count units in",
    description=(
        "What came now; send further parts as further receipts. The same `reference` again adds"
        " nothing. Goods that nobody announced go under `unexpected`."
    ),
    response_model=ReceiptOut,
    responses=refusals(*BODY, 404, 409),
)
async def create_receipt(
    return_: ReturnPath,
    body: ReceiptIn,
    request: Request,
    ctx: ContextDep,
    caller: Warehouse,
    idempotency_key: KeyHeader = None,
) -> Response:
    counts: Counter[UUID] = Counter()
    for line in body.lines:
        counts[line.return_line] += line.quantity
    return_id = path_id("ret", return_)
    unexpected = [item.model_dump() for item in body.unexpected]
    return await keyed(
        request,
        ctx,
        caller,
        idempotency_key,
        lambda tx: warehouse.receive(
            tx,
            ctx,
            caller.principal,
            caller.by,
            return_id,
            reference=body.reference,
            lines=counts,
            unexpected=unexpected,
        ),
        lambda receipt: json_answer(201, _receipt(receipt)),
    )


@router.get(
    "/receipts",
    operation_id="listReceipts",
    summary="What was counted in",
    description="Every receipt of the return, oldest first.",
    responses=refusals(404),
)
async def list_receipts(return_: ReturnPath, ctx: ContextDep, caller: Reader) -> ReceiptsOut:
    found = await warehouse.list_receipts(ctx, caller.principal, path_id("ret", return_))
    return ReceiptsOut(items=[_receipt(receipt) for receipt in found])


@router.post(
    "/inspections",
    status_code=201,
    operation_id="createInspection",
    summary="Grade units",
    description=(
        "One entry per unit. With the last unit graded, or with `close`, the refund that the"
        " policy and the accepted quote make due is created in the same transaction."
    ),
    response_model=InspectionOut,
    responses=refusals(*BODY, 404, 409),
)
async def create_inspection(
    return_: ReturnPath,
    body: InspectionIn,
    request: Request,
    ctx: ContextDep,
    caller: Warehouse,
    idempotency_key: KeyHeader = None,
) -> Response:
    if not body.units and not body.close:
        raise Invalid(
            "Grade at least one unit, or close the return.",
            errors=[{"field": "units", "problem": "empty, and 'close' is not set"}],
        )
    return_id, principal = path_id("ret", return_), caller.principal
    units = [
        GradedUnit(u.return_line, u.grade, u.disposition, u.sku_seen, tuple(u.photos), u.note)
        for u in body.units
    ]
    return await keyed(
        request,
        ctx,
        caller,
        idempotency_key,
        lambda tx: warehouse.inspect(
            tx, ctx, principal, caller.by, return_id, units, close=body.close
        ),
        lambda done: json_answer(201, _inspection(done, principal)),
    )


@router.get(
    "/inspections",
    operation_id="listInspectedUnits",
    summary="What was graded",
    description="Every graded unit of the return, oldest first.",
    responses=refusals(404),
)
async def list_units(return_: ReturnPath, ctx: ContextDep, caller: Reader) -> UnitsOut:
    rows = await warehouse.list_graded(ctx, caller.principal, path_id("ret", return_))
    return UnitsOut(items=[_unit(row) for row in rows])


def _receipt(receipt: Receipt) -> ReceiptOut:
    return ReceiptOut(
        receipt=receipt.id,
        return_=receipt.return_id,
        reference=receipt.reference,
        at=receipt.at,
        lines=[
            ReceiptLineOut(return_line=line, quantity=count)
            for line, count in receipt.lines.items()
        ],
        unexpected=[dict(item) for item in receipt.unexpected],
    )


def _unit(row: Row) -> UnitOut:
    return UnitOut(
        return_line=row["return_line_id"],
        unit=row["unit_no"],
        grade=row["grade"],
        disposition=row["disposition"],
        sku_seen=row["sku_seen"],
        photos=row["photos"],
        note=row["note"],
        at=row["at"],
    )


def _inspection(done: Inspection, principal: Principal) -> InspectionOut:
    shown: list[Any] | None = None
    if sees_money(principal):
        shown = [
            FollowingRefundOut(
                refund=refund["id"],
                amount=refund["amount_minor"],
                currency=refund["currency"],
                state=refund["state"],
                parts=refund["parts"],
            )
            for refund in done.refunds
        ]
    return InspectionOut(
        inspection=done.id,
        return_=done.ret.id,
        state=done.ret.state,
        units=[_unit(row) for row in done.units],
        refunds=shown,
        actions=[action_out(action) for action in allowed_actions(done.ret, principal)],
    )
