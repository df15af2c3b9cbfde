"""What the warehouse needs to know of a parcel: a slip inside it, and a word before it comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from returns_api.db import credit_notes as people
from returns_api.db import gift_recipients
from returns_api.db import orders as order_rows
from returns_api.db import shipments as rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.access import Principal
from returns_api.domain.documents import Document
from returns_api.domain.errors import Conflict
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.shipments import SHIPMENT
from returns_api.domain.packing_slips import packing_slip
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.shops import comes_back_to
from returns_api.usecases._loading import visible_return
from returns_api.usecases._returns import shipment_event
from returns_api.usecases.context import Context

SENDABLE: Final = frozenset({"approved", "in_transit"})
_ADDRESS: Final = ("name", "street1", "street2", "postcode", "city", "region", "country")


async def get_packing_slip(ctx: Context, principal: Principal, return_id: UUID) -> Document:
    """The slip to put into the parcel, with the sender as far as it is kept.

    Raises:
        NotFound.
        Conflict: nothing is to be sent, not yet or not any more.
    """
    async with ctx.database.transaction(principal.shop) as tx:
        ret = await visible_return(tx, principal, return_id, lock=False)
        if ret.state not in SENDABLE:
            raise Conflict("There is nothing to send for this return.", state=ret.state)
        parcels = await rows.of_returns(tx, [ret.id])
        order = await order_rows.load_order(tx, ret.order_id)
        shop = await shop_rows.one(tx)
        sender = await _sender(tx, ret)
    assert order is not None
    tracking = parcels[0].tracking_code if parcels else None
    return packing_slip(ret, order.number, tracking, dict(shop), sender)


async def _sender(tx: Transaction, ret: ReturnRecord) -> dict[str, Any] | None:
    """Who puts the slip into the parcel: of a gift its recipient, who never reads of the buyer."""
    if ret.gift_receipt_id is None:
        person = await people.person(tx, ret.order_id)
    else:
        person = await gift_recipients.one(tx, ret.id)
    return None if person is None else dict(person)


async def announce(
    tx: Transaction, ctx: Context, ret: ReturnRecord, shipment_id: UUID
) -> list[Event]:
    """Tell the warehouse what is going to come and where to, once there is a label.

    The event is the parcel's, so that its sequence says which word is the newest.
    """
    shipment = await rows.lock(tx, shipment_id)
    if shipment is None or (shipment.state, "announce") not in SHIPMENT.rules:
        return []
    state = SHIPMENT.step(shipment.state, "announce", Actor.SYSTEM)
    sequence = await rows.move(tx, shipment.id, shipment.sequence, ctx.clock())
    assert sequence is not None
    shop = await shop_rows.one(tx)
    event = shipment_event(ctx, shipment, ret.order_id, state, sequence, SYSTEM)
    told = {
        **event.data,
        "number": ret.number,
        "order": ids.encode("ord", ret.order_id),
        "carrier": shipment.carrier,
        "tracking": shipment.tracking_code,
        "destination": _destination(*comes_back_to(dict(shop), ret.resolution, ret.terms.send_to)),
        "lines": [
            {
                "return_line": ids.encode("rl", line.id),
                "sku": line.sku,
                "title": line.title,
                "quantity": line.quantity,
                "reason": line.reason,
            }
            for line in ret.open_lines()
        ],
    }
    return [replace(event, type="return.expected", data=told)]


def _destination(kind: str, address: Mapping[str, Any]) -> dict[str, Any]:
    """A place of the shop's: no address of a person is ever in an event."""
    return {"kind": kind, **{name: address.get(name) for name in _ADDRESS}}
