"""Having a courier come: times asked of the carrier, one booked, a missed one booked anew.

Times are asked for without any transaction open, and given to the buyer sealed, so that what is
booked is what the carrier offered, for this parcel and at that price. Booking itself is a try at
the carrier (``pickup_calls``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from returns_api.db import connections as connection_rows
from returns_api.db import moves
from returns_api.db import orders as order_rows
from returns_api.db import pickups as rows
from returns_api.db import shipments as shipment_rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job, emit
from returns_api.db.tables import pickups as table
from returns_api.domain.access import Principal
from returns_api.domain.errors import (
    Conflict,
    DoesNotFit,
    NotFound,
    Unavailable,
)
from returns_api.domain.events import By, Event
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.pickups import SLOT_LASTS, PickupRecord, plan_pickup, windows
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.shipments import ShipmentRecord
from returns_api.ports.carriers import Address, Capability, CarrierAccount
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.pickups import PickupCarrier, PickupSlot, Window
from returns_api.usecases._acting import require_seen
from returns_api.usecases._connections import open_carrier_account
from returns_api.usecases._loading import NO_SUCH_THING, visible_return
from returns_api.usecases._pickups import METHOD, pickup_event, save
from returns_api.usecases.context import Context

_STANDING: Final = "uq_pickups_standing"
_SEALED: Final = {"shipment", "until", *PickupSlot.__dataclass_fields__}
_TAKEN: Final = "uq_pickups_shop_id_source_carrier_pickup_id"


@dataclass(frozen=True, slots=True)
class OfferedSlot:
    """A time that can be chosen until ``until``; ``token`` is what to send."""

    token: str
    starts_at: datetime
    ends_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class _Question:
    """What a carrier is asked."""

    carrier: PickupCarrier
    account: CarrierAccount
    shipment: ShipmentRecord
    sender: Address
    windows: Sequence[Window]


async def list_slots(ctx: Context, principal: Principal, return_id: UUID) -> list[OfferedSlot]:
    """The times at which a courier would come, earliest first; asks the carrier.

    Raises:
        NotFound.
        Conflict: the return has no label yet, another way back, or a carrier without couriers.
        Unavailable: the carrier does not answer now.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        asked = await _question(tx, ctx, await _sendable(tx, principal, return_id, lock=False))
    key = asked.shipment.carrier_shipment_id
    assert key is not None
    try:
        slots = await asked.carrier.pickup_slots(asked.account, key, asked.sender, asked.windows)
    except (ProviderUnavailable, OutcomeUnknown, ProviderRejected) as failure:
        raise Unavailable("The carrier does not offer times right now.") from failure
    until = ctx.clock() + SLOT_LASTS
    cheapest: dict[datetime, PickupSlot] = {}
    for slot in slots:
        cheapest.setdefault(slot.starts_at, slot)
    return [
        OfferedSlot(_seal(ctx, asked.shipment, slot, until), slot.starts_at, slot.ends_at, until)
        for slot in cheapest.values()
    ]


async def book(
    tx: Transaction, ctx: Context, principal: Principal, by: By, return_id: UUID, token: str
) -> PickupRecord:
    """Choose a time; the carrier is told by a job.

    Raises:
        NotFound.
        Conflict: nothing is to be picked up, or a pickup stands.
        DoesNotFit: the time is not one that was offered for this return, or not any more.
    """
    ret = await _sendable(tx, principal, return_id, lock=True)
    made, event = await _add(tx, ctx, by, ret, token)
    await emit(tx, [event], [Job("carry_pickup", made.id)])
    return made


async def rebook(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    pickup_id: UUID,
    token: str,
    seen: int | None,
) -> PickupRecord:
    """Choose another time for a pickup that was missed or refused; the new one is given back.

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed, Conflict, DoesNotFit.
    """
    old = await _locked(tx, principal, pickup_id, seen)
    change = plan_pickup(old, "rebook", Actor(principal.role.value), ctx.clock())
    ended = await save(tx, ctx, change, by)
    ret = await _sendable(tx, principal, old.return_id, lock=True)
    made, event = await _add(tx, ctx, by, ret, token)
    await emit(tx, [ended, event], [Job("carry_pickup", made.id)])
    return made


async def act(
    tx: Transaction,
    ctx: Context,
    principal: Principal,
    by: By,
    pickup_id: UUID,
    action: str,
    seen: int | None,
) -> PickupRecord:
    """Call the courier off (``cancel``), or say that nobody came (``miss``).

    Raises:
        NotFound, ActionNotAllowed, PreconditionFailed.
        Conflict: the courier may still come.
    """
    pickup, now = await _locked(tx, principal, pickup_id, seen), ctx.clock()
    change = plan_pickup(pickup, action, Actor(principal.role.value), now)
    if action == "miss" and now < pickup.ends_at:
        raise Conflict("The courier may still come.", until=pickup.ends_at.isoformat())
    jobs = [Job("carry_pickup", pickup.id)] if change.state == "canceling" else []
    await emit(tx, [await save(tx, ctx, change, by)], jobs)
    return await _visible(tx, principal, pickup_id)


async def get_pickup(ctx: Context, principal: Principal, pickup_id: UUID) -> PickupRecord:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        return await _visible(tx, principal, pickup_id)


async def list_pickups(
    ctx: Context, principal: Principal, return_id: UUID, before: UUID, limit: int
) -> list[PickupRecord]:
    """All of one return, newest first. Raises ``NotFound``."""
    async with ctx.database.transaction(principal.shop) as tx:
        await visible_return(tx, principal, return_id, lock=False)
        return await rows.of_return(tx, return_id, before, limit)


async def _add(
    tx: Transaction, ctx: Context, by: By, ret: ReturnRecord, token: str
) -> tuple[PickupRecord, Event]:
    """A new pickup at a time that was offered for the return's parcel."""
    shipment = await _parcel(tx, ret)
    slot, now, pickup_id = _unseal(ctx, shipment, token), ctx.clock(), ctx.new_id()
    if slot["until"] <= now or slot["starts_at"] <= now:
        raise _unfit("This time cannot be chosen any more; ask for the times again.")
    slot.pop("until")
    try:
        await moves.add(
            tx, table, "pickup", now, (), id=pickup_id, return_id=ret.id, order_id=ret.order_id,
            shipment_id=shipment.id, source=shipment.source, state="booking", due_at=now, **slot,
        )  # fmt: skip
    except asyncpg.UniqueViolationError as taken:
        if taken.constraint_name == _STANDING:
            raise Conflict("A pickup stands already; call it off or let it be missed.") from taken
        if taken.constraint_name == _TAKEN:
            raise _unfit("This time was chosen before; ask for the times again.") from taken
        raise
    made = await rows.one(tx, pickup_id)
    assert made is not None
    return made, pickup_event(ctx, made, "pickup.booking", "booking", 1, by)


async def _sendable(
    tx: Transaction, principal: Principal, return_id: UUID, *, lock: bool
) -> ReturnRecord:
    """A return whose parcel a courier may fetch. Raises ``NotFound``, ``Conflict``."""
    ret = await visible_return(tx, principal, return_id, lock=lock)
    if ret.method != METHOD or ret.state != "approved":
        raise Conflict("No courier comes for this return.", state=ret.state, method=ret.method)
    return ret


async def _parcel(tx: Transaction, ret: ReturnRecord) -> ShipmentRecord:
    """The parcel, once there is a label for it. Raises ``Conflict``."""
    parcels = await shipment_rows.of_returns(tx, [ret.id])
    if not parcels or parcels[0].state != "label_ready":
        raise Conflict("There is no label yet that a courier could take.")
    return parcels[0]


async def _question(tx: Transaction, ctx: Context, ret: ReturnRecord) -> _Question:
    shipment = await _parcel(tx, ret)
    sender = await order_rows.sender_address(tx, ret.order_id)
    connection = await connection_rows.by_source(tx, shipment.source)
    shop = await shop_rows.one(tx)
    carrier: Any = None if connection is None else ctx.carriers.get(connection["adapter"])
    if carrier is None or connection is None or Capability.PICKUPS not in carrier.capabilities:
        raise Conflict("This carrier sends no couriers.")
    if sender is None:
        raise Conflict("The address of the buyer is not known.")
    try:
        account = open_carrier_account(ctx, connection)
    except ValueError as error:
        raise Unavailable("The carrier cannot be asked right now.") from error
    times = windows(ctx.clock(), ZoneInfo(shop["timezone"]))
    return _Question(carrier, account, shipment, sender, times)


def _seal(ctx: Context, shipment: ShipmentRecord, slot: PickupSlot, until: datetime) -> str:
    body = {
        "shipment": str(shipment.id),
        "until": until,
        **{name: getattr(slot, name) for name in PickupSlot.__dataclass_fields__},
    }
    return ctx.sealer.seal(orjson.dumps(body).decode()).decode("ascii")


def _unseal(ctx: Context, shipment: ShipmentRecord, token: str) -> dict[str, Any]:
    """The slot's columns and until when it may be chosen. Raises ``DoesNotFit``."""
    try:
        slot = orjson.loads(ctx.sealer.open(token.encode("ascii")))
    except (ValueError, UnicodeEncodeError) as error:
        raise _unfit("This is not a time that was offered.") from error
    if not isinstance(slot, dict) or slot.keys() != _SEALED:
        raise _unfit("This is not a time that was offered.")
    if slot.pop("shipment") != str(shipment.id):
        raise _unfit("This time was offered for another parcel.")
    for name in ("starts_at", "ends_at", "until"):
        slot[name] = datetime.fromisoformat(slot[name])
    return dict(slot)


def _unfit(problem: str) -> DoesNotFit:
    return DoesNotFit(problem, errors=[{"field": "slot", "problem": problem}])


async def _visible(tx: Transaction, principal: Principal, pickup_id: UUID) -> PickupRecord:
    found = await rows.one(tx, pickup_id)
    if found is None or not principal.sees_order(found.order_id):
        raise NotFound(NO_SUCH_THING)
    return found


async def _locked(
    tx: Transaction, principal: Principal, pickup_id: UUID, seen: int | None
) -> PickupRecord:
    """The pickup; the return's lock is its own."""
    known = await _visible(tx, principal, pickup_id)
    await visible_return(tx, principal, known.return_id, lock=True)
    pickup = await _visible(tx, principal, pickup_id)
    require_seen("pickup", pickup.sequence, seen)
    return pickup
