"""The label of a return: bought once, whatever dies in between, and voided when nobody needs it.

First the shipment is prepared at the carrier (free, may be repeated) and its id stored; then it is
paid for. A paid label is found again by that id, so a lost answer is looked up, never bought twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from returns_api.db import connections as connection_rows
from returns_api.db import orders as order_rows
from returns_api.db import returns as return_rows
from returns_api.db import shipments as rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.errors import NotFound
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.shipments import SHIPMENT
from returns_api.domain.shipments import ShipmentRecord, next_buy
from returns_api.ports.carriers import Address, Carrier, CarrierAccount, Label, LabelRequest
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.usecases._connections import open_carrier_account
from returns_api.usecases._loading import NO_SUCH_THING, visible_return
from returns_api.usecases._returns import shipment_event
from returns_api.usecases.context import Context

DEFAULT_WEIGHT_GRAMS: Final = 500
"""What a unit without a known weight is taken to weigh."""
_ERROR_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class Purchase:
    """One claimed try to buy a label."""

    shipment: ShipmentRecord
    order_id: UUID
    carrier: Carrier
    account: CarrierAccount
    request: LabelRequest


async def buy_label(ctx: Context, shop: UUID, shipment_id: UUID) -> None:
    """Carry a due label one step on; nothing happens when it is not due or in other hands."""
    purchase = await _claim(ctx, shop, shipment_id)
    if purchase is None:
        return
    try:
        label = await _buy(ctx, shop, purchase)
    except (ProviderUnavailable, OutcomeUnknown) as failure:
        await _again(ctx, shop, purchase, failure)
    except ProviderRejected as rejected:
        await _failed(ctx, shop, purchase, rejected)
    else:
        if label is not None:
            await _ready(ctx, shop, purchase, label)


async def due_labels(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Labels over all shops whose time has come: the repair of a lost wake-up."""
    found = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["id"]) for row in found]


async def retry_label(ctx: Context, principal: Principal, by: By, return_id: UUID) -> None:
    """A person sends a failed label round again. Raises ``NotFound``, ``ActionNotAllowed``."""
    async with ctx.database.transaction(principal.shop) as tx:
        ret = await visible_return(tx, principal, return_id, lock=True)
        shipment = await rows.lock_of_return(tx, ret.id)
        if shipment is None:
            raise NotFound(NO_SUCH_THING)
        state = SHIPMENT.step(shipment.state, "retry", Actor(principal.role.value))
        now = ctx.clock()
        sequence = await rows.move(
            tx, shipment.id, shipment.sequence, now, state=state, due_at=now, leased_until=None
        )
        assert sequence is not None
        event = shipment_event(ctx, shipment, ret.order_id, state, sequence, by)
        await emit(tx, [event], [Job("buy_label", shipment.id)])
    ctx.wake()


async def _claim(ctx: Context, shop: UUID, shipment_id: UUID) -> Purchase | None:
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        row = await rows.claim(tx, shipment_id, now, now + ctx.lease)
        if row is None:
            return None
        shipment = ShipmentRecord(**{n: row[n] for n in ShipmentRecord.__dataclass_fields__})
        connection = await connection_rows.by_source(tx, shipment.source)
        carrier = None if connection is None else ctx.carriers.get(connection["adapter"])
        request = await _request(tx, shipment, row["order_id"])
        if connection is None or carrier is None or request is None:
            await _record_failure(tx, ctx, shipment, row["order_id"], "address or carrier missing")
            return None
    account = open_carrier_account(ctx, connection)
    return Purchase(shipment, row["order_id"], carrier, account, request)


async def _request(
    tx: Transaction, shipment: ShipmentRecord, order_id: UUID
) -> LabelRequest | None:
    sender = await order_rows.sender_address(tx, order_id)
    shop = await shop_rows.one(tx)
    order = await order_rows.load_order(tx, order_id)
    ret = await return_rows.one(tx, shipment.return_id)
    if sender is None or shop is None or order is None or ret is None:
        return None
    weights = {line.id: line.weight_grams or DEFAULT_WEIGHT_GRAMS for line in order.lines}
    return LabelRequest(
        reference=ids.encode("shm", shipment.id),
        sender=sender,
        receiver=Address(**shop["return_address"]),
        weight_grams=sum(weights[line.order_line_id] * line.quantity for line in ret.open_lines()),
    )


async def _buy(ctx: Context, shop: UUID, purchase: Purchase) -> Label | None:
    """The label, or None when the try lost its lease before paying."""
    shipment, carrier = purchase.shipment, purchase.carrier
    key = shipment.carrier_shipment_id
    if key is not None:
        bought = await carrier.look_up_label(purchase.account, key)
        if bought is not None:
            return bought
    else:
        key = await carrier.prepare_label(purchase.account, purchase.request)
        async with ctx.database.transaction(shop) as tx:
            if not await rows.prepared(tx, shipment.id, shipment.attempt, key):
                return None
    return await carrier.buy_label(purchase.account, key)


async def _ready(ctx: Context, shop: UUID, purchase: Purchase, label: Label) -> None:
    """Record the paid label. A return that ended meanwhile gets it voided instead of shown."""
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        shipment = await rows.lock(tx, purchase.shipment.id)
        if shipment is None or shipment.state != "label_due":
            return
        state = SHIPMENT.step(shipment.state, "buy", Actor.SYSTEM, to="label_ready")
        sequence = await rows.move(
            tx,
            shipment.id,
            shipment.sequence,
            now,
            state=state,
            carrier_shipment_id=label.carrier_shipment_id,
            tracking_code=label.tracking_code,
            carrier=label.carrier,
            service=label.service,
            label_url=label.label_url,
            cost_minor=label.cost_minor,
            cost_currency=label.currency,
            due_at=None,
            leased_until=None,
            last_error=None,
        )
        assert sequence is not None
        data = {"cost": label.cost_minor, "currency": label.currency}
        event = shipment_event(ctx, shipment, purchase.order_id, state, sequence, SYSTEM, data)
        await emit(tx, [event])
    ctx.wake()


async def _again(
    ctx: Context, shop: UUID, purchase: Purchase, failure: ProviderUnavailable | OutcomeUnknown
) -> None:
    """Not known or not done: ask again later, first by look-up where an id is stored."""
    now = ctx.clock()
    retry_after = failure.retry_after if isinstance(failure, ProviderUnavailable) else None
    due_at = next_buy(purchase.shipment.attempt, now, retry_after)
    async with ctx.database.transaction(shop) as tx:
        shipment = await rows.lock(tx, purchase.shipment.id)
        if shipment is None or shipment.attempt != purchase.shipment.attempt:
            return
        if due_at is None:
            await _record_failure(tx, ctx, shipment, purchase.order_id, str(failure))
            return
        await rows.postpone(tx, shipment.id, due_at, str(failure)[:_ERROR_MAX])
        wait = (due_at - now).total_seconds()
        await emit(tx, [], [Job("buy_label", shipment.id, wait)])


async def _failed(ctx: Context, shop: UUID, purchase: Purchase, rejected: ProviderRejected) -> None:
    async with ctx.database.transaction(shop) as tx:
        shipment = await rows.lock(tx, purchase.shipment.id)
        if shipment is not None and shipment.attempt == purchase.shipment.attempt:
            await _record_failure(tx, ctx, shipment, purchase.order_id, str(rejected))


async def _record_failure(
    tx: Transaction, ctx: Context, shipment: ShipmentRecord, order_id: UUID, error: str
) -> None:
    """The carrier said no: a person must look; the return itself lives on."""
    state = SHIPMENT.step(shipment.state, "buy", Actor.SYSTEM, to="label_failed")
    sequence = await rows.move(
        tx,
        shipment.id,
        shipment.sequence,
        ctx.clock(),
        state=state,
        due_at=None,
        leased_until=None,
        last_error=error[:_ERROR_MAX],
    )
    assert sequence is not None
    await emit(tx, [shipment_event(ctx, shipment, order_id, state, sequence, SYSTEM)])
