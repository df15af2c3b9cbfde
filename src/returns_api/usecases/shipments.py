"""The label of a return: bought once, whatever dies in between, and given back if not needed.

First the shipment is prepared at the carrier (free, may be repeated) and its id stored; then it is
paid for. A paid label is found again by that id, so a lost answer is looked up, never bought twice.
A label that may have been bought for a return that ended is looked up the same way and voided; what
the carrier says to that is an event, since it is money.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from returns_api.db import connections as connection_rows
from returns_api.db import returns as return_rows
from returns_api.db import shipments as rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain.access import Principal
from returns_api.domain.errors import NotFound
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.shipments import SHIPMENT
from returns_api.domain.shipments import ShipmentRecord, after_purchase, next_try
from returns_api.ports.carriers import (
    Capability,
    Carrier,
    CarrierAccount,
    Label,
    LabelRequest,
)
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.usecases._connections import open_carrier_account
from returns_api.usecases._granting import FIRST_SCAN, lock_if_due
from returns_api.usecases._labels import cost_of, label_request, remember
from returns_api.usecases._loading import NO_SUCH_THING, visible_return
from returns_api.usecases._returns import shipment_event
from returns_api.usecases._tracking import follow_scans
from returns_api.usecases.context import Context
from returns_api.usecases.packing_slips import announce

_ERROR_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class Held:
    """One claimed try, to buy (then with a request) or to void."""

    shipment: ShipmentRecord
    order_id: UUID
    carrier: Carrier
    account: CarrierAccount
    request: LabelRequest | None


@dataclass(frozen=True, slots=True)
class Voided:
    """What became of a label that nobody needs."""

    label: Label | None
    """What had been bought; None when nothing had."""
    given_back: bool


async def carry_label(ctx: Context, shop: UUID, shipment_id: UUID) -> None:
    """Carry a due label one step on: buy it, or give it back.

    Nothing happens when it is not due or in other hands.
    """
    held = await _claim(ctx, shop, shipment_id)
    if held is None:
        return
    try:
        if held.request is None:
            await _record_void(ctx, shop, held, await _void(held))
        else:
            label = await _buy(ctx, shop, held, held.request)
            if label is not None:
                await _record_label(ctx, shop, held, label)
    except (ProviderUnavailable, OutcomeUnknown) as failure:
        await _again(ctx, shop, held, failure)
    except ProviderRejected as rejected:
        await _failed(ctx, shop, held, rejected)


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
        due: dict[str, Any] = {"due_at": ctx.clock(), "leased_until": None, "tries": 0}
        event = await _move(tx, ctx, shipment, ret.order_id, state, by, **due)
        await emit(tx, [event], [Job("carry_label", shipment.id)])
    ctx.wake()


async def _claim(ctx: Context, shop: UUID, shipment_id: UUID) -> Held | None:
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        row = await rows.claim(tx, shipment_id, now, now + ctx.lease)
        if row is None:
            return None
        shipment, order_id = _record(row), row["order_id"]
        connection = await connection_rows.by_source(tx, shipment.source)
        carrier = None if connection is None else ctx.carriers.get(connection["adapter"])
        account = None if connection is None else _account(ctx, connection)
        buying = shipment.state == "label_due"
        request = await label_request(tx, shipment, order_id) if buying else None
        if next_try(shipment.tries - 1, now) is None:
            problem = "every try ended without an answer"
        elif carrier is None or account is None:
            problem = "the carrier is not connected"
        elif buying and request is None:
            problem = "an address is missing"
        else:
            return Held(shipment, order_id, carrier, account, request)
        await _record_failure(tx, ctx, shipment, order_id, problem)
        return None


def _record(row: Row) -> ShipmentRecord:
    return ShipmentRecord(**{n: row[n] for n in ShipmentRecord.__dataclass_fields__})


def _account(ctx: Context, connection: Row) -> CarrierAccount | None:
    """None when the stored secret cannot be opened any more."""
    try:
        return open_carrier_account(ctx, connection)
    except ValueError:
        return None


async def _buy(ctx: Context, shop: UUID, held: Held, request: LabelRequest) -> Label | None:
    """The label, or None when the try lost its lease before paying."""
    shipment, carrier = held.shipment, held.carrier
    key = shipment.carrier_shipment_id
    if key is not None:
        known = Capability.LOOK_UP in carrier.capabilities
        bought = await carrier.look_up_label(held.account, key) if known else None
        if bought is not None:
            return bought
    else:
        key = await carrier.prepare_label(held.account, request)
        async with ctx.database.transaction(shop) as tx:
            if not await rows.prepared(tx, shipment.id, shipment.attempt, key):
                return None
    return await carrier.buy_label(held.account, key, request)


async def _void(held: Held) -> Voided:
    """Ask whether the label was bought and, if so, for the money back.

    Where a carrier voids nothing there is nothing to ask: it bills only what is used.
    """
    key = held.shipment.carrier_shipment_id
    if Capability.VOID not in held.carrier.capabilities:
        return Voided(None, given_back=False)
    label = None if key is None else await held.carrier.look_up_label(held.account, key)
    if label is None:
        return Voided(None, given_back=False)
    given_back = await held.carrier.void_label(held.account, label.carrier_shipment_id)
    return Voided(label, given_back=given_back)


async def _record_label(ctx: Context, shop: UUID, held: Held, label: Label) -> None:
    """Record the paid label, whoever holds the shipment by now: it is a fact.

    For a return that ended meanwhile it is to be given back.
    """
    async with ctx.database.transaction(shop) as tx:
        await lock_if_due(tx, held.shipment.return_id, FIRST_SCAN)
        ret = await return_rows.lock_whole(tx, held.shipment.return_id)
        shipment = await rows.lock(tx, held.shipment.id)
        state = None if shipment is None else after_purchase(shipment)
        if ret is None or shipment is None or state is None:
            return
        await remember(tx, ctx, held.shipment.id, held.carrier, label)
        due_at = ctx.clock() if state == "void_due" else None
        jobs = [] if due_at is None else [Job("carry_label", shipment.id)]
        if state == shipment.state:
            await emit(tx, [], jobs)
            return
        event = await _move(
            tx, ctx, shipment, ret.order_id, state, SYSTEM, cost_of(label), due_at=due_at,
            last_error=None,
        )  # fmt: skip
        expected = await announce(tx, ctx, ret, shipment.id)
        more, further = await follow_scans(tx, ctx, ret, shipment.id)
        await emit(tx, [event, *expected, *more], [*jobs, *further])
    ctx.wake()


async def _record_void(ctx: Context, shop: UUID, held: Held, voided: Voided) -> None:
    """Close the label: nothing was bought, the money comes back, or the carrier keeps it."""
    async with ctx.database.transaction(shop) as tx:
        shipment = await _still_held(tx, held)
        if shipment is None:
            return
        label, kept = voided.label, voided.label is not None and not voided.given_back
        if label is not None:
            await remember(tx, ctx, held.shipment.id, held.carrier, label)
        state = SHIPMENT.step(
            shipment.state, "void", Actor.SYSTEM, to="void_failed" if kept else "voided"
        )
        data = {} if label is None else {**cost_of(label), "given_back": voided.given_back}
        ended = {"due_at": None, "leased_until": None}
        event = await _move(
            tx, ctx, shipment, held.order_id, state, SYSTEM, data,
            last_error="the carrier keeps the money" if kept else None, **ended,
        )  # fmt: skip
        await emit(tx, [event])
    ctx.wake()


async def _again(
    ctx: Context, shop: UUID, held: Held, failure: ProviderUnavailable | OutcomeUnknown
) -> None:
    """Not known or not done: ask again later, first by look-up where an id is stored."""
    now = ctx.clock()
    retry_after = failure.retry_after if isinstance(failure, ProviderUnavailable) else None
    due_at = next_try(held.shipment.tries, now, retry_after)
    async with ctx.database.transaction(shop) as tx:
        shipment = await _still_held(tx, held)
        if shipment is None:
            return
        if due_at is None:
            await _record_failure(tx, ctx, shipment, held.order_id, str(failure))
            return
        await rows.postpone(tx, shipment.id, due_at, str(failure)[:_ERROR_MAX])
        wait = (due_at - now).total_seconds()
        await emit(tx, [], [Job("carry_label", shipment.id, wait)])


async def _failed(ctx: Context, shop: UUID, held: Held, rejected: ProviderRejected) -> None:
    """The carrier said no, so what was prepared was certainly not bought: prepare anew next time.

    A refused look-up or voiding proves nothing of the kind.
    """
    async with ctx.database.transaction(shop) as tx:
        shipment = await _still_held(tx, held)
        if shipment is not None:
            forget = {} if held.request is None else {"carrier_shipment_id": None}
            await _record_failure(tx, ctx, shipment, held.order_id, str(rejected), **forget)


async def _still_held(tx: Transaction, held: Held) -> ShipmentRecord | None:
    """The shipment, locked, if it is still in the hands and the state of this try."""
    shipment = await rows.lock(tx, held.shipment.id)
    if shipment is None:
        return None
    same = (shipment.attempt, shipment.state) == (held.shipment.attempt, held.shipment.state)
    return shipment if same else None


async def _record_failure(
    tx: Transaction,
    ctx: Context,
    shipment: ShipmentRecord,
    order_id: UUID,
    error: str,
    **values: Any,
) -> None:
    """A person must look; the return itself lives on."""
    action, to = ("buy", "label_failed")
    if shipment.state == "void_due":
        action, to = ("void", "void_failed")
    state = SHIPMENT.step(shipment.state, action, Actor.SYSTEM, to=to)
    ended: dict[str, Any] = {"due_at": None, "leased_until": None}
    event = await _move(
        tx, ctx, shipment, order_id, state, SYSTEM, last_error=error[:_ERROR_MAX], **ended, **values
    )
    await emit(tx, [event])


async def _move(
    tx: Transaction,
    ctx: Context,
    shipment: ShipmentRecord,
    order_id: UUID,
    state: str,
    by: By,
    data: dict[str, Any] | None = None,
    **values: Any,
) -> Event:
    """Write the new state of a locked shipment; returns what is to be told."""
    sequence = await rows.move(
        tx, shipment.id, shipment.sequence, ctx.clock(), state=state, **values
    )
    assert sequence is not None
    return shipment_event(ctx, shipment, order_id, state, sequence, by, data)
