"""Orders over HTTP: read one, find some; put one, where no platform tells of them by webhook."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, paged
from returns_api.api.order_actions import order_actions
from returns_api.api.pages import before, cut
from returns_api.api.preconditions import IfMatch, version_if_named
from returns_api.api.responses import BODY, VERSIONED, refusals
from returns_api.api.schemas.base import Storable, example_id, path_id
from returns_api.api.schemas.connections import SLUG
from returns_api.api.schemas.orders import (
    OrderLineOut,
    OrderOut,
    OrdersOut,
    OrderSummaryOut,
    ParcelLineOut,
    ParcelOut,
    PaymentOut,
)
from returns_api.api.views import action_out, sees_money
from returns_api.db.engine import Row
from returns_api.domain.access import Principal, Role, Scope
from returns_api.domain.errors import DoesNotFit
from returns_api.domain.order_documents import EXAMPLE, EXTERNAL_ID, OrderDocument
from returns_api.domain.order_record import LineRecord, OrderRecord, ParcelRecord, PaymentRecord
from returns_api.domain.people import ORDER_NUMBER_MAX
from returns_api.usecases import orders
from returns_api.usecases._documents import OWN_SOURCE

router = APIRouter(prefix="/v1/orders", tags=["orders"])

Pages = Annotated[Page, Depends(paged("ord"))]
Reader = Annotated[Caller, Depends(Allowed(Scope.ORDERS_READ))]
Writer = Annotated[Caller, Depends(Allowed(Scope.ORDERS_WRITE))]


@router.get(
    "",
    operation_id="listOrders",
    summary="Find orders",
    description=(
        "Newest first, or by `number` as a person types it (`#1001` and `1001` are one). A number"
        " can stand for several orders when several shops' channels count on their own. Not for"
        " buyers: their token names its one order."
    ),
    responses=refusals(),
)
async def list_orders(
    ctx: ContextDep,
    caller: Reader,
    page: Pages,
    number: Annotated[
        str | None,
        Query(min_length=1, max_length=ORDER_NUMBER_MAX, examples=["#1001"]),
        Storable,
    ] = None,
) -> OrdersOut:
    found = await orders.list_orders(
        ctx,
        caller.principal,
        number=number,
        before=before(page, "ord"),
        limit=page.limit + 1,
    )
    shown, cursor = cut(found, page, "ord")
    return OrdersOut(items=[_summary(row) for row in shown], next_cursor=cursor)


@router.get(
    "/{order}",
    operation_id="getOrder",
    summary="Read an order",
    description=(
        "Lines with every count that binds what can come back, parcels, and what is left of each"
        " payment. Nothing personal: who bought it is not part of this answer. `actions` are the"
        " ways on that are open to you now; what may come back until when, `returnable` says."
    ),
    responses=refusals(404),
)
async def get_order(
    order: Annotated[str, Path(examples=[example_id("ord")], max_length=100)],
    ctx: ContextDep,
    caller: Reader,
    response: Response,
) -> OrderOut:
    found = await orders.view_order(ctx, caller.principal, path_id("ord", order))
    response.headers["ETag"] = etag(found.version)
    return order_out(found, caller.principal, ctx.clock())


@router.put(
    "/{order}",
    operation_id="putOrder",
    summary="Create or renew an order",
    description=(
        "For shops without a platform: the whole order as it stands at `updated_at`. The same"
        " document again changes nothing; an earlier one, or another one of the same time, is"
        " refused with `409`. With `If-Match`, only the version that you saw is renewed. What"
        " follows is what follows a platform's webhook."
    ),
    responses={
        201: {"model": OrderOut, "description": "It is new.", "headers": VERSIONED},
        200: {"headers": VERSIONED},
        **refusals(*BODY, 409, 412),
    },
)
async def put_order(
    order: Annotated[
        str,
        Path(
            pattern=EXTERNAL_ID,
            description="The shop's own id of the order, as in the document.",
            examples=[EXAMPLE["external_id"]],
        ),
    ],
    body: OrderDocument,
    ctx: ContextDep,
    caller: Writer,
    response: Response,
    source: Annotated[
        str,
        Query(
            pattern=SLUG,
            description="`api`, or the slug of a connected shop platform.",
            examples=[OWN_SOURCE],
        ),
    ] = OWN_SOURCE,
    if_match: IfMatch = None,
) -> OrderOut:
    if order != body.external_id:
        raise DoesNotFit(
            "The document is another order's.",
            errors=[{"field": "external_id", "problem": "should be the one of the address"}],
        )
    seen = version_if_named(if_match)
    new, stored = await orders.put_order(ctx, caller.principal.shop, source, body, seen)
    response.status_code = 201 if new else 200
    response.headers["ETag"] = etag(stored.version)
    return order_out(stored, caller.principal, ctx.clock())


def order_out(order: OrderRecord, principal: Principal, now: datetime) -> OrderOut:
    """An order as ``principal`` may see it, and what they may do about it at ``now``."""
    staff = principal.role is not Role.BUYER
    return OrderOut(
        order=order.id,
        number=order.number,
        source=order.source,
        external_id=order.external_id,
        version=order.version,
        placed_at=order.placed_at,
        updated_at=order.updated_at,
        currency=order.currency,
        total=order.total_minor,
        taxes_included=order.taxes_included,
        financial_status=order.financial_status,
        cancelled_at=order.cancelled_at,
        country=order.country,
        region=order.region,
        channel=order.channel,
        returns_opened=order.returns_opened,
        tags=list(order.tags) if staff else None,
        flags=list(order.flags) if staff else None,
        lines=[_line(line) for line in order.lines],
        parcels=[_parcel(parcel) for parcel in order.parcels],
        payments=[_payment(p) for p in order.payments] if sees_money(principal) else None,
        actions=[action_out(action) for action in order_actions(order, principal, now)],
    )


def _summary(row: Row) -> OrderSummaryOut:
    return OrderSummaryOut(
        order=row["id"],
        number=row["number"],
        source=row["source"],
        external_id=row["external_id"],
        placed_at=row["placed_at"],
        currency=row["currency"],
        total=row["total_minor"],
        financial_status=row["financial_status"],
        cancelled_at=row["cancelled_at"],
        country=row["country"],
        returns_opened=row["returns_opened"],
    )


def _line(line: LineRecord) -> OrderLineOut:
    return OrderLineOut(
        line=line.id,
        external_id=line.external_id,
        kind=line.kind.value,
        title=line.title,
        sku=line.sku,
        unit_price=line.unit_price_minor,
        ordered=line.ordered,
        removed=line.removed,
        shipped=line.shipped,
        delivered=line.delivered,
        returned_elsewhere=line.outside_returned,
        cancelled_elsewhere=line.outside_cancelled,
        claimed=line.claimed,
        cancelled=line.cancelled,
        left=line.left,
        shipped_at=line.first_fulfilled_at,
        delivered_at=line.last_delivered_at,
    )


def _parcel(parcel: ParcelRecord) -> ParcelOut:
    return ParcelOut(
        external_id=parcel.external_id,
        carrier=parcel.carrier,
        tracking=list(parcel.tracking_codes),
        shipped_at=parcel.shipped_at,
        delivered_at=parcel.delivered_at,
        cancelled=parcel.cancelled,
        lines=[ParcelLineOut(line=line, quantity=n) for line, n in parcel.quantities.items()],
    )


def _payment(payment: PaymentRecord) -> PaymentOut:
    return PaymentOut(
        payment=payment.id,
        gateway=payment.gateway,
        currency=payment.currency,
        captured=payment.captured,
        reserved=payment.reserved,
        refunded=payment.refunded,
        refunded_elsewhere=payment.external,
        disputed=payment.disputed,
        exchanged=payment.exchanged,
        refundable=payment.refundable,
    )
