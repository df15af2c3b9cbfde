"""A shop platform's observations, applied in the open transaction: any order, any number of times.

The final state is a function of the set of observations, not of their order. What makes it so:

- A snapshot of the order wins by ``(updated_at, captured, removed units, digest)``. Platforms give
  two snapshots the same second; a tie is then decided by what they say, never by who came first.
- Payments are a union; counters (shipped, delivered, given back elsewhere) are recomputed as sums
  of what is stored, never added to.
- The certificate is made from the newest snapshot alone.
- What needs a thing that is not there yet raises ``NotYet`` and comes again.

Locks: ``order_intake.begin`` first, always. Owns orders and payments, and which observation goes
where; parcels, outside facts and people stand in modules of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never
from uuid import UUID

from returns_api.db import connections, order_counts, order_intake, order_lines, payments
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.allocation import certify, digest, to_json
from returns_api.domain.orders import (
    AppRemoved,
    DisputeSeen,
    Observation,
    OrderFacts,
    OrderSeen,
    OutsideRefundSeen,
    ParcelDelivered,
    ParcelSeen,
    PaymentFacts,
    PaymentSeen,
    PersonDataRequested,
    PersonErased,
    PlatformReturnSeen,
    ShopErased,
)
from returns_api.ports.payments import Naming
from returns_api.usecases._books import put_payments
from returns_api.usecases._order_events import tell
from returns_api.usecases._order_rows import head_row, line_row, person_row, public, snapshot_of
from returns_api.usecases._outside import (
    guess_again,
    see_dispute,
    see_platform_return,
    see_refund,
)
from returns_api.usecases._parcels import see_delivery, see_parcel
from returns_api.usecases._people import (
    erase_person,
    erase_shop,
    leave_shop,
    person_data_requested,
)
from returns_api.usecases._waiting import NotYet, order_key, payment_key, payments_key
from returns_api.usecases.context import Context


async def apply(tx: Transaction, ctx: Context, source: str, observation: Observation) -> None:
    """Apply one observation of the connection ``source``.

    Raises:
        NotYet: it needs something that another message will bring.
        Invalid: an order that no arithmetic can repair.
    """
    match observation:
        case OrderSeen():
            await see_order(tx, ctx, source, observation.order)
        case PaymentSeen():
            await see_payment(tx, ctx, source, observation)
        case ParcelSeen():
            await see_parcel(tx, ctx, source, observation)
        case ParcelDelivered():
            await see_delivery(tx, ctx, source, observation)
        case OutsideRefundSeen():
            await see_refund(tx, ctx, source, observation)
        case DisputeSeen():
            await see_dispute(tx, ctx, source, observation)
        case PlatformReturnSeen():
            await see_platform_return(tx, ctx, source, observation)
        case PersonErased():
            await erase_person(tx, ctx, source, observation)
        case PersonDataRequested():
            await person_data_requested(tx, ctx, source, observation)
        case ShopErased():
            await erase_shop(tx, ctx)
        case AppRemoved():
            await leave_shop(tx, ctx)
        case _:
            assert_never(observation)


async def see_order(
    tx: Transaction,
    ctx: Context,
    source: str,
    order: OrderFacts,
    parcels: Sequence[ParcelSeen] = (),
) -> None:
    """A snapshot: store it if it is the newest; an older one can still tell of a payment.

    ``parcels`` came with it and are part of what tells two snapshots apart; see them afterwards.
    """
    status, head = await order_intake.begin(tx, source, order.external_id)
    if status == "erased":
        return
    snapshot = snapshot_of(ctx, order, parcels)
    seen = (order.updated_at, snapshot)
    if head is not None and (head.platform_updated_at, head.snapshot) >= seen:
        await _add_payments(tx, ctx, source, head, order.external_id, order.payments)
        return
    certificate = certify(order)
    values = head_row(ctx, source, order, certificate, snapshot)
    order_id, version = await _put_head(tx, ctx, source, order.external_id, head, values)
    await order_intake.put_person(tx, order_id, person_row(order.buyer))
    lines = [line_row(ctx, place, line) for place, line in enumerate(order.lines)]
    await order_lines.put(tx, order_id, lines)
    if head is not None:
        await order_counts.count_cancelled(tx, order_id)
    told = await payment_rows(tx, ctx, source, order.payments, order_id)
    added = await put_payments(tx, ctx, order_id, told, newest=True)
    if head is not None:
        await guess_again(tx, ctx, order_id)
    body = to_json(certificate)
    await order_intake.add_certificate(tx, order_id, body, digest(certificate), ctx.clock())
    kind = "received" if head is None else "updated"
    wake = [order_key(source, order.external_id), *payment_wakes(source, order.external_id, added)]
    await tell(tx, ctx, order_id, version, kind, public(order), wake=wake)


async def _put_head(
    tx: Transaction,
    ctx: Context,
    source: str,
    external_id: str,
    head: order_intake.OrderHead | None,
    values: dict[str, Any],
) -> tuple[UUID, int]:
    """The order's id and its new version."""
    if head is None:
        order_id = ctx.new_id()
        await order_intake.add_order(
            tx, id=order_id, source=source, external_id=external_id, **values
        )
        return order_id, 1
    if head.erased:
        values = {**values, "email_key": None, "customer_key": None}
    return head.id, await order_intake.change_order(tx, id=head.id, **values)


async def see_payment(tx: Transaction, ctx: Context, source: str, seen: PaymentSeen) -> None:
    """Captured money that no snapshot told."""
    _, head = await order_intake.begin(tx, source, seen.order_external_id)
    if head is None:
        raise NotYet(order_key(source, seen.order_external_id))
    await _add_payments(tx, ctx, source, head, seen.order_external_id, [seen.payment])


async def _add_payments(
    tx: Transaction,
    ctx: Context,
    source: str,
    head: order_intake.OrderHead,
    external_id: str,
    found: Sequence[PaymentFacts],
) -> None:
    """Payments that are not known yet; what is known stays as the newest snapshot told it."""
    told = await payment_rows(tx, ctx, source, found, head.id)
    added = await put_payments(tx, ctx, head.id, told, newest=False)
    if not added:
        return
    await guess_again(tx, ctx, head.id)
    ours = {payment["id"] for payment in added}
    version = await order_intake.step(tx, head.id, ctx.clock())
    captured = [
        {"amount": payment["captured"], "currency": payment["currency"]}
        for payment in told
        if payment["id"] in ours
    ]
    await tell(
        tx,
        ctx,
        head.id,
        version,
        "paid",
        {"captured": captured},
        wake=payment_wakes(source, external_id, added),
    )


async def payment_rows(
    tx: Transaction,
    ctx: Context,
    source: str,
    found: Sequence[PaymentFacts],
    order_id: UUID | None,
    behind: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Payments as rows: each once, who stands behind it, and each provider's id once.

    ``order_id`` is None for an order that is not stored yet. ``behind`` remembers the account of
    each gateway, for who reads many orders.
    """
    rows: list[dict[str, Any]] = []
    behind = {} if behind is None else behind
    for place, payment in enumerate({each.external_id: each for each in found}.values()):
        if payment.gateway not in behind:
            behind[payment.gateway] = await connections.payments_for_gateway(tx, payment.gateway)
        connection = behind[payment.gateway]
        row_id = ctx.new_id()
        name = await _provider_name(tx, ctx, connection, payment, order_id, row_id)
        connected = connection is not None and name is not None
        row = {
            "id": row_id,
            "external_id": payment.external_id,
            "position": place,
            "gateway": payment.gateway,
            "provider": connection["adapter"] if connected else "shop",
            "account": connection["source"] if connected else source,
            "provider_payment_id": name,
            "currency": payment.currency,
            "captured": max(payment.captured_minor, 0),
        }
        account = ("provider", "account", "provider_payment_id")
        if any(all(row[n] == other[n] for n in account) for other in rows):
            row["provider_payment_id"] = None
        rows.append(row)
    return rows


async def _provider_name(
    tx: Transaction,
    ctx: Context,
    connection: Any,
    payment: PaymentFacts,
    order_id: UUID | None,
    row_id: UUID,
) -> str | None:
    """What the account behind a payment calls it. Where that is an id of its own and nobody told
    it, nobody can call it for this payment, nor it tell us of it."""
    provider = None if connection is None else ctx.payments.get(connection["adapter"])
    naming = Naming.PROVIDER if provider is None else provider.capabilities.naming
    if naming is Naming.PLATFORM:
        return payment.external_id
    if naming is Naming.OURS:
        stored = order_id and await payments.id_of(tx, order_id, payment.external_id)
        return ids.encode("pay", stored or row_id)
    return payment.provider_payment_id


def payment_wakes(source: str, external_id: str, added: Sequence[Any]) -> list[str]:
    """What waits for one of these payments."""
    if not added:
        return []
    named = [
        payment_key(row["provider"], row["account"], row["provider_payment_id"])
        for row in added
        if row["provider_payment_id"] is not None
    ]
    return [payments_key(source, external_id), *named]
