"""A label as it is asked for and as it is remembered, in the open transaction of the caller."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from returns_api.db import gift_recipients, label_documents
from returns_api.db import orders as order_rows
from returns_api.db import returns as return_rows
from returns_api.db import shipments as rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.shipments import ASK_FOR_SCANS, ShipmentRecord
from returns_api.domain.shops import comes_back_to
from returns_api.ports.carriers import Address, Capability, Carrier, Label, LabelRequest
from returns_api.usecases.context import Context

DEFAULT_WEIGHT_GRAMS: Final = 500
"""What a unit without a known weight is taken to weigh."""


async def label_request(
    tx: Transaction, shipment: ShipmentRecord, order_id: UUID
) -> LabelRequest | None:
    shop = await shop_rows.one(tx)
    order = await order_rows.load_order(tx, order_id)
    ret = await return_rows.one(tx, shipment.return_id)
    if shop is None or order is None or ret is None:
        return None
    if ret.gift_receipt_id is None:
        sender = await order_rows.sender_address(tx, order_id)
    else:
        sender = await gift_recipients.sender_address(tx, ret.id)
    if sender is None:
        return None
    weights = {line.id: line.weight_grams or DEFAULT_WEIGHT_GRAMS for line in order.lines}
    return LabelRequest(
        reference=ids.encode("shm", shipment.id),
        sender=sender,
        receiver=Address(**comes_back_to(dict(shop), ret.resolution, ret.terms.send_to)[1]),
        weight_grams=sum(weights[line.order_line_id] * line.quantity for line in ret.open_lines()),
    )


async def remember(
    tx: Transaction, ctx: Context, shipment_id: UUID, carrier: Carrier, label: Label
) -> None:
    """What was bought and its files; whether it has to be asked for from now on."""
    now, told = ctx.clock(), Capability.WEBHOOKS in carrier.capabilities
    values = _label_values(label, None if told else now + ASK_FOR_SCANS)
    await rows.remember_label(tx, shipment_id, values)
    await label_documents.keep(tx, shipment_id, label.documents, now)


def _label_values(label: Label, track_at: datetime | None) -> dict[str, Any]:
    return {
        "track_at": track_at,
        "qr_url": label.qr_url,
        "label_forms": [document.form.value for document in label.documents],
        "carrier_shipment_id": label.carrier_shipment_id,
        "tracking_code": label.tracking_code,
        "carrier": label.carrier,
        "service": label.service,
        "label_url": label.label_url,
        "cost_minor": label.cost_minor,
        "cost_currency": label.currency,
    }


def cost_of(label: Label) -> dict[str, Any]:
    return {"cost": label.cost_minor, "currency": label.currency}
