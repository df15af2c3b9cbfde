"""A person's rights over HTTP: what is kept of them, and its erasure."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from returns_api.api.deps import Allowed, Caller, ContextDep
from returns_api.api.listing_views import listing_out
from returns_api.api.responses import BODY, refusals
from returns_api.api.schemas.people import (
    KeptAddressOut,
    KeptGiftOut,
    KeptLineOut,
    KeptMessageOut,
    KeptNotificationOut,
    KeptOrderOut,
    KeptRefundOut,
    KeptReturnOut,
    KeptWithdrawalOut,
    PersonErasedOut,
    PersonExportOut,
    PersonIn,
    PersonOut,
    RecipientOut,
)
from returns_api.db.engine import Row
from returns_api.domain.access import Scope
from returns_api.usecases import people
from returns_api.usecases.people import KeptGift, KeptOrder

router = APIRouter(prefix="/v1/admin/people", tags=["people"])

Manager = Annotated[Caller, Depends(Allowed(Scope.SHOP_MANAGE))]


@router.post(
    "/export",
    operation_id="exportPerson",
    summary="Tell a person what is kept of them",
    description=(
        "Everything personal under an e-mail address, and of the accounts that ordered under it,"
        " with their orders, returns and refunds, and what they were told; and what they brought"
        " back of a gift. Each order's history tells that it was asked for."
    ),
    responses=refusals(*BODY, 409),
)
async def export_person(body: PersonIn, ctx: ContextDep, caller: Manager) -> PersonExportOut:
    kept = await people.export_person(ctx, caller.principal.shop, body.email)
    return PersonExportOut(
        orders=[_kept(each) for each in kept.orders],
        opted_out=kept.opted_out,
        lists=[listing_out(each, caller.principal) for each in kept.listed],
        gifts=[_gift(each) for each in kept.gifts],
    )


@router.post(
    "/erase",
    operation_id="erasePerson",
    summary="Erase a person for ever",
    description=(
        "Name, addresses, the buyer's own words and photos go, also in messages that wait; orders,"
        " amounts, states and books stay. A later message of a platform writes nothing personal of"
        " these orders again. A second time there is nothing left to erase."
    ),
    responses=refusals(*BODY, 409),
)
async def erase_person(body: PersonIn, ctx: ContextDep, caller: Manager) -> PersonErasedOut:
    count = await people.erase_by_email(ctx, caller.principal.shop, body.email)
    return PersonErasedOut(orders=count)


def _kept(order: KeptOrder) -> KeptOrderOut:
    row = order.row
    return KeptOrderOut(
        order=row["id"],
        **{name: row[name] for name in ("number", "source", "external_id", "placed_at")},
        currency=row["currency"],
        total=row["total_minor"],
        person=PersonOut(**{name: row[name] for name in PersonOut.model_fields}),
        lines=[
            KeptLineOut(title=line["title"], sku=line["sku"], quantity=line["ordered"])
            for line in order.lines
        ],
        returns=[_returned(line) for line in order.returned],
        refunds=[_refund(refund) for refund in order.refunds],
        notifications=[_told(row) for row in order.told],
        messages=[_message(said) for said in order.said],
        withdrawals=[
            KeptWithdrawalOut(
                withdrawal=row["id"],
                **{name: row[name] for name in ("name", "contact", "state", "confirmed_at")},
            )
            for row in order.withdrawn
        ],
        address_changes=[
            KeptAddressOut(**{name: row[name] for name in KeptAddressOut.model_fields})
            for row in order.moved
        ],
    )


def _told(row: Row) -> KeptNotificationOut:
    return KeptNotificationOut(**{name: row[name] for name in KeptNotificationOut.model_fields})


def _gift(gift: KeptGift) -> KeptGiftOut:
    row, names = gift.row, ("number", "state", "created_at", "info_answer")
    return KeptGiftOut(
        return_=row["return_id"],
        **{name: row[name] for name in names},
        recipient=RecipientOut(**{name: row[name] for name in RecipientOut.model_fields}),
        notifications=[_told(each) for each in gift.told],
        messages=[_message(each) for each in gift.said],
    )


def _returned(row: Row) -> KeptReturnOut:
    names = ("number", "state", "created_at", "reason", "quantity", "note", "info_answer")
    statements = list(row["statements"])
    return KeptReturnOut(
        statements=statements, return_=row["id"], **{name: row[name] for name in names}
    )


def _refund(row: Row) -> KeptRefundOut:
    names = ("currency", "state", "created_at")
    return KeptRefundOut(
        refund=row["id"], amount=row["amount_minor"], **{name: row[name] for name in names}
    )


def _message(row: Row) -> KeptMessageOut:
    names = ("party", "at", "text")
    about = {"return_": row["return_id"], "complaint": row["complaint_id"]}
    return KeptMessageOut(**about, **{name: row[name] for name in names})
