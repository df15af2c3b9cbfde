"""The file of what finance has to pay by hand."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from returns_api.api import csv_files
from returns_api.api.deps import Allowed, Caller, ContextDep
from returns_api.api.responses import refusals
from returns_api.api.schemas.base import example_id
from returns_api.api.schemas.connections import SLUG
from returns_api.domain.access import Scope
from returns_api.usecases import payouts

router = APIRouter(prefix="/v1/payouts", tags=["reconciliations"])

Manager = Annotated[Caller, Depends(Allowed(Scope.REFUNDS_MANAGE))]
EXAMPLE: Final = csv_files.written(
    payouts.NAMES,
    [
        {
            "kind": "refund",
            "id": example_id("trf"),
            "payment": example_id("pay"),
            "reference": example_id("trf"),
            "amount": 8910,
            "currency": "EUR",
            "status": "pending",
            "at": "2026-11-21T09:12:44+00:00",
            "sum": "89.10",
            "due_by": "2026-12-05T22:59:59+00:00",
            "order": "#1001",
            "return": "#1001-R1",
            "name": "Anna Weber",
            "email": "anna@example.com",
        }
    ],
)


@router.get(
    "",
    operation_id="listPayouts",
    summary="What is to be paid by hand",
    description=(
        "The pending refunds of an account without a provider (`manual`), oldest first, as CSV: a"
        " settlement file (`importStatement`), further columns for whoever pays. Set `status` to"
        " `succeeded` and `at` to when it was paid, and import it; rows that are left pending wait"
        " on. No cell is a formula: a text that begins like one has an apostrophe before it."
    ),
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": EXAMPLE}}},
        **refusals(404, 409),
    },
)
async def list_payouts(
    ctx: ContextDep,
    caller: Manager,
    account: Annotated[
        str,
        Query(pattern=SLUG, description="A connection's slug.", examples=["cash_on_delivery"]),
    ],
) -> Response:
    found = await payouts.list_payouts(ctx, caller.principal.shop, account)
    headers = {"Content-Disposition": 'attachment; filename="payouts.csv"'}
    body = csv_files.written(payouts.NAMES, found)
    return Response(body, media_type=csv_files.CSV_TYPE, headers=headers)
